"""One trial of a search: a configuration and what came of it. Knows neither strategies nor measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from spak.digest import sha256_bytes
from spak.model.base import canonical_json
from spak.optimize.space import Config

State = Literal["measured", "noisy", "failed"]


@dataclass(frozen=True, slots=True)
class Trial:
    """`value` is the metric. `samples` are repeated measurements by which trials are compared and ties told: the metric, or
    what is steadier, its ratio to a baseline measured at the same time; the better, the greater or smaller as of the metric.

    `state` "noisy" is a measurement that says nothing; "failed" has none, and `why` says why: both are data. `figures` is what
    else was measured. `seconds` is what the trial cost when it was made; `cached` says that it was made earlier.
    """

    config: Config
    state: State
    value: float | None = None
    samples: tuple[float, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    subject: str = ""  # digest of the binary or the command
    seconds: float = 0.0
    number: int = 0
    cached: bool = field(default=False, compare=False)

    @property
    def ok(self) -> bool:
        return self.state == "measured"

    @property
    def score(self) -> float:
        """What trials of one search are compared by."""
        return median(self.samples) if self.samples else float(self.value or 0.0)

    @property
    def key(self) -> str:
        return config_digest(self.config)

    def to_json(self) -> dict[str, Any]:
        """Everything but whether it was cached: a repeated sweep writes the same."""
        return {
            "config": dict(self.config),
            "state": self.state,
            "value": self.value,
            "samples": list(self.samples),
            "figures": dict(self.figures),
            "why": self.why,
            "subject": self.subject,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], number: int = 0, cached: bool = False) -> Trial:
        """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        if data["state"] not in ("measured", "noisy", "failed") or not isinstance(data["config"], Mapping):
            raise ValueError("not a trial")
        value = data["value"]
        if data["state"] == "measured" and not isinstance(value, int | float):
            raise ValueError("a measured trial without a value")
        return cls(
            dict(data["config"]), data["state"], None if value is None else float(value),
            tuple(float(one) for one in data["samples"]), dict(data["figures"]), str(data["why"]), str(data["subject"]),
            float(data["seconds"]), number, cached,
        )  # fmt: skip


def config_digest(config: Mapping[str, Any]) -> str:
    """A configuration's name, whatever the order of its parameters."""
    return sha256_bytes(canonical_json(dict(config)))
