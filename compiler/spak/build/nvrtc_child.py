"""Compile one CUDA source with NVRTC and print the result. Knows only ctypes and the request on its standard input.

Run as a script, in a process of its own (`spak.build.nvrtc`): a compiler that crashes or runs away takes nothing with
it. The request is JSON `{library, name, source, options}`; the answer is JSON `{code, error, version, log, cubin,
ptx}`, the
last two in base64. It imports the standard library only and is run by path, so starting it costs a bare interpreter.
"""

from __future__ import annotations

import base64
import ctypes
import json
import sys
from typing import Any


def compile_source(request: dict[str, Any]) -> dict[str, Any]:
    """One NVRTC program from source to log, cubin and PTX. Raises OSError when the library cannot be loaded."""
    nvrtc = ctypes.CDLL(request["library"])
    nvrtc.nvrtcGetErrorString.restype = ctypes.c_char_p
    program = ctypes.c_void_p()
    code = nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), request["source"].encode(), request["name"].encode(), 0, None, None
    )
    if code:
        return {"code": code, "error": nvrtc.nvrtcGetErrorString(code).decode(), "version": _version(nvrtc), "log": ""}
    options = [option.encode() for option in request["options"]]
    code = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    answer: dict[str, Any] = {
        "code": code,
        "error": nvrtc.nvrtcGetErrorString(code).decode() if code else "",
        "version": _version(nvrtc),
        # The log and PTX end with a NUL that is not part of them.
        "log": _get(nvrtc, program, "ProgramLog").rstrip(b"\0").decode(errors="replace"),
    }
    if not code:
        answer["cubin"] = base64.b64encode(_get(nvrtc, program, "CUBIN")).decode()
        answer["ptx"] = base64.b64encode(_get(nvrtc, program, "PTX").rstrip(b"\0")).decode()
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return answer


def _version(nvrtc: ctypes.CDLL) -> str:
    major, minor = ctypes.c_int(), ctypes.c_int()
    nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return f"{major.value}.{minor.value}"


def _get(nvrtc: ctypes.CDLL, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    if getattr(nvrtc, f"nvrtcGet{what}Size")(program, ctypes.byref(size)) or not size.value:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    return b"" if getattr(nvrtc, f"nvrtcGet{what}")(program, buffer) else buffer.raw


if __name__ == "__main__":
    json.dump(compile_source(json.load(sys.stdin)), sys.stdout)
