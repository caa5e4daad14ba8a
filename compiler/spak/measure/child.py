"""The timed process: calls built modules on shared arrays and reads the clock round them. Knows neither results nor verdicts.

Run as `python -m spak.measure.child FD`: one JSON job a line on standard input, one answer a line. It is not trusted: the parent
holds what it claims against clocks of its own, and looks at every result itself.
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import sys
import time
from typing import Any


def _function(path: str, unit: str) -> Any:
    from spak.runtime.module import load_module

    return getattr(load_module(path), unit)


#: Formats that NumPy has; its arrays are taken faster than ours, and what is measured is the kernel.
NATIVE = {"f64": "f8", "f32": "f4", "f16": "f2", "i32": "i4", "i8": "i1", "u8": "u1", "bool": "?"}


def _arguments(job: dict[str, Any], base: int, memory: mmap.mmap) -> tuple[list[Any], list[Any]]:
    import numpy as np

    from spak.runtime.raw import RawTensor

    def tensor(arg: dict[str, Any]) -> Any:
        shape, strides = tuple(arg["shape"]), tuple(arg["strides"])
        if arg["dtype"] not in NATIVE:
            return RawTensor(base + arg["at"], shape, arg["dtype"], strides=strides)
        kind = np.dtype(NATIVE[arg["dtype"]])
        return np.ndarray(shape, kind, memory, arg["at"], tuple(step * kind.itemsize for step in strides))

    values = [tensor(arg) if "at" in arg else arg["value"] for arg in job["params"]]
    outs = [tuple(tensor(arg) for arg in buffer) for buffer in job["outs"]]
    return values, [out if len(out) > 1 else out[0] for out in outs]


def _run(function: Any, values: list[Any], outs: list[Any]) -> int:
    """Nanoseconds that the calls take together, one for each of `outs`."""
    clock = time.perf_counter_ns
    began = clock()
    for out in outs:
        function(*values, out=out)
    return clock() - began


def main() -> None:
    """Serve jobs until standard input ends."""
    import ctypes

    import numpy  # noqa: F401  (now: once shut in, it could not be loaded)

    from spak.effects.sandbox import confine

    jobs = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    fd = int(sys.argv[1])
    memory = mmap.mmap(fd, os.fstat(fd).st_size)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    held = confine()
    print(json.dumps({"sandbox": held}), file=answers, flush=True)
    functions: list[Any] = []
    values: list[Any] = []
    outs: list[Any] = []
    gc.disable()
    for line in jobs:
        job = json.loads(line)
        answer: dict[str, Any]
        try:
            if job["op"] == "load":
                functions.append(_function(job["module"], job["unit"]))
                answer = {"ok": True}
            elif job["op"] == "arrays":
                values, outs = _arguments(job, base, memory)
                answer = {"ok": True}
            elif job["op"] == "own":
                for at, size in job["spans"]:
                    ctypes.memset(base + at, job["poison"], size)
                answer = {"ok": True}
            else:
                answer = {"ok": True, "ns": _run(functions[job["arm"]], values, outs[: job["calls"]])}
        except Exception as error:  # a module's exceptions are its answer
            answer = {"ok": False, "raised": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
