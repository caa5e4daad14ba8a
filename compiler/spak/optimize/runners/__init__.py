"""Runners: who carries trials out. Knows no strategy.

A runner has `prepare(configs)`, which may do ahead and at once what needs no quiet machine, and `run(config) -> Trial`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from spak.optimize.space import Config
from spak.optimize.trial import Trial


class Runner(Protocol):
    """What a sweep needs of a runner."""

    def prepare(self, configs: Sequence[Config]) -> None:
        """Get ready for these. What goes wrong with one is its trial's, not an exception."""

    def run(self, config: Config) -> Trial:
        """Carry one trial out. A configuration that fails is a trial that failed; SpakError ends the sweep."""
