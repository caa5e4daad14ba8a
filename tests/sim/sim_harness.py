"""Compile a .cu file for the simulator and call its kernels on NumPy arrays. Knows nothing of the build's launchers.

`build(path, flavour)` gives `Kernels`; `kernels.run("name", grid, block, *arguments)` launches an `extern "C"` kernel and
raises `Fault`; `kernels.findings()` has what was found. Objects are kept in a folder of the machine, by content.
"""

from __future__ import annotations

import ctypes
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from sim_rewriter import FLAVOURS, rewrite
from spak.sim import library

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
HERE = Path(__file__).resolve().parent
ARCH = "-march=native" if os.uname().machine == "aarch64" else "-march=x86-64-v3"
OPTIMISE = ("-O2", ARCH, "-ffp-contract=off", "-g1")
WARN = ("-Wall", "-Wextra", "-Werror")
ENGINE = ("-std=c++20", "-fPIC", "-O2", "-g1", *WARN)
KEPT_DAYS = 3


class Fault(Exception):
    """A spak::sim::Fault: `rule`, and the message."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


def toolkit() -> Path:
    """The header folder of the CUDA toolkit wheels."""
    import nvidia.cu13

    return Path(next(iter(nvidia.cu13.__path__))) / "include"


@functools.cache
def cache() -> Path:
    """A folder of this machine and user; what nobody has used for a few days goes."""
    folder = Path(tempfile.gettempdir()) / f"spak-sim-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    for path in folder.iterdir():
        with suppress(OSError):  # another process may be tidying up as well
            if path.is_file() and time.time() - path.stat().st_mtime > KEPT_DAYS * 86400:
                path.unlink()
    return folder


@contextmanager
def kept_library() -> Iterator[None]:
    """What `spak.sim` compiles for itself is kept where the tests of this folder keep theirs."""
    before = os.environ.get("SPAK_CACHE")
    os.environ["SPAK_CACHE"] = str(cache() / "product")
    try:
        yield
    finally:
        if before is None:
            del os.environ["SPAK_CACHE"]
        else:
            os.environ["SPAK_CACHE"] = before


def _included(text: str, folder: Path) -> Iterator[Path]:
    """The headers of this repository that a text in that folder includes."""
    for name in re.findall(r'^\s*#\s*include\s*[<"]([^">]+)[">]', text, re.M):
        for base in (folder, CSRC / "sim", CSRC / "include", HERE):
            if (base / name).is_file():
                yield (base / name).resolve()
                break


@functools.cache
def _closure(path: Path) -> frozenset[Path]:
    """A file and every header of this repository that it includes, directly or not."""
    seen, queue = {path}, [path]
    while queue:
        at = queue.pop()
        for found in _included(at.read_text(), at.parent):
            if found not in seen:
                seen.add(found)
                queue.append(found)
    return frozenset(seen)


def _key(source: Path, command: Sequence[str], text: str = "") -> str:
    digest = hashlib.sha256(repr((source.name, tuple(command), text)).encode())
    added = (_closure(path) for path in _included(text, source.parent))  # the rewriter includes headers too
    for path in sorted(_closure(source).union(*added)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def _compile(source: Path, command: Sequence[str], text: str | None = None) -> Path:
    """The object of `source` (or of `text`, as it is after rewriting), made unless it is there."""
    target = cache() / f"{source.stem}-{_key(source, command, text or '')}.o"
    with _locked(target):
        if target.exists():
            os.utime(target)
            return target
        work = Path(tempfile.mkdtemp(dir=cache(), prefix="work-"))
        try:
            path = source
            if text is not None:
                path = work / f"{source.stem}.sim.cpp"
                path.write_text(text)
            out = work / "out.o"
            subprocess.run([*command, "-c", str(path), "-o", str(out)], check=True)
            out.rename(target)
        finally:
            shutil.rmtree(work)
    return target


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compile_engine(*flags: str, compiler: str = "g++", parts: Sequence[str] = ()) -> list[Path]:
    """The simulator's library as `spak sim` links it, compiled once on this machine; the objects of some `parts`, made with
    other flags or by another compiler, where asked. The checkers are not optimised then: no such build runs them."""
    if not parts:
        with kept_library():
            return [library.library(library.toolchain())]
    command = [compiler, *ENGINE, *flags, "-I", str(CSRC / "include"), "-I", str(CSRC / "sim")]
    names = [Path(name) for name in (CSRC / "sim" / "sources.txt").read_text().split()]
    objects = [
        _compile(CSRC / "sim" / name, command if name.parts[0] == "engine" else [*command, "-O0"])
        for name in names
        if name.parts[0] in parts
    ]
    archive = cache() / f"libengine-{hashlib.sha256(repr(objects).encode()).hexdigest()[:24]}.a"
    return [_kept(archive, ["ar", "rcsD", "OUT", *map(str, objects)])]


def launchers(source: str) -> str:
    """One `run_NAME` for each `extern "C"` kernel: errors come back as text, classes are passed by pointer."""
    out = ['\n#include "sim_test.h"\n']
    for match in re.finditer(
        r'extern "C" __global__ void\s+(?:__\w+__\s*\([^)]*\)\s*)*(\w+)\s*\(([^)]*)\)\s*\{', source
    ):
        name, text = match.groups()
        parameters = [re.sub(r"__grid_constant__|__restrict__", "", p).strip() for p in text.split(",") if p.strip()]
        split = [re.fullmatch(r"(.*?)(\w+)", p, re.S) for p in parameters]
        types = [part[1].strip() for part in split if part]
        taken = "".join(f", spak_test::Argument<{kind}> a{i}" for i, kind in enumerate(types))
        passed = ", ".join(f"spak_test::value<{kind}>(a{i})" for i, kind in enumerate(types))
        out.append(
            f"SPAK_TEST_EXPORT int run_{name}(const spak::sim::Config* config, char* error, int size{taken}) {{\n"
            f"  return spak_test::run(config, error, size, [&] {{ {name}({passed}); }});\n}}\n"
        )
    return "".join(out)


def compiler_of(machine: str) -> str:
    """The host's compiler, or the one that builds for `machine` elsewhere."""
    return f"{machine}-linux-gnu-g++" if machine else "g++"


def _objects(
    source: Path,
    flavour: str,
    flags: Sequence[str],
    engine_flags: Sequence[str] = (),
    parts: Sequence[str] = (),
    machine: str = "",
) -> list[Path]:
    compiler = compiler_of(machine)
    text = source.read_text()
    rewritten = rewrite(text, source.name) + launchers(text)
    include = ["-I", str(CSRC / "include"), "-I", str(HERE), "-isystem", str(toolkit())]
    optimise = [flag for flag in OPTIMISE if not machine or flag != ARCH]
    command = [compiler, "-fPIC", "-fvisibility=hidden", *FLAVOURS[flavour], *optimise, *WARN, *flags, *include]
    exports = [compiler, *ENGINE, "-I", str(CSRC / "include")]
    return [
        _compile(source, command, rewritten),
        _compile(HERE / "sim_exports.cpp", exports),
        *compile_engine(*engine_flags, compiler=compiler, parts=parts),
    ]


def _link(objects: Sequence[Path], name: str, *flags: str, compiler: str = "g++") -> Path:
    script = library.SCRIPT.read_text()
    key = hashlib.sha256(repr(([str(path) for path in objects], flags, script)).encode()).hexdigest()[:24]
    target = cache() / f"{name}-{key}"
    link = [compiler, "-pthread", f"-Wl,-T,{library.SCRIPT}", *flags]
    return _kept(target, [*link, *map(str, objects), "-o", "OUT"])


def _kept(target: Path, command: Sequence[str]) -> Path:
    """What a command writes to `OUT`, made unless it is there."""
    with _locked(target):
        if not target.exists():
            out = cache() / f"{target.name}.{os.getpid()}"
            subprocess.run([str(out) if word == "OUT" else word for word in command], check=True)
            out.rename(target)
        os.utime(target)
    return target


def build(
    source: Path,
    flavour: str = "plain",
    *,
    flags: Sequence[str] = (),
    engine_flags: Sequence[str] = (),
    parts: Sequence[str] = (),
) -> Kernels:
    """The kernels of one file, as a loaded library. `asan` needs a program: see build_program, for `parts` as well."""
    objects = _objects(source, flavour, flags, engine_flags, parts)
    return Kernels(_link(objects, f"{source.stem}-{flavour}.so", "-shared"), flavour)


def build_program(
    source: Path,
    flavour: str = "plain",
    *,
    flags: Sequence[str] = (),
    engine_flags: Sequence[str] = (),
    parts: Sequence[str] = (),
    machine: str = "",
) -> Path:
    """The same as a program, for a file with a `main`. `parts`: those of the engine that it is made of, compiled with
    `engine_flags`. `machine`: "aarch64", linked statically, to run in an emulator."""
    link = ["-fsanitize=address"] if flavour == "asan" else []
    objects = _objects(source, flavour, flags, engine_flags, parts, machine)
    name = f"{source.stem}-{flavour}{machine and '-' + machine}"
    return _link(objects, name, *link, *(["-static"] if machine else []), compiler=compiler_of(machine))


class Config(ctypes.Structure):
    _fields_ = [
        ("grid", ctypes.c_longlong * 3),
        ("block", ctypes.c_longlong * 3),
        ("smem_bytes", ctypes.c_longlong),
        ("name", ctypes.c_char_p),
        ("cluster", ctypes.c_longlong * 3),
        ("cooperative", ctypes.c_bool),
        ("nonportable_cluster", ctypes.c_bool),
        ("instrumented", ctypes.c_bool),
        ("shared_limit", ctypes.c_longlong),
        ("shared_alignment", ctypes.c_longlong),
        ("multiprocessors", ctypes.c_int),
    ]


def _triple(value: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (value,) if isinstance(value, int) else tuple(value)
    return sizes + (1,) * (3 - len(sizes))


class Kernels:
    """Arrays go by address, int as long long, float as float, bytes and ctypes structures by address (class parameters).

    Any other keyword of `run` is a setting: `mode="check"`, `completion="lazy"`, `seed=3`, `order="reverse"`,
    `seconds=1`. In checked modes the arrays are the memory that the kernel may touch, unless `regions` says otherwise:
    a mapping from names to arrays, or to (array, {"writable": False, "initialised": False}).
    """

    def __init__(self, path: Path, flavour: str = "plain") -> None:
        self.path, self.flavour = path, flavour
        self.library = ctypes.CDLL(str(path))
        for name in ("findings", "counters"):
            getattr(self.library, f"spak_test_{name}").restype = ctypes.c_void_p

    def run(
        self,
        name: str,
        grid: int | Sequence[int],
        block: int | Sequence[int],
        *arguments: Any,
        smem: int = 0,
        cluster: int | Sequence[int] = 1,
        cooperative: bool = False,
        nonportable: bool = False,
        shared_limit: int = 232448,
        shared_alignment: int = 1,
        multiprocessors: int = 132,
        regions: Mapping[str, Any] | None = None,
        **env: Any,
    ) -> None:
        sizes = [(ctypes.c_longlong * 3)(*_triple(value)) for value in (grid, block, cluster)]
        config = Config(
            sizes[0], sizes[1], smem, name.encode(), sizes[2], cooperative, nonportable, self.flavour == "instrumented",
            shared_limit, shared_alignment, multiprocessors,
        )  # fmt: skip
        error = ctypes.create_string_buffer(1 << 16)
        if regions is None:
            arrays = [value for value in arguments if isinstance(value, np.ndarray) and value.nbytes]
            regions = {f"argument {i}": array for i, array in enumerate(arrays)}
        checked = str(env.get("mode", "plain")) != "plain"
        settings = {f"SPAK_SIM_{key.upper()}": str(value) for key, value in env.items()}
        launcher = self.library[f"run_{name}"]
        with environment(settings), self.regions(regions if checked else {}):
            failed = launcher(ctypes.byref(config), error, len(error), *map(_argument, arguments))
        if failed:
            raise Fault(*error.value.decode().split("\n", 1))

    @contextmanager
    def regions(self, regions: Mapping[str, Any]) -> Iterator[None]:
        """The memory that kernels may touch meanwhile."""
        known = set()
        for name, value in regions.items():
            array, options = value if isinstance(value, tuple) else (value, {})
            if array.ctypes.data in known:
                continue
            known.add(array.ctypes.data)
            self.library.spak_test_add_region(
                name.encode(), ctypes.c_void_p(array.ctypes.data), ctypes.c_longlong(array.nbytes),
                int(options.get("writable", array.flags.writeable)), int(options.get("initialised", True)),
            )  # fmt: skip
        try:
            yield
        finally:
            for address in known:
                self.library.spak_test_remove_region(ctypes.c_void_p(address))

    def _text(self, name: str) -> Any:
        text = getattr(self.library, f"spak_test_{name}")()  # not [...]: that would be another object each time
        try:
            return json.loads(ctypes.string_at(text))
        finally:
            self.library.spak_test_free(ctypes.c_void_p(text))

    def findings(self) -> list[dict[str, Any]]:
        """What was found since the last call, with a file and line wherever the line table has them."""
        found = self._text("findings")
        parties = [party for finding in found for party in finding["parties"] if party["pc"]]
        for party, (file, line) in zip(parties, lines(self.path, [p["pc"] for p in parties]), strict=True):
            if file:
                party["file"], party["line"] = file, line
        return list(found)

    def counters(self) -> list[dict[str, Any]]:
        """What was counted since the last call, in mode profile."""
        return list(self._text("counters"))


def lines(library: Path, pcs: Sequence[str]) -> list[tuple[str | None, int | None]]:
    """File name and line of each instruction: of the innermost inlined frame that is not in the project's headers."""
    if not pcs:
        return []
    command = ["addr2line", "-i", "-a", "-e", str(library), *pcs]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    out: list[tuple[str | None, int | None]] = []
    for chunk in re.split(r"^0x[0-9a-f]+\n", text, flags=re.M)[1:]:
        frames = [frame.split(" (")[0].rsplit(":", 1) for frame in chunk.splitlines()]
        known = [(Path(file).name, int(line)) for file, line in frames if line.isdigit() and "/include/" not in file]
        out.append(known[0] if known else (None, None))
    return out


def _argument(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, bytes | bytearray):
        room = np.zeros(len(value) + 128, np.uint8)  # a class may ask for any alignment up to 128
        start = -room.ctypes.data % 128
        room[start : start + len(value)] = np.frombuffer(bytes(value), np.uint8)
        return room[start:].ctypes.data_as(ctypes.c_void_p)
    if isinstance(value, ctypes.Structure):
        return ctypes.byref(value)
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_longlong(value)


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """os.environ reaches getenv in this process, so the engine sees it."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                del os.environ[key]
            else:
                os.environ[key] = old
