"""Medians, bootstrap intervals and differences, from a fixed seed. Knows numbers only; standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import median

RESAMPLES = 2000
SEED = 20_251
LEVEL = 0.95


def interval(samples: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The percentile bootstrap's confidence interval of the median: same samples, same interval."""
    if len(samples) < 2:
        only = samples[0] if samples else float("nan")
        return (only, only)
    random = Random(SEED)
    return _percentiles(sorted(median(random.choices(samples, k=len(samples))) for _ in range(RESAMPLES)), level)


def difference(a: Sequence[float], b: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The interval of median(a) - median(b), samples not paired."""
    if not a or not b:
        return (float("-inf"), float("inf"))
    random = Random(SEED)
    drawn = sorted(median(random.choices(a, k=len(a))) - median(random.choices(b, k=len(b))) for _ in range(RESAMPLES))
    return _percentiles(drawn, level)


def tied(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether nothing says that the medians differ. Single values are tied when they are equal."""
    if len(a) < 2 and len(b) < 2:
        return list(a) == list(b)
    low, high = difference(a, b)
    return low <= 0.0 <= high


def _percentiles(ordered: Sequence[float], level: float) -> tuple[float, float]:
    last = len(ordered) - 1
    cut = (1 - level) / 2
    return ordered[round(cut * last)], ordered[round((1 - cut) * last)]
