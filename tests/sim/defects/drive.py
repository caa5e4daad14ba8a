"""Run the kernels of a page in check mode, the broken ones and the right ones, and keep what was found. Knows nothing of what
should have been."""

from __future__ import annotations

import ctypes
import json
import mmap
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sim_harness
from spak.sim import findings

from defects.page import Exhibit, Page

HERE = Path(__file__).resolve().parent
# What check mode tries unless told otherwise: asynchronous operations as late as is legal, threads in order; then as early
# as possible, threads in the order of a seed.
SCHEDULES: tuple[dict[str, Any], ...] = ({}, {"completion": "eager", "seed": 1})

# The source keeps its warnings to itself: what is wrong with a broken kernel is for the checkers to say.
_FLAGS = ("-w", "-Wno-psabi")
_ENCODE = """
#include <cstdio>
#include <spak/sim/model/tensor_map.h>
extern "C" __attribute__((visibility("default"), weak)) void defects_encode(void* map, int type, unsigned rank, void* base,
    const std::uint64_t* dims, const std::uint64_t* strides, const std::uint32_t* box, int swizzle, char* error, int size) {
  const std::uint32_t steps[5] = {1, 1, 1, 1, 1};
  const std::string wrong = spak::sim::try_encode_tensor_map(map, type, rank, base, dims, strides, box, steps, 0, swizzle, 0, 0);
  std::snprintf(error, static_cast<std::size_t>(size), "%s", wrong.c_str());
}
"""
_SWIZZLES = {0: 0, 32: 1, 64: 2, 128: 3}


class Bf16(np.ndarray):
    """f32 values that are bf16 in the kernel's memory."""


def _bf16(values: Any) -> Any:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32).view(Bf16)


def _sparse(kind: type, count: int) -> Any:
    """An array that costs no memory until it is touched."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)
    return np.frombuffer(mmap.mmap(-1, count * np.dtype(kind).itemsize, flags=flags), kind)


_TYPES = {
    "f16": np.float16, "f32": np.float32, "f64": np.float64, "bf16": np.uint16,
    "u8": np.uint8, "u16": np.uint16, "i32": np.int32, "u32": np.uint32, "i64": np.int64,
}  # fmt: skip
_NAMES: dict[str, Any] = {
    **{name: getattr(np, name) for name in (
        "arange", "append", "concatenate", "cumsum", "exp", "matmul", "maximum", "minimum", "roll", "sqrt", "tile", "tril",
        "where", "stack", "inf", "einsum",
    )},
    **{name: kind for name, kind in _TYPES.items() if name != "bf16"},
    "bf16": _bf16, "sparse": _sparse, "null": None,
    "zeros": lambda *shape: np.zeros(shape, np.float32), "ones": lambda *shape: np.ones(shape, np.float32),
    "random": lambda *shape: np.random.default_rng(7).standard_normal(shape, np.float32),
}  # fmt: skip


def evaluate(text: str, names: dict[str, Any]) -> Any:
    return eval(text, {**_NAMES, **names})  # the project's own test pages


@dataclass
class Buffer:
    """An argument in the kernel's memory, with room on both sides that belongs to nobody."""

    array: Any
    writable: bool
    initialised: bool
    expected: str = ""
    close: bool = False
    bf16: bool = False


@dataclass
class Run:
    """What one version of a kernel did: the findings of all schedules, and which outputs were wrong in any."""

    symbol: str
    findings: list[findings.Finding] = field(default_factory=list)
    faults: list[sim_harness.Fault] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    costs: list[tuple[int, dict[str, int]]] = field(default_factory=list)  # of lines of the page


def _compiled(page: Page) -> Path:
    """The object of all kernels of a page."""
    text = page.source()
    # In the page's namespace: the types of parameters may be the page's own.
    include, launchers = sim_harness.launchers(text).strip().split("\n", 1)
    source = f"{sim_harness.rewrite(text, page.name)}\n{include}\nnamespace {page.space} {{\n{launchers}\n}}\n"
    if any(one.word == "map" for exhibit in page.exhibits for one in exhibit.directives):
        source += _ENCODE
    folders = (
        "-I",
        str(sim_harness.CSRC / "include"),
        "-I",
        str(sim_harness.HERE),
        "-isystem",
        str(sim_harness.toolkit()),
    )
    command = ["g++", "-fPIC", "-fvisibility=hidden", *sim_harness.FLAVOURS["instrumented"], *sim_harness.OPTIMISE]
    return sim_harness._compile(HERE / page.name, [*command, *_FLAGS, *folders], source)


def _placed(values: Any) -> Any:
    """A copy that begins at a multiple of 256 bytes, as cudaMalloc's do, 64 KB away from anything."""
    values = np.asarray(values)
    room = np.full(values.nbytes + (1 << 17) + 256, 0xA5, np.uint8)
    start = (1 << 16) + -(room.ctypes.data + (1 << 16)) % 256
    array = room[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    array[...] = values
    return array


def _buffers(exhibit: Exhibit, version: str, names: dict[str, Any]) -> dict[str, Buffer | int]:
    out: dict[str, Buffer | int] = {}
    for one in exhibit.directives_of("in", version):
        name, text = (part.strip() for part in one.rest.split("=", 1))
        value = names[name] = evaluate(text, names)
        if value is None or isinstance(value, int):
            out[name] = value or 0
        elif isinstance(value, Bf16):
            bits = np.ascontiguousarray(value).view(np.uint32) >> 16
            out[name] = Buffer(_placed(np.asarray(bits, np.uint16)), False, True)
        else:
            out[name] = Buffer(value if value.nbytes > 1 << 28 else _placed(value), False, True)
    for word in ("out", "inout", "scratch"):
        for one in exhibit.directives_of(word, version):
            match = re.match(r"(\w+): (\w+)\[(.*?)\](?: = (.*?) -> (.*)| (~?=) (.*))?$", one.rest.replace("\n", " "))
            assert match, f"{exhibit.page}:{one.line}: {one.rest}"
            name, kind, shape, initial, after, sign, expected = match.groups()
            size = evaluate(f"({shape},)", names)
            array = _placed(np.full(size, 0xA5, np.uint8).astype(_TYPES[kind]))
            if word == "inout":
                array[...] = evaluate(initial, names)
                names[name] = array.copy()
            expected = after if word == "inout" else expected or ""
            out[name] = Buffer(array, True, word == "inout", expected, sign == "~=", kind == "bf16")
    return out


def _map(library: Any, text: str, buffers: dict[str, Buffer | int]) -> tuple[str, Any, str]:
    """The argument's name, the map's bytes, and what is wrong with it."""
    match = re.match(r"(\w+) = (\w+) box=\(([\d, ]+)\)(?: swizzle=(\d+))?(?: type=(\w+))?$", text)
    assert match, text
    name, of, box_text, swizzle, kind = match.groups()
    buffer = buffers[of]
    assert isinstance(buffer, Buffer)
    array = buffer.array
    kind = kind or {"int32": "INT32", "float32": "FLOAT32", "uint16": "BFLOAT16"}[str(array.dtype)]
    type_ = {"INT32": 3, "FLOAT32": 7, "BFLOAT16": 9}[kind]
    box = [int(one) for one in box_text.split(",") if one.strip()]
    dims, strides = array.shape[::-1], array.strides[::-1][1:]
    encoded = _placed(np.zeros(128, np.uint8))
    error = ctypes.create_string_buffer(1024)
    library.defects_encode(
        ctypes.c_void_p(encoded.ctypes.data), type_, array.ndim, ctypes.c_void_p(array.ctypes.data),
        (ctypes.c_uint64 * 5)(*dims), (ctypes.c_uint64 * 5)(*strides), (ctypes.c_uint32 * 5)(*box),
        _SWIZZLES[int(swizzle or 0)], error, len(error),
    )  # fmt: skip
    return name, encoded, error.value.decode()


class Driver:
    """Pages, compiled into one library; `run()` gives what each version of each kernel did."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self.pages = pages
        exports = ("g++", *sim_harness.ENGINE, "-I", str(sim_harness.CSRC / "include"))
        shared = [sim_harness._compile(sim_harness.HERE / "sim_exports.cpp", exports), *sim_harness.compile_engine()]
        library = sim_harness._link([*map(_compiled, pages), *shared], "defects-instrumented.so", "-shared")
        self.kernels = sim_harness.Kernels(library, "instrumented")
        self.texts: list[str] = []

    def run(self, only: str = "") -> dict[str, Run]:
        """By name of version, of those kernels whose name has `only` in it."""
        return self._run([one for page in self.pages for one in page.exhibits], only)

    def run_page(self, page: Page) -> dict[str, Run]:
        return self._run(page.exhibits, "")

    def _run(self, exhibits: Sequence[Exhibit], only: str) -> dict[str, Run]:
        versions = [(one, version) for one in exhibits for version in one.versions() if only in one.symbol(version)]
        runs = {one.symbol(version): self._version(one, version) for one, version in versions}
        for found in findings.read("\n".join(self.texts), self.kernels.path):
            if found.kernel in runs:
                runs[found.kernel].findings.append(found)
        self.texts.clear()
        return runs

    def _version(self, exhibit: Exhibit, version: str) -> Run:
        out = Run(exhibit.symbol(version))
        for schedule in SCHEDULES:
            try:
                wrong = self._launch(exhibit, version, schedule)
                out.wrong += [name for name in wrong if name not in out.wrong]
            except sim_harness.Fault as fault:
                out.faults.append(fault)
        if any(form.counts for form in exhibit.forms):
            self._launch(exhibit, version, {"mode": "profile"})
            (counted,) = self.kernels.counters()
            out.counters = counted["counters"]
            lines = sim_harness.lines(self.kernels.path, [place["pc"] for place in counted["places"]])
            out.costs = [
                (line or 0, place["counters"]) for (_, line), place in zip(lines, counted["places"], strict=True)
            ]
        return out

    def _launch(self, exhibit: Exhibit, version: str, schedule: dict[str, Any]) -> list[str]:
        names: dict[str, Any] = {}
        buffers = _buffers(exhibit, version, names)
        arguments: dict[str, Any] = {n: one.array if isinstance(one, Buffer) else one for n, one in buffers.items()}
        for one in exhibit.directives_of("map", version):
            name, arguments[name], wrong = _map(self.kernels.library, one.rest, buffers)
            if wrong:
                self._found(
                    [{"rule": "bad-tensor-map", "sentence": wrong, "parties": [], "kernel": exhibit.symbol(version)}]
                )
                return []
        gone = {one.rest for one in exhibit.directives_of("freed", version)}
        regions = {
            name: (one.array, {"writable": one.writable, "initialised": one.initialised})
            for name, one in buffers.items()
            if isinstance(one, Buffer)
        }
        with self.kernels.regions({name: value for name, value in regions.items() if name in gone}):
            pass
        run = exhibit.directives_of("run", version)[0].rest
        options = {key: evaluate(value, names) for key, value in re.findall(r"(\w+)=(\([^)]*\)|\S+)", run)}
        try:
            self.kernels.run(
                exhibit.symbol(version), options.pop("grid", 1), options.pop("block"),
                *(arguments[name] for _, name in exhibit.parameters),
                regions={name: value for name, value in regions.items() if name not in gone},
                **{"mode": "check", "seconds": 5, **schedule, **options},
            )  # fmt: skip
        finally:
            self._found(self.kernels._text("findings"))
        return [
            name for name, one in buffers.items() if isinstance(one, Buffer) and one.expected and not _right(one, names)
        ]

    def _found(self, rows: list[dict[str, Any]]) -> None:
        self.texts.append(json.dumps(rows))


def _right(buffer: Buffer, names: dict[str, Any]) -> bool:
    expected = np.asarray(evaluate(buffer.expected, names))
    got = buffer.array
    if buffer.bf16:
        got = (got.astype(np.uint32) << 16).view(np.float32)
    if buffer.close:
        return bool(np.allclose(got, expected.reshape(got.shape), rtol=1e-2, atol=1e-2))
    return bool(np.array_equal(got, expected.reshape(got.shape)))
