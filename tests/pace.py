"""Bounds on processor time that hold on a slow machine, and on one whose host takes the processor away and charges it to us."""

from __future__ import annotations

import time
from collections.abc import Callable

STEPS, SECONDS = 1_000_000, 0.06  # what a core of the 2020s takes for so many steps of a loop


def slowness() -> float:
    """How many times slower than such a core this machine is just now; 1 for a faster one."""
    began, total = time.process_time(), 0
    for number in range(STEPS):
        total += number & 7
    return max(1.0, (time.process_time() - began) / SECONDS)


def within(
    seconds: float, work: Callable[[], object], clock: Callable[[], float] = time.process_time, tries: int = 4
) -> bool:
    """Whether some work takes less than so many seconds of a core of the 2020s. A try that something else disturbed, or
    that was the first of its kind, is made again.
    """
    for _ in range(tries):
        began = clock()
        work()
        used = clock() - began
        if used < seconds * slowness():
            return True
    return False
