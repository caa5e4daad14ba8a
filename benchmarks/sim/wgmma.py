"""CPU seconds of a TMA + mbarrier + wgmma product on the simulator, beside a plain -O3 loop, in one run.

Run with `python benchmarks/sim/wgmma.py [SIZE]`. One worker; the variants take turns; medians of five.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "sim"))

import async_maps
import sim_harness

LOOP = """
extern "C" void product(const float* a, const float* b, float* c, long n) {
  for (long i = 0; i < n; ++i)
    for (long j = 0; j < n; ++j) {
      float sum = 0;
      for (long k = 0; k < n; ++k) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
}
"""


def seconds(work: Callable[[], None]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def loop(folder: Path) -> ctypes.CDLL:
    """The plain product, compiled with -O3 alone."""
    (folder / "loop.cpp").write_text(LOOP)
    library = folder / "loop.so"
    subprocess.run(["g++", "-O3", "-shared", "-fPIC", str(folder / "loop.cpp"), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def bf16(x: np.ndarray) -> np.ndarray:
    """Bit patterns of numbers that bf16 holds exactly."""
    return (x.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def main(size: int = 512) -> None:
    source = Path(__file__).with_name("wgmma_gemm.cu")
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-8, 9, (size, size)).astype(np.float32) for _ in range(2))
    c = np.zeros((size, size), np.float32)
    memory = [async_maps.aligned(2 * size * size) for _ in range(2)]
    maps = []
    for at, matrix in zip(memory, (a, b.T), strict=True):
        at[:] = np.ascontiguousarray(bf16(matrix)).view(np.uint8).ravel()
        maps.append(async_maps.encode("bfloat16", at.ctypes.data, (size, size), (2 * size,), (64, 128), swizzle=3))

    def run(kernels: sim_harness.Kernels, **env: str) -> None:
        c[:] = np.nan
        regions = {"a": memory[0], "b": memory[1], "c": c}
        grid = (size // 128, size // 128)
        kernels.run("wgmma_gemm", grid, 384, *maps, c, size, size, smem=3 * 32768, threads=1, regions=regions, **env)

    plain, checked = sim_harness.build(source), sim_harness.build(source, "instrumented")
    with tempfile.TemporaryDirectory() as folder:
        product = loop(Path(folder)).product
    d = np.zeros_like(a)
    cases: dict[str, Callable[[], None]] = {
        "plain -O3 ijk loop, f32": lambda: product(
            *(ctypes.c_void_p(x.ctypes.data) for x in (a, b, d)), ctypes.c_long(size)
        ),
        "wgmma, mode plain": lambda: run(plain),
        "wgmma, mode check, lazy": lambda: run(checked, mode="check", completion="lazy"),
        "wgmma, mode check, eager": lambda: run(checked, mode="check", completion="eager"),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(5):
        for name, work in cases.items():
            times[name].append(seconds(work))
            if name.startswith("wgmma"):
                np.testing.assert_array_equal(c, a @ b)
    found = checked.findings()
    assert not found, found
    base = float(np.median(times["plain -O3 ijk loop, f32"]))
    print(f"{size}^3, CPU seconds of one worker")
    for name, values in times.items():
        print(f"{name:28} {float(np.median(values)):8.3f}   {float(np.median(values)) / base:6.2f} of the loop")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
