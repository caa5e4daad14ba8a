"""Runs CMake and ninja on a generated project in a folder of its own. Knows nothing of what is compiled."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spak.build import places
from spak.effects import Do, Limits
from spak.errors import Diagnostic, SpakError

# The compiler runs on the model's code: what it may take of the machine is bounded.
_LIMITS = Limits(wall_seconds=600, cpu_seconds=300, memory_bytes=8 << 30, output_bytes=4 << 20, file_bytes=256 << 20)
# What g++ says of a part of it that somebody killed: mostly the kernel, for want of memory. A limit on CPU time or on address
# space, which the code is to blame for, reads otherwise.
_KILLED = "Killed signal terminated program"


@dataclass(frozen=True)
class Built:
    """What CMake made: `folder` is its build folder. `ok` False is a project that does not compile; `log` says why."""

    ok: bool
    folder: Path
    log: str


@contextmanager
def workshop(beside: str) -> Iterator[Path]:
    """A temporary folder on the same file system as the output `beside`."""
    parent = Path(beside).parent
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".work-", dir=parent)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build(
    folder: Path, files: Mapping[str, bytes], defines: Mapping[str, str], compiler: str, do: Do, jobs: int = 1
) -> Built:
    """Write `files`, configure and build. Raises SpakError (SPK506, SPK507) for a CMake that is missing or does
    not configure, SPK517 for a compiler that was ended: a busy machine is nothing that a candidate could be blamed for.
    """
    cmake, ninja = _tool("cmake"), _tool("ninja")
    source, out = folder / "src", folder / "out"
    for name, data in files.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    everything = {**_known(compiler, ninja), **defines}
    argv = [cmake, "-S", str(source), "-B", str(out), "-G", "Ninja", *(f"-D{k}={v}" for k, v in everything.items())]
    environment = _environment()
    configured = do.run(argv, env=environment, limits=_LIMITS)
    if not configured.ok:
        lines = configured.stderr.decode(errors="replace").strip().splitlines()
        raise SpakError(
            Diagnostic("SPK507", f"CMake does not configure ({configured.how})", None, "", tuple(lines[:12]))
        )
    made = do.run([ninja, "-C", str(out), f"-j{jobs}", "-k", "0"], env=environment, limits=_LIMITS)
    log = made.stdout.decode(errors="replace") + made.stderr.decode(errors="replace")
    if made.timed_out or made.returncode < 0 or _KILLED in log:
        how = f"({made.how})" if made.timed_out or made.returncode < 0 else "(signal SIGKILL)"
        hint = "build again when the machine has more time and memory to spare: this says nothing of what was compiled"
        raise SpakError(Diagnostic("SPK517", f"the compiler was ended before it was done {how}", None, hint))
    return Built(made.ok, out, log)


def python_includes() -> str:
    """Headers of this Python and of pybind11, as a CMake list."""
    import pybind11

    return f"{sysconfig.get_path('include')};{pybind11.get_include()}"


def _known(compiler: str, ninja: str) -> dict[str, str]:
    """What CMake need not find out again in every project: half of a small build was spent on it."""
    return {
        "CMAKE_BUILD_TYPE": "None",
        "CMAKE_MAKE_PROGRAM": ninja,
        "CMAKE_CXX_COMPILER": compiler,
        "CMAKE_CXX_COMPILER_WORKS": "ON",
        "CMAKE_CXX_ABI_COMPILED": "ON",
        "CMAKE_CXX_SCAN_FOR_MODULES": "OFF",
        "SPAK_CMAKE_DIR": str(places.CMAKE.resolve()),
        "SPAK_PYTHON_INCLUDES": python_includes(),
    }


def _environment() -> dict[str, str]:
    """No flag of the user's shell may enter a build; messages are in English, for they are read."""
    dropped = {
        "CXXFLAGS",
        "CPPFLAGS",
        "LDFLAGS",
        "CFLAGS",
        "CPATH",
        "CPLUS_INCLUDE_PATH",
        "LIBRARY_PATH",
        "CMAKE_GENERATOR",
        "NINJA_STATUS",
    }
    return {**{k: v for k, v in os.environ.items() if k not in dropped}, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "0"}


def _tool(name: str) -> str:
    path = places.tool(name)
    if path is None:
        raise SpakError(Diagnostic("SPK506", f"{name} was not found", None, f"pip install {name}"))
    return path
