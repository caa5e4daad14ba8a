"""What paired times say: a ratio, its interval, and a word. Knows numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from spak.model.statistics import interval

#: Where the baseline differs so much from itself, or the interval is so wide, nobody can say that two are alike.
TOO_NOISY = 0.10
#: Where it differs so much, how much it differs is itself hardly known: only what lies beyond it twice over is told from it.
NO_BASELINE = 0.50

Verdict = Literal["faster", "slower", "tied", "INCONCLUSIVE"]


@dataclass(frozen=True, slots=True)
class Compared:
    """`ratio` is the baseline's time over this one's, so that more is better; (low, high) its 95 % interval."""

    ratio: float
    low: float
    high: float
    verdict: Verdict
    ratios: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        return {"ratio": self.ratio, "low": self.low, "high": self.high, "verdict": self.verdict}


def compare(baseline: Sequence[float], times: Sequence[float], noise: float) -> Compared:
    """Pair the rounds of a baseline and a candidate. `noise` is the noise floor, as a fraction."""
    ratios = tuple(a / b for a, b in zip(baseline, times, strict=True))
    ratio = median(ratios)
    low, high = interval(ratios)
    return Compared(ratio, low, high, _verdict(ratio, low, high, noise), ratios)


def noise_of(baseline: Sequence[float], again: Sequence[float]) -> float:
    """How far the baseline seems to be from itself: the far end of the interval of its ratio to itself."""
    low, high = interval([a / b for a, b in zip(baseline, again, strict=True)])
    return max(abs(low - 1.0), abs(high - 1.0))


def _verdict(ratio: float, low: float, high: float, noise: float) -> Verdict:
    floor = 1.0 + noise if noise <= NO_BASELINE else (1.0 + noise) ** 2
    if low > floor:
        return "faster"
    if high < 1.0 / floor:
        return "slower"
    return "INCONCLUSIVE" if noise > TOO_NOISY or (high - low) / 2 > TOO_NOISY * ratio else "tied"
