"""Compile a string with NVRTC through ctypes, in a few lines. Knows nothing of the project's NVRTC engine, so that a
fault of that engine cannot hide one of the headers."""

from __future__ import annotations

import ctypes
from pathlib import Path


def library(toolkit: Path) -> Path | None:
    """`libnvrtc` of the wheel whose headers are in `toolkit`, or None."""
    return next(iter(sorted((toolkit.parent / "lib").glob("libnvrtc.so*"))), None)


def compile_log(toolkit: Path, source: str, arch: str, include: list[Path]) -> str:
    """'' if `source` compiles for `arch` (sm_80, ...), else the compiler's log."""
    return _compile(toolkit, source, arch, include)[0]


def compile_cubin(toolkit: Path, source: str, arch: str, include: list[Path]) -> bytes:
    """The machine code of `source`. Raises RuntimeError with the compiler's log."""
    said, image = _compile(toolkit, source, arch, include)
    if said:
        raise RuntimeError(said)
    return image


def _compile(toolkit: Path, source: str, arch: str, include: list[Path]) -> tuple[str, bytes]:
    found = library(toolkit)
    assert found is not None
    nvrtc = ctypes.CDLL(str(found))
    program = ctypes.c_void_p()
    if nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernel.cu", 0, None, None):
        raise RuntimeError("nvrtcCreateProgram failed")
    options = [f"--gpu-architecture={arch}", "--std=c++20", *(f"-I{path}" for path in (*include, toolkit))]
    raw = [option.encode() for option in options]
    failed = nvrtc.nvrtcCompileProgram(program, len(raw), (ctypes.c_char_p * len(raw))(*raw))
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    image = b""
    if not failed:
        nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
        cubin = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetCUBIN(program, cubin)
        image = cubin.raw
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return (log.value.decode() or "failed without a word") if failed else "", image
