"""The simulator's own library and headers: where they are, compiled once and kept. Knows no program.

Compiled into the user's cache folder, each file under the digest of everything that goes in; a lock keeps two processes
from doing the same work, and a folder appears whole or not at all.
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
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.sim import flavours

_PACKAGE = Path(__file__).parent.parent
INCLUDE = _PACKAGE / "include"
SOURCES = _PACKAGE / "build" / "sim_sources"
HOST = INCLUDE / "spak" / "sim" / "host"
SCRIPT = _PACKAGE / "cmake" / "simulator.ld"  # for the linker
_LISTS = ("sources.txt", "host/sources.txt")
_FLAGS = ("-std=c++20", "-O2", "-fPIC", "-fno-strict-aliasing", "-ffunction-sections", "-fdata-sections")
# A program's templates of the standard library are compiled for the checkers: the runtime keeps to its own.
_OWN = ("_ZSt*", "_ZNSt*", "_ZNKSt*", "_ZN9__gnu_cxx*", "_ZNK9__gnu_cxx*")
_DEVICE = re.compile(r'\{"(?P<key>[\w-]+)", "[^"]*", (?P<major>\d+), (?P<minor>\d+),')
OLDEST = 11
_INCLUDED = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.MULTILINE)
_KEPT = 4  # libraries of earlier versions that stay in the cache
_IN_USE = 3600  # seconds: what was asked for so recently may be in use, for a program takes minutes to compile


Tell = Callable[[str], None]


def _silent(_: str) -> None:
    """Nobody is told."""


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


def library(tools: Toolchain, *, flags: Sequence[str] = _FLAGS, tell: Tell = _silent) -> Path:
    """The archive of the engine, its models and checkers, and the host runtime; compiled unless it is there, which `tell`
    is told, since it takes a while. Raises SpakError (SPK584; SPK582 where the cache cannot be written).
    """
    lists = [SOURCES / name for name in _LISTS]
    files = [SOURCES / name for one in lists if one.is_file() for name in one.read_text().split()]
    command = [tools.compiler, *flags, "-fno-gnu-unique", *tools.march, *include_flags(tools), "-I", str(SOURCES)]
    objects = {file: _key(tools, [*command, *_OWN], closure(file)) for file in files}
    place = cache() / "sim" / _hash(*(f"{file.name}:{key}" for file, key in objects.items()))
    with _making(place, "libspaksim.a", tell) as folder:
        if folder is not None:
            _compile(command, objects, folder)
    return place / "libspaksim.a"


def prelude(tools: Toolchain, options: Sequence[str], tell: Tell = _silent) -> Path:
    """A header that includes what every rewritten file begins with, precompiled for exactly these options: modes that have
    the same share it."""
    command = [tools.compiler, *options]
    text = "#include <spak/sim/host/prelude.h>\n"
    key = _key(tools, command, closure(HOST / "prelude.h"))
    place = cache() / "sim" / f"pre-{key}"
    with _making(place, "prelude.h.gch", tell) as folder:
        if folder is not None:
            header = folder / "prelude.h"
            header.write_text(text)
            made = [*command, "-x", "c++-header", str(header), "-o", f"{header}.gch"]
            done = subprocess.run(made, capture_output=True, env=environment())
            if done.returncode:
                raise SpakError(_broken("prelude.h", done.stderr.decode(errors="replace")))
    return place / "prelude.h"


def environment() -> dict[str, str]:
    """For compilers: their messages are read, so they are to be in one language."""
    return {**os.environ, "LC_ALL": "C"}


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


def _compile(command: Sequence[str], objects: dict[Path, str], folder: Path) -> None:
    """The archive of all objects; what was compiled before from the same text is taken from there."""
    kept = cache() / "sim" / "objects"
    kept.mkdir(parents=True, exist_ok=True)

    def one(source: Path) -> tuple[Path, str]:
        name = source.relative_to(SOURCES).as_posix().replace("/", ".")
        known, output = kept / f"{objects[source]}.o", folder / f"{name}.o"
        if not _taken(known, output):
            whole = output.with_suffix(".whole")
            for made in (
                [*command, "-c", str(source), "-o", str(output)],
                [command[0], "-r", "-nostdlib", "-Wl,--force-group-allocation", str(output), "-o", str(whole)],
                ["objcopy", "--wildcard", *(f"--localize-symbol={name}" for name in _OWN), str(whole), str(output)],
            ):
                done = subprocess.run(made, capture_output=True, env=environment())
                if done.returncode:
                    return output, done.stderr.decode(errors="replace") or "the compiler said nothing"
            whole.unlink()
            spare = Path(shutil.copyfile(output, output.with_suffix(".spare")))
            spare.replace(known)
        return output, ""

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            archived = list(pool.map(one, objects))
        except BaseException:  # whoever interrupts does not want to wait for the rest
            pool.shutdown(cancel_futures=True)
            raise
    for output, said in archived:
        if said:
            raise SpakError(_broken(output.name.removesuffix(".o"), said))
    archive = folder / "libspaksim.a"
    subprocess.run(["ar", "rcsD", str(archive), *(str(output) for output, _ in archived)], check=True)
    for output, _ in archived:
        output.unlink(missing_ok=True)


def _taken(known: Path, output: Path) -> bool:
    """Copy what is kept, if it is; another process may remove it at any time."""
    try:
        shutil.copyfile(known, output)
    except FileNotFoundError:
        return False
    with suppress(OSError):
        os.utime(known)
    return True


def _broken(name: str, said: str) -> Diagnostic:
    lines = [line for line in said.splitlines() if "error" in line] or said.splitlines()
    what = f"the simulator's own {name} does not compile: {lines[0] if lines else 'the compiler said nothing'}"
    return Diagnostic("SPK584", what, None, "check the compiler's installation", tuple(lines[1:5]))


def closure(*files: Path) -> tuple[Path, ...]:
    """Files, and every header of ours that they include, directly or not, in order."""
    seen, queue = set(files), list(files)
    while queue:
        at = queue.pop()
        for name in _INCLUDED.findall(at.read_text()):
            places = (base / name for base in (at.parent, SOURCES, HOST, INCLUDE))
            found = next((place for place in places if place.is_file()), None)
            if found is not None and found not in seen:
                seen.add(found)
                queue.append(found)
    return tuple(sorted(seen))


def _key(tools: Toolchain, command: Sequence[str], files: Sequence[Path]) -> str:
    """Of the compiler, its options, and the text of files."""
    texts = (part for path in files for part in (path.name, path.read_text()))
    return _hash(tools.version, str(tools.toolkit), *command, *texts)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


@contextmanager
def _making(place: Path, name: str, tell: Tell) -> Iterator[Path | None]:
    """A temporary folder that becomes `place` when the block ends well; None when `place` has `name` already."""
    if _kept(place, name):
        yield None
        return
    with _locked(place, lambda: tell("waiting for another process, which compiles the simulator")):
        if _kept(place, name):
            yield None
            return
        if name.endswith(".a"):
            tell("compiling the simulator, once for all programs: this takes half a minute")
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".making-") as folder:
            yield Path(folder)
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(folder, f"{folder}.whole")
            Path(f"{folder}.whole").rename(place)
    _forget(place.parent)


def _kept(place: Path, name: str) -> bool:
    """Whether it is there; that it was used now is noted, where one may."""
    with suppress(OSError):  # first: what was just used stays
        os.utime(place)
    return (place / name).is_file()


@contextmanager
def _locked(place: Path, wait: Callable[[], None] | None) -> Iterator[bool]:
    """Hold what nobody else may make or remove meanwhile, calling `wait` before one waits. False if it is held and there is
    no `wait`. Raises SpakError (SPK582).
    """
    path = place.parent / f".{place.name}.lock"
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("w")
        except OSError as error:
            what = f"the folder for compiled parts, {place.parent}, cannot be written: {error.strerror}"
            hint = "set SPAK_CACHE to a folder that can"
            raise SpakError(Diagnostic("SPK582", what, None, hint)) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if wait is None:
                    yield False
                    return
                wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                same = os.path.samestat(os.fstat(lock.fileno()), path.stat())
            except FileNotFoundError:
                same = False
            if same:  # else it was removed after it was opened, and the next one makes another
                yield True
                return


def _forget(parent: Path) -> None:
    """Remove what earlier versions left, but for the newest, and for what somebody may be using."""
    for left in parent.glob(".making-*"):  # by a process that was killed
        if _age(left) > 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)
    for pattern, most in (("pre-*", 4 * _KEPT), ("[0-9a-f]*", _KEPT), ("objects/*.o", 8 * _KEPT)):
        for old in sorted(parent.glob(pattern), key=_age)[most:]:
            if _age(old) < _IN_USE:
                continue
            if old.suffix == ".o":
                with suppress(OSError):  # gone, or another user's
                    old.unlink()
                continue
            with suppress(SpakError), _locked(old, None) as mine:
                if mine and _age(old) > _IN_USE:
                    shutil.rmtree(old, ignore_errors=True)
                    (parent / f".{old.name}.lock").unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Seconds since it was last used; 0 for what has gone meanwhile."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0
