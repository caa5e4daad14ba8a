"""Pools: how many actions of a kind run at once. Knows nothing of what they do.

"cores" bounds processes; "memory" and "gpu" actions take a core as well; "model" bounds questions under way, which cost
no core.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WITH_CORE = frozenset({"cores", "memory", "gpu"})
MEMORY_PER_ACTION = 3 << 30
QUESTIONS = 4


class Pools:
    """Counts what is free in each pool."""

    def __init__(self, cores: int) -> None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        self.cores = max(1, cores)
        self._free = {"cores": self.cores, "memory": max(1, memory // MEMORY_PER_ACTION), "gpu": 1, "model": QUESTIONS}
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pool: str) -> Iterator[None]:
        """Hold one place of a pool (and a core, where it takes one), waiting for it."""
        wanted = {pool, "cores"} if pool in WITH_CORE else {pool}
        with self._changed:
            self._changed.wait_for(lambda: all(self._free[name] > 0 for name in wanted))
            for name in wanted:
                self._free[name] -= 1
        try:
            yield
        finally:
            with self._changed:
                for name in wanted:
                    self._free[name] += 1
                self._changed.notify_all()
