"""The rewriter of CUDA source and the compile flags of each flavour, wherever they live. Knows nothing of compilers."""

from __future__ import annotations

from spak.sim.flavours import ASAN, CHECKED, PLAIN
from spak.sim.source import rewrite

FLAVOURS = {"plain": PLAIN, "instrumented": CHECKED, "asan": ASAN}

__all__ = ["FLAVOURS", "rewrite"]
