"""Time that has passed for a child. Knows nothing of the child.

A process that is stopped, or whose machine is paused, finds all its time-outs due when it goes on, whatever became of its
child. So a gap between two looks counts as no more than a busy machine may make it.
"""

from __future__ import annotations

import time

GAP = 1.0  # seconds; whoever waits looks more often


class Patience:
    """Seconds since it was made, as far as this process ran."""

    def __init__(self) -> None:
        self._last, self._spent = time.monotonic(), 0.0

    def spent(self) -> float:
        """To be asked at least every `GAP` seconds."""
        now = time.monotonic()
        self._spent += min(now - self._last, GAP)
        self._last = now
        return self._spent
