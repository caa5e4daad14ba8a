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
    """The C++ files that `libspak_runtime.a` of an engine is made of, headers included: what all share, and what it adds."""
    shared = [*sorted(RUNTIME.glob("*.cpp")), *sorted(RUNTIME.glob("*.h"))]
    if engine == "nvrtc":
        return [*shared, *sorted((RUNTIME / "cuda").iterdir())]
    if engine == "sim":
        simulator = [path for path in sorted(SIMULATOR.glob("*/*")) if path.suffix in {".cpp", ".h"}]
        return [*shared, *(path for path in simulator if path.parent.name != "host")]  # that is for whole programs
    return shared


def tool(name: str) -> str | None:
    """A program: of this Python's environment first, where pip puts cmake and ninja, then of PATH."""
    import shutil

    beside = Path(sys.executable).parent / name
    return str(beside) if beside.is_file() else shutil.which(name)
