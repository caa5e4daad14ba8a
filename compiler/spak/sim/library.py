"""The simulator's own library and headers: where they are, compiled once and kept. Knows no program.

Compiled into the user's cache folder under the digest of everything that goes in; a lock keeps two processes from doing
the same work, and a folder appears whole or not at all.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.sim import flavours

_PACKAGE = Path(__file__).parent.parent
INCLUDE = _PACKAGE / "include"
SOURCES = _PACKAGE / "build" / "sim_sources"
HOST = INCLUDE / "spak" / "sim" / "host"
_LISTS = ("sources.txt", "host/sources.txt")
_FLAGS = ("-std=c++20", "-O2", "-fno-strict-aliasing", "-ffunction-sections", "-fdata-sections")
_DEVICE = re.compile(r'\{"(?P<key>[\w-]+)", "[^"]*", (?P<major>\d+), (?P<minor>\d+),')
OLDEST = 11
_KEPT = 4  # libraries of earlier versions that stay in the cache


@dataclass(frozen=True, slots=True)
class Toolchain:
    """The host compiler, and the headers of the CUDA toolkit. `march`: what vector types of device code need."""

    compiler: str
    version: str
    toolkit: Path
    march: tuple[str, ...]


def devices() -> dict[str, int]:
    """The devices that can be simulated, and the `__CUDA_ARCH__` of each."""
    text = (SOURCES / "host" / "device.cpp").read_text()
    return {match["key"]: 100 * int(match["major"]) + 10 * int(match["minor"]) for match in _DEVICE.finditer(text)}


def toolchain() -> Toolchain:
    """Find $CXX or g++, and the toolkit's headers. Raises SpakError (SPK582)."""
    wanted = os.environ.get("CXX") or "g++"
    path = shutil.which(wanted)
    if path is None:
        hint = "install it (Debian: apt install g++; Fedora: dnf install gcc-c++), or name another in CXX"
        raise SpakError(Diagnostic("SPK582", f"the compiler {wanted!r} is not on the PATH", None, hint))
    said = subprocess.run([path, "-dumpfullversion", "-dumpmachine"], capture_output=True, text=True).stdout.split()
    version = said[0] if said else ""
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < OLDEST:
        hint = f"g++ {OLDEST} or later is needed; name one in CXX"
        raise SpakError(Diagnostic("SPK582", f"{wanted!r} is version {version or 'unknown'}", None, hint))
    march = () if os.uname().machine == "aarch64" else ("-march=x86-64-v3",)
    return Toolchain(path, version, _toolkit(), march)


def _toolkit() -> Path:
    """The folder of vector_types.h and its kin: $SPAK_CUDA_INCLUDE, the wheel, or an installed toolkit."""
    stated = os.environ.get("SPAK_CUDA_INCLUDE")
    homes = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")]
    wheels = [Path(entry) / "nvidia" / "cu13" / "include" for entry in sys.path if entry]
    places = (
        [Path(stated)]
        if stated
        else [*wheels, *(Path(h) / "include" for h in homes if h), Path("/usr/local/cuda/include")]
    )
    found = next((place for place in places if (place / "vector_types.h").is_file()), None)
    if found is None:
        hint = "pip install 'nvidia-cuda-runtime>=13,<14' 'nvidia-cuda-crt>=13,<14', or set SPAK_CUDA_INCLUDE"
        raise SpakError(Diagnostic("SPK582", "the headers of the CUDA toolkit were not found", None, hint))
    return found


def cache() -> Path:
    """$SPAK_CACHE, else `spak` in the user's cache folder."""
    stated = os.environ.get("SPAK_CACHE")
    if stated:
        return Path(stated)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spak"


def library(tools: Toolchain, *, flags: Sequence[str] = _FLAGS) -> Path:
    """The archive of the engine, its models and checkers, and the host runtime; compiled unless it is there. Raises
    SpakError (SPK584).
    """
    files = [
        SOURCES / name for text in _LISTS if (SOURCES / text).is_file() for name in (SOURCES / text).read_text().split()
    ]
    command = [tools.compiler, *flags, *tools.march, *include_flags(tools), "-I", str(SOURCES)]
    key = _digest(tools, command)
    with _making(cache() / "sim" / key, "libspaksim.a") as folder:
        if folder is not None:
            _compile(command, files, folder)
    return cache() / "sim" / key / "libspaksim.a"


def prelude(tools: Toolchain, options: Sequence[str], mode: str) -> Path:
    """A header that includes what every rewritten file begins with, precompiled for exactly these options."""
    command = [tools.compiler, *options]
    key = _digest(tools, [*command, mode])
    with _making(cache() / "sim" / f"pre-{key}", "prelude.h.gch") as folder:
        if folder is not None:
            header = folder / "prelude.h"
            header.write_text("#include <spak/sim/builtins.h>\n#include <spak/sim/host/prelude.h>\n")
            done = subprocess.run(
                [*command, "-x", "c++-header", str(header), "-o", f"{header}.gch"], capture_output=True
            )
            if done.returncode:
                raise SpakError(_broken("prelude.h", done.stderr.decode(errors="replace")))
    return cache() / "sim" / f"pre-{key}" / "prelude.h"


def include_flags(tools: Toolchain) -> list[str]:
    """Ours before the toolkit's: a header of the same name here takes the place of the toolkit's."""
    return ["-I", str(HOST), "-I", str(INCLUDE), "-isystem", str(tools.toolkit)]


def compile_flags(tools: Toolchain, mode: str, optimise: str) -> list[str]:
    """The options of a rewritten file of a foreign program."""
    debug = [] if "-g1" in flavours.flags(mode) else ["-g1"]
    quiet = ["-w", "-fno-builtin-printf", "-fdiagnostics-color=never"]
    return [
        *flavours.flags(mode),
        *tools.march,
        f"-O{optimise}",
        "-ffp-contract=off",
        *debug,
        *quiet,
        *include_flags(tools),
    ]


def _compile(command: Sequence[str], files: Sequence[Path], folder: Path) -> None:
    def one(source: Path) -> tuple[Path, str]:
        output = folder / f"{source.relative_to(SOURCES).as_posix().replace('/', '.')}.o"
        done = subprocess.run([*command, "-c", str(source), "-o", str(output)], capture_output=True)
        return output, done.stderr.decode(errors="replace") if done.returncode else ""

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        made = list(pool.map(one, files))
    for output, said in made:
        if said:
            raise SpakError(_broken(output.name.removesuffix(".o"), said))
    archive = folder / "libspaksim.a"
    subprocess.run(["ar", "rcsD", str(archive), *(str(output) for output, _ in made)], check=True)
    for output, _ in made:
        output.unlink()


def _broken(name: str, said: str) -> Diagnostic:
    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines()
    what = f"the simulator's own {name} does not compile: {lines[0] if lines else 'the compiler said nothing'}"
    return Diagnostic("SPK584", what, None, "check the compiler's installation", tuple(lines[1:5]))


def _digest(tools: Toolchain, command: Sequence[str]) -> str:
    """Of all our sources and headers, the options and the compiler."""
    digest = hashlib.sha256("\0".join([tools.version, str(tools.toolkit), *command]).encode())
    for root in (INCLUDE, SOURCES):
        for folder, folders, names in os.walk(root, followlinks=True):
            folders.sort()
            for name in sorted(names):
                path = Path(folder) / name
                digest.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


@contextmanager
def _making(place: Path, name: str) -> Iterator[Path | None]:
    """A temporary folder that becomes `place` when the block ends well; None when `place` has `name` already."""
    if (place / name).is_file():
        os.utime(place)
        yield None
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (place / name).is_file():
            yield None
            return
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as folder:
            yield Path(folder)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder, f"{folder}.whole")
            Path(f"{folder}.whole").rename(place)
        _forget(place.parent)


def _forget(parent: Path) -> None:
    """Remove what earlier versions left, but for the newest."""
    for kind in ("pre-", ""):
        kept = [
            p for p in parent.iterdir() if p.is_dir() and p.name[0] != "." and p.name.startswith("pre-") == bool(kind)
        ]
        for old in sorted(kept, key=lambda p: p.stat().st_mtime, reverse=True)[_KEPT * (4 if kind else 1) :]:
            shutil.rmtree(old, ignore_errors=True)
            (parent / f".{old.name}.lock").unlink(missing_ok=True)
