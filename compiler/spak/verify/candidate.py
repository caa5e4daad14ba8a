"""The candidate's process: calls a built module on arrays that the parent laid out. Knows neither results nor verdicts.

Run as `python -m spak.verify.candidate FD [--bubblewrap] [--cuda] [--results FD]`: one JSON job a line on standard
input, one answer a line. What the module prints goes nowhere near the answers. It is not trusted: what it says
decides nothing but whether the call returned.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from typing import Any

from spak.effects.sandbox import confine

_PROT_NONE, _PROT_RW, _MAP_SHARED = 0, 3, 1
_M_PERTURB = -6
_MOST_SAID = 1 << 19


class Memory:
    """The arena, mapped once at one address for the life of the process: equal offsets are equal pointers."""

    def __init__(self, fd: int) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.mmap.restype = ctypes.c_void_p
        self.libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
        self.libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self.fd, self.size = fd, os.fstat(fd).st_size
        address = self.libc.mmap(None, self.size, _PROT_RW, _MAP_SHARED, fd, 0)
        if address in (None, ctypes.c_void_p(-1).value):
            raise OSError(ctypes.get_errno(), "the arena cannot be mapped")
        self.base = int(address)

    def guard(self, ranges: list[list[int]], protection: int) -> None:
        for offset, length in ranges:
            self.libc.mprotect(self.base + offset, length, protection)


def call(job: dict[str, Any], memory: Memory, modules: dict[str, Any]) -> dict[str, Any]:
    """One call. Exceptions of the module are its answer."""
    for name, value in job["env"].items():
        os.environ[name] = value
    for name in job["unset"]:
        os.environ.pop(name, None)
    memory.libc.mallopt(
        _M_PERTURB, job["perturb"]
    )  # what malloc gives differs from run to run: workspaces left as they come show
    try:
        function = _function(job, modules)
    except Exception as error:
        return {"ok": False, "load": f"{type(error).__name__}: {error}"}
    memory.guard(job["guards"], _PROT_NONE)
    answer: dict[str, Any] = {"ok": True}
    try:
        if job.get("large"):
            from spak.verify.sparse import call_large

            call_large(function, job, memory.libc, memory.fd, int(sys.argv[sys.argv.index("--results") + 1]))
        elif job["device"] == "cuda":
            from spak.verify.gpu import call_on_device

            call_on_device(function, job, memory.base)
        else:
            _call_on_host(function, job, memory.base)
    except Exception as error:
        answer = {"ok": False, "raised": _placed(f"{type(error).__name__}: {error}", memory)}
    finally:
        memory.guard(job["guards"], _PROT_RW)
    return {**answer, **_reports(modules[job["module"]], memory)}


def _reports(module: Any, memory: Memory) -> dict[str, str]:
    """What the simulator found and counted in the call, where it is one and there is anything."""
    said = {}
    for name in ("findings", "counters"):
        take = getattr(module, f"__spak_{name}__", None)
        text = take() if take else "[]"
        if text != "[]":
            said[name] = _named(text, memory) if len(text) < _MOST_SAID else f"{len(text)} bytes of {name}"
    return said


def _named(text: str, memory: Memory) -> str:
    """A report with the addresses in its words made offsets; what stands under `pc` is an offset into the module."""

    def words(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {k: words(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [words(v, key) for v in value]
        return _placed(value, memory) if isinstance(value, str) and key != "pc" else value

    return json.dumps(words(json.loads(text), ""))


def _placed(text: str, memory: Memory) -> str:
    """A message with addresses made offsets into the arena, which the parent can name; others differ from run to
    run.
    """

    def offset(match: re.Match[str]) -> str:
        where = int(match.group(), 16) - memory.base
        return f"<arena {where}>" if 0 <= where < memory.size else "an address"

    return re.sub(r"0x[0-9a-f]{9,}", offset, text)  # what is shorter is a mask or an offset


def _function(job: dict[str, Any], modules: dict[str, Any]) -> Any:
    from spak.runtime.module import load_module

    if job["module"] not in modules:
        modules[job["module"]] = load_module(job["module"])
    return getattr(modules[job["module"]], job["unit"])


def _call_on_host(function: Any, job: dict[str, Any], base: int) -> None:
    from spak.runtime.raw import RawTensor

    def tensor(arg: dict[str, Any]) -> RawTensor:
        return RawTensor(base + arg["at"], tuple(arg["shape"]), arg["dtype"], strides=tuple(arg["strides"]))

    values = [tensor(arg) if "at" in arg else arg["value"] for arg in job["params"]]
    outs = tuple(tensor(arg) for arg in job["results"])
    function(*values, out=outs if len(outs) > 1 else outs[0])


def main() -> None:
    """Serve calls until standard input ends."""
    jobs = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    memory = Memory(int(sys.argv[1]))
    devices = "--cuda" in sys.argv
    held = confine(inside_bubblewrap="--bubblewrap" in sys.argv, devices=devices)
    print(json.dumps({"sandbox": held}), file=answers, flush=True)
    modules: dict[str, Any] = {}
    for line in jobs:
        print(json.dumps(call(json.loads(line), memory, modules)), file=answers, flush=True)


if __name__ == "__main__":
    main()
