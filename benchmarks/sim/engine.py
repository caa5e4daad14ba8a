"""Speed of the simulator's engine: barriers, shuffles, a tiled matrix product in every mode, workers, numba's simulator.

Run with `python benchmarks/sim/engine.py [SIZE]`. CPU seconds of one worker, medians, every ratio within this one run;
the wgmma rows of benchmarks/sim/wgmma.py follow. On a busy machine look at two workers' CPU, not at their wall clock.
numba's `cudasim` runs where numba is installed (`pip install numba`).
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests" / "sim"), str(HERE.parents[1] / "compiler")]

import sim_harness  # noqa: E402
import wgmma  # noqa: E402

ROUNDS = 2000
NUMBA = """
import os, sys, time
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
import numpy as np
from numba import cuda, float32
n = int(sys.argv[1])
@cuda.jit
def matmul(a, b, c):
    ta = cuda.shared.array((16, 16), float32)
    tb = cuda.shared.array((16, 16), float32)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    row, column = cuda.blockIdx.y * 16 + ty, cuda.blockIdx.x * 16 + tx
    total = float32(0.0)
    for k in range(0, n, 16):
        ta[ty, tx] = a[row, k + tx]
        tb[ty, tx] = b[k + ty, column]
        cuda.syncthreads()
        for i in range(16):
            total += ta[ty, i] * tb[i, tx]
        cuda.syncthreads()
    c[row, column] = total
a, b = (np.random.default_rng(i).standard_normal((n, n)).astype(np.float32) for i in range(2))
c = np.zeros((n, n), np.float32)
start = time.process_time()
matmul[(n // 16, n // 16), (16, 16)](a, b, c)
print(time.process_time() - start)
np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-3)
"""


def seconds(work: Callable[[], object], repeat: int = 5, clock: Callable[[], float] = time.process_time) -> float:
    """Of one call: the median of `repeat`, after one that warms up."""
    work()
    times = []
    for _ in range(repeat):
        start = clock()
        work()
        times.append(clock() - start)
    return float(np.median(times))


def row(label: str, value: float, unit: str, note: str = "") -> None:
    print(f"{label:58} {value:10.4g} {unit:4} {note}", flush=True)


def matmul(kernels: sim_harness.Kernels, n: int, **settings: object) -> Callable[[], None]:
    """Runs the tiled product of two random matrices once, and says so if it is wrong."""
    a, b = (np.random.default_rng(i).standard_normal((n, n)).astype(np.float32) for i in range(2))
    c, want = np.zeros((n, n), np.float32), a @ b

    def run() -> None:
        kernels.run("matmul", (n // 16, n // 16), (16, 16), a, b, c, n, **settings)
        np.testing.assert_allclose(c, want, rtol=1e-3, atol=1e-2)

    return run


def numba_seconds(n: int) -> float | None:
    """One product in numba's simulator, in a process of its own."""
    if importlib.util.find_spec("numba") is None:
        return None
    done = subprocess.run([sys.executable, "-c", NUMBA, str(n)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Print all rows."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    plain = sim_harness.build(HERE / "engine.cu", flags=["-Wno-error"])
    portable = sim_harness.build(
        HERE / "engine.cu",
        flags=["-Wno-error"],
        engine_flags=["-DSPAK_SIM_UCONTEXT=1"],
        parts=["engine", "check", "profile"],
    )
    checked = sim_harness.build(HERE / "engine.cu", "instrumented", flags=["-Wno-error"])
    out = np.zeros(1024, np.float32)
    for threads in (32, 256, 1024):
        took = seconds(lambda: plain.run("barriers", 1, threads, ROUNDS, threads=1))  # noqa: B023
        row(f"__syncthreads, {threads} threads", took * 1e9 / ROUNDS / threads, "ns", "a thread")
    took = seconds(lambda: portable.run("barriers", 1, 256, ROUNDS // 10, threads=1))
    row("the same with ucontext, 256 threads", took * 1e10 / ROUNDS / 256, "ns", "a thread")
    took = seconds(lambda: plain.run("shuffles", 1, 256, out, ROUNDS, threads=1))
    row("__shfl_xor_sync, 256 threads", took * 1e9 / ROUNDS / 256, "ns", "a thread")
    took = seconds(lambda: [plain.run("empty", 1, 32, out, threads=1) for _ in range(100)])
    row("launch of one empty block", took * 1e4, "us")
    took = seconds(lambda: plain.run("empty", 4096, 256, out, threads=1))
    row("an empty thread, 4096 blocks of 256", took * 1e9 / 4096 / 256, "ns")

    arrays = [np.ones((n, n), np.float32) for _ in range(3)]
    addresses = [ctypes.c_void_p(x.ctypes.data) for x in arrays]
    with tempfile.TemporaryDirectory() as folder:
        product = wgmma.loop(Path(folder)).product
        loop = seconds(lambda: product(*addresses, ctypes.c_long(n)), 3)
    row(f"plain -O3 ijk loop, {n}^3", loop, "s")
    mine = seconds(matmul(plain, n, threads=1), 3)
    row(f"tiled matmul {n}^3, plain", mine, "s", f"{mine / loop:.2f} of the loop (goal: 3)")
    took = seconds(matmul(checked, n, mode="check"), 1)
    row(f"tiled matmul {n}^3, check", took, "s", f"{took / mine:.1f} of plain (goal: 20)")
    took = seconds(matmul(checked, n // 2, mode="profile"), 1)
    row(f"tiled matmul {n // 2}^3, profile", took, "s")
    if len(os.sched_getaffinity(0)) > 1:
        for what, clock in (("wall clock", time.perf_counter), ("CPU of both", time.process_time)):
            one, two = (seconds(matmul(plain, n, threads=t), 3, clock) for t in (1, 2))
            speed = one / two if clock is time.perf_counter else 2 * one / two
            row(f"tiled matmul {n}^3, two workers ({what})", two, "s", f"{speed:.2f} times one (goal: 1.7)")
    theirs = numba_seconds(64)
    if theirs is None:
        print("numba's cudasim: not measured; pip install numba")
    else:
        ours = seconds(matmul(plain, 64, threads=1))
        row("tiled matmul 64^3, numba's cudasim", theirs, "s", f"{theirs / ours:.0f} times ours (goal: 3000)")
    if len(sys.argv) == 1:
        print(flush=True)
        wgmma.main()


if __name__ == "__main__":
    main()
