"""The rewriter of CUDA source and the compile flags of each flavour, wherever they live. Knows nothing of compilers."""

from __future__ import annotations

from spak.sim.flavours import flags
from spak.sim.source import rewrite

FLAVOURS = {"plain": flags("plain"), "instrumented": flags("check"), "asan": flags("asan")}

__all__ = ["FLAVOURS", "rewrite"]
