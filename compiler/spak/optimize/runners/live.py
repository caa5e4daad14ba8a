"""The live runner: carries trials out, and keeps each as soon as it is done. Knows neither kernels nor commands.

What is kept is found by the digest of the very binary or command, the workload and the environment; so nothing that was measured
once is measured again, and nothing that was measured elsewhere is taken for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spak.optimize.cache import TrialCache
from spak.optimize.space import Config
from spak.optimize.trial import Trial


@dataclass(frozen=True, slots=True)
class Subject:
    """What a configuration comes to: its digest, or why it comes to nothing. `handle` is for whoever measures it."""

    digest: str
    why: str = ""
    handle: Any = None
    seconds: float = 0.0


@dataclass(slots=True)
class Live:
    """`subjects` makes what is to be measured, for several configurations at once; `measure` measures one, exclusively.

    `again` measures anew whatever has no figure so far: it was noisy, or it failed.
    """

    cache: TrialCache
    workload: str
    environment: str
    subjects: Callable[[Sequence[Config]], Sequence[Subject]]
    measure: Callable[[Config, Subject], Trial]
    again: bool = False
    _ready: dict[str, Subject] = field(default_factory=dict)

    def prepare(self, configs: Sequence[Config]) -> None:
        new = [one for one in configs if _name(one) not in self._ready]
        for config, subject in zip(new, self.subjects(new), strict=True):
            self._ready[_name(config)] = subject

    def run(self, config: Config) -> Trial:
        self.prepare([config])
        subject = self._ready[_name(config)]
        key = self.key(subject.digest)
        kept = self._kept(key, config)
        if kept is not None:
            return kept
        began = time.monotonic()
        if subject.why:
            trial = Trial(config, "failed", why=subject.why, subject=subject.digest)
        else:
            trial = replace(self.measure(config, subject), config=config, subject=subject.digest)
        trial = replace(trial, seconds=round(time.monotonic() - began + subject.seconds, 3))
        self.cache.put(key, trial.to_json())
        return trial

    def key(self, subject: str) -> Mapping[str, str]:
        return {"subject": subject, "workload": self.workload, "environment": self.environment}

    def _kept(self, key: Mapping[str, str], config: Config) -> Trial | None:
        data = self.cache.get(key)
        if data is None:
            return None
        try:
            kept = Trial.from_json({**data, "config": dict(config)}, cached=True)
        except (KeyError, TypeError, ValueError):
            return None
        return kept if kept.ok or not self.again else None


def _name(config: Config) -> str:
    return repr(sorted(config.items()))
