"""Where this installation keeps its C++: headers, runtime sources, CMake modules. Knows nothing of what they hold."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
INCLUDE = PACKAGE / "include"
CMAKE = PACKAGE / "cmake"
RUNTIME = Path(__file__).parent / "runtime_sources"
SIMULATOR = Path(__file__).parent / "sim_sources"


def runtime_sources(engine: str) -> list[Path]:
    """The sources of `libspak_runtime.a` for an engine: what all share, and what it adds. Sorted."""
    shared = sorted(RUNTIME.glob("*.cpp"))
    if engine == "nvrtc":
        return [*shared, *sorted((RUNTIME / "cuda").glob("*.cpp"))]
    if engine == "sim":
        return [*shared, *(SIMULATOR / line for line in (SIMULATOR / "sources.txt").read_text().split())]
    return shared


def tool(name: str) -> str | None:
    """A program: of this Python's environment first, where pip puts cmake and ninja, then of PATH."""
    import shutil

    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)
