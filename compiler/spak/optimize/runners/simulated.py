"""The simulation runner: replays a recorded sweep, so that strategies are tested without timing. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spak.optimize.record import Record
from spak.optimize.space import Config
from spak.optimize.trial import Trial, config_digest


@dataclass(frozen=True, slots=True)
class Simulated:
    """A configuration that the record does not have fails: it is not known, and nothing is made up."""

    record: Record

    def prepare(self, configs: Sequence[Config]) -> None:
        """Nothing to do ahead."""

    def run(self, config: Config) -> Trial:
        found = self.record.by_key.get(config_digest(config))
        return found if found is not None else Trial(config, "failed", why="the record has no such configuration")
