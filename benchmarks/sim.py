"""Speed of the simulator: barriers, shuffles, a matrix product, compile time; against the same engine on ucontext.

Run with `PYTHONPATH=compiler:tests/sim python benchmarks/sim.py`. Every ratio is taken within this
one run, on one core, with the variants taking turns.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "sim"))

import sim_harness

BARRIERS = 1000
SOURCE = """#include <spak/cuda/all.h>
extern "C" __global__ void barriers(long long n) { for (long long i = 0; i < n; ++i) __syncthreads(); }
extern "C" __global__ void shuffles(float* out, long long n) {
  float v = threadIdx.x;
  for (long long i = 0; i < n; ++i) v = __shfl_xor_sync(0xFFFFFFFFu, v, 1);
  out[threadIdx.x] = v;
}
extern "C" __global__ void empty(float* out) { out[0] = 1.0f; }
""" + (sim_harness.ROOT / "tests" / "sim" / "kernels" / "programs.cu").read_text()


def build(folder: Path, *flags: str) -> sim_harness.Kernels:
    """The engine and the kernels with extra flags for the engine."""
    folder.mkdir()
    (folder / "bench.cu").write_text(SOURCE)
    return sim_harness.build(folder / "bench.cu", folder, sim_harness.compile_engine(folder, *flags))


def seconds(work: Callable[[], None], repeat: int) -> float:
    """CPU seconds of one call: the median of `repeat`."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return float(np.median(times))


def compile_seconds(folder: Path, objects: list[Path], text: str) -> float:
    """CPU seconds of g++ on one kernel file with its launcher, compiled and linked."""
    source = folder / "one.cu"
    source.write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    sim_harness.build(source, folder, objects)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own, slow = build(folder / "own"), build(folder / "ucontext", "-DSPAK_SIM_UCONTEXT=1")
        a, b = (np.random.default_rng(0).standard_normal((256, 256)).astype(np.float32) for _ in range(2))
        c, out = np.zeros((256, 256), np.float32), np.zeros(1024, np.float32)
        cases = {
            "barrier, 256 threads (ns a thread)": (
                lambda k: k.run("barriers", 1, 256, BARRIERS, threads=1), 1e9 / BARRIERS / 256),
            "barrier, 1024 threads (ns a thread)": (
                lambda k: k.run("barriers", 1, 1024, BARRIERS, threads=1), 1e9 / BARRIERS / 1024),
            "shuffle, 256 threads (ns a thread)": (
                lambda k: k.run("shuffles", 1, 256, out, BARRIERS, threads=1), 1e9 / BARRIERS / 256),
            "matmul f32 256^3, tiles of 16 (s)": (
                lambda k: k.run("matmul", (16, 16), (16, 16), a, b, c, 256, 256, 256, threads=1), 1.0),
            "empty kernel, 1 block of 32 (us a launch)": (
                lambda k: [k.run("empty", 1, 32, out, threads=1) for _ in range(100)], 1e4),
            "empty kernel, 4096 blocks of 256 (ns a thread)": (
                lambda k: k.run("empty", 4096, 256, out, threads=1), 1e9 / 4096 / 256),
        }  # fmt: skip
        print(f"{'':48} {'own':>9} {'ucontext':>9} {'ratio':>7}")
        for label, (work, scale) in cases.items():
            for kernels in (own, slow):
                work(kernels)  # map the stacks
            mine, theirs = [], []
            for _ in range(5):
                mine.append(seconds(lambda: work(own), 1) * scale)  # noqa: B023
                theirs.append(seconds(lambda: work(slow), 1) * scale)  # noqa: B023
            first, second = float(np.median(mine)), float(np.median(theirs))
            print(f"{label:48} {first:9.4g} {second:9.4g} {second / first:7.2f}")
        np.testing.assert_allclose(c, a @ b, rtol=1e-3, atol=1e-3)
        objects = sorted((folder / "own").glob("*.o"))
        plain = 'extern "C" __global__ void k(float* x) { x[threadIdx.x] = 1.0f; }\n'
        for label, text in [
            ("no include", plain),
            ("<spak/cuda/block.h>", "#include <spak/cuda/block.h>\n" + plain),
            ("<spak/cuda/all.h>", "#include <spak/cuda/all.h>\n" + plain),
        ]:
            print(f"{'compile one kernel, ' + label + ' (CPU s)':48} {compile_seconds(folder, objects, text):9.3g}")


def exit_if_missing() -> None:
    """Say what is missing instead of failing inside a compiler."""
    if subprocess.run(["g++", "--version"], capture_output=True).returncode:
        sys.exit("g++ is needed")


if __name__ == "__main__":
    exit_if_missing()
    main()
