"""The winner among trials: best, or chosen by rule among those that are statistically as good. Knows no measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spak.model.statistics import tied
from spak.optimize.trial import Trial


def choose(
    trials: Sequence[Trial], objective: str, default: Mapping[str, Any] | None = None
) -> tuple[Trial | None, list[Trial]]:
    """(winner, those tied with the best), the winner among them; (None, []) where nothing was measured.

    Among tied configurations the plan's own parameters stand, as a change needs a reason; then the fewest registers, the least
    shared memory, and the digest decide: never the last digit of a noisy figure.
    """
    measured = [one for one in trials if one.ok and one.value is not None]
    if not measured:
        return None, []
    sign = -1.0 if objective == "maximize" else 1.0
    best = min(measured, key=lambda one: (sign * one.score, one.key))
    equal = [one for one in measured if one is best or tied(one.samples or (one.score,), best.samples or (best.score,))]
    equal.sort(key=lambda one: (not _is(one, default), *_resources(one), one.key))
    return equal[0], equal


def _is(trial: Trial, default: Mapping[str, Any] | None) -> bool:
    return default is not None and all(default.get(name) == value for name, value in trial.config.items())


def _resources(trial: Trial) -> tuple[float, float]:
    """Registers and shared memory, where a target has them."""
    return float(trial.figures.get("registers", 0) or 0), float(trial.figures.get("shared_bytes", 0) or 0)
