"""The built f32 matrix product on one CPU thread, as a ratio to NumPy's BLAS in the same run. Knows no compiler stage.

Run it in a project whose `matmul` was built for `cpu`:

    python benchmarks/matmul_cpu.py [--size 1024] [--rounds 15] [--json]

Each round times BLAS, candidate, candidate, BLAS (ABBA), so that a drift of the clock falls on both arms alike; a BLAS
against BLAS arm in the same order is the noise floor. Ratios are BLAS time over candidate time, paired within a round:
1.0 is as fast as BLAS. Inputs are random, the output is poisoned before every timed call and checked after it. What is
measured is the processor time of the one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Read when NumPy loads its BLAS, so they are set before that import.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402
import spak  # noqa: E402

Arm = Callable[[], None]


def time_of(arm: Arm) -> float:
    start = time.thread_time()
    arm()
    return time.thread_time() - start


def paired(baseline: Arm, candidate: Arm, rounds: int, before: Arm, after: Arm) -> dict[str, Any]:
    """Times in ABBA order; the ratio baseline / candidate as a median with its 95 % bootstrap interval."""
    times: dict[str, list[float]] = {"baseline": [], "candidate": []}
    for _ in range(rounds):
        pair: dict[str, list[float]] = {"baseline": [], "candidate": []}
        for name in ("baseline", "candidate", "candidate", "baseline"):
            arm = baseline if name == "baseline" else candidate
            before()
            pair[name].append(time_of(arm))
            if name == "candidate":
                after()
        for name, values in pair.items():
            times[name].append(sum(values) / 2)
    ratios = np.array(times["baseline"]) / np.array(times["candidate"])
    draws = np.random.default_rng(0).choice(ratios, size=(2000, rounds))
    low, high = np.quantile(np.median(draws, axis=1), [0.025, 0.975])
    return {
        "baseline_ms": 1e3 * float(np.median(times["baseline"])),
        "candidate_ms": 1e3 * float(np.median(times["candidate"])),
        "ratio": float(np.median(ratios)),
        "interval": [float(low), float(high)],
    }


def measure(size: int, rounds: int) -> dict[str, Any]:
    """Every arm at size^3. Raises SystemExit when a result is wrong: a wrong kernel has no speed."""
    rng = np.random.default_rng(20_240_601)
    a, b = (rng.standard_normal((size, size), dtype=np.float32) for _ in range(2))
    exact = a.astype(np.float64) @ b.astype(np.float64)
    # The error of a sum of `size` products of normal numbers, with room for any order of summation.
    bound = 4.0 * np.sqrt(size) * 2.0**-24 * (np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64))
    out, expected = np.empty((size, size), np.float32), np.empty((size, size), np.float32)

    def poison() -> None:
        out.fill(np.nan)

    def blas() -> None:
        np.matmul(a, b, out=out)

    report: dict[str, Any] = {"size": size, "rounds": rounds, "gflop": 2e-9 * size**3, "arms": {}}
    for name in ("blas", "tiled", "naive"):
        if name == "blas":
            candidate: Arm = blas
        else:
            kernel = spak.load("matmul", target="cpu", variant=name)

            def candidate(kernel: Any = kernel) -> None:
                kernel(a, b, out=out)

        poison()
        candidate()
        if not (np.abs(out - exact) <= bound).all():
            raise SystemExit(f"matmul.{name}@cpu: the result is wrong")
        expected[...] = out

        def check(name: str = name) -> None:
            if not np.array_equal(out, expected):
                raise SystemExit(f"matmul.{name}@cpu: a timed call gave another result")

        for _ in range(3):
            blas()
        arm = paired(blas, candidate, rounds, poison, check)
        report["arms"][name] = {**arm, "max_error": float(np.abs(expected - exact).max())}
    return report


def environment() -> dict[str, str]:
    """What the figures hold for, and nothing beyond."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    config: Any = np.show_config(mode="dicts")  # type: ignore[call-overload]
    blas = config["Build Dependencies"]["blas"]
    return {
        "processor": model[0] if model else platform.processor(),
        "cpus": str(os.cpu_count()),
        "load": " ".join(f"{x:.2f}" for x in os.getloadavg()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas['name']} {blas['version']}",
        "threads": "1",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    report = {"environment": environment(), **measure(options.size, options.rounds)}
    if options.json:
        json.dump(report, sys.stdout, indent=2, sort_keys=True)
        print()
        return
    for name, value in report["environment"].items():
        print(f"{name:>10}  {value}")
    print(f"\nf32 matrix product, {options.size}^3, one thread, {options.rounds} rounds; ratio = BLAS / kernel time")
    print(f"{'arm':>14} {'ms':>9} {'GFLOP/s':>9} {'ratio':>7}  95 % interval   max error")
    for name, arm in report["arms"].items():
        title = "blas (A/A)" if name == "blas" else name
        low, high = arm["interval"]
        rate = report["gflop"] / arm["candidate_ms"] * 1e3
        figures = f"{arm['candidate_ms']:9.2f} {rate:9.1f} {arm['ratio']:7.3f}  {low:.3f} .. {high:.3f}"
        print(f"{title:>14} {figures}  {arm['max_error']:.2e}")


if __name__ == "__main__":
    main()
