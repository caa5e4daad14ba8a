"""The machine's measured peaks: what a figure is held against. Knows no kernel.

A small C++ probe, built with the target's own flags, measures multiply-adds and bytes a second of one core. Its results are kept
by environment and by the probe's text.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from spak.digest import digest_fields, sha256_file
from spak.effects import Do, Limits
from spak.errors import Diagnostic, SpakError
from spak.measure.environment import Environment
from spak.measure.exclusive import exclusively
from spak.model.base import canonical_json
from spak.model.target import Target
from spak.store import atomic

PROBE = Path(__file__).with_name("probe.cpp")
#: Above a measured peak by more than this, a result is none: peaks have noise too.
MARGIN = 1.10
RUNS = 8
LOOKS = 3  # apart in time, so that what slows this core down for a moment does not slow down all of them
RUN_SECONDS = 0.003  # as the probe has it


@dataclass(frozen=True, slots=True)
class Peaks:
    """Of one core: operations a second in f32 and f64, and bytes a second over working sets of (bytes, bytes a second)."""

    f32: float
    f64: float
    bandwidth: tuple[tuple[int, float], ...]

    @property
    def memory(self) -> float:
        """Bytes a second of the largest working set, which no cache holds."""
        return self.bandwidth[-1][1]

    def reach(self, working_set: float) -> float:
        """Bytes a second that a working set allows: that of the next smaller one probed, as smaller ones lie nearer."""
        smaller = [index for index, (size, _) in enumerate(self.bandwidth) if size <= working_set]
        return max(rate for _, rate in self.bandwidth[max(smaller, default=0) :])

    def constants(self) -> dict[str, float]:
        """As facts name them: GFLOP/s and TFLOP/s of one core in f32, bytes a second of memory."""
        return {
            "PEAK_GFLOPS": self.f32 / 1e9,
            "PEAK_TFLOPS": self.f32 / 1e12,
            "PEAK_GFLOPS_F64": self.f64 / 1e9,
            "MAX_BW": self.memory,
        }

    def to_json(self) -> dict[str, Any]:
        return {"f32": self.f32, "f64": self.f64, "bandwidth": [list(one) for one in self.bandwidth]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Peaks:
        """What the probe prints. Raises KeyError, TypeError or ValueError for anything else."""
        found = cls(
            float(data["f32"]), float(data["f64"]), tuple((int(size), float(rate)) for size, rate in data["bandwidth"])
        )
        if not found.bandwidth or min(found.f32, found.f64, *(rate for _, rate in found.bandwidth)) <= 0:
            raise ValueError("a peak is not positive")
        return found


@dataclass(frozen=True, slots=True)
class Roofline:
    """What a workload may take at least: `operations` in `dtype`, `moved` bytes at least, over a working set, on `cores`."""

    operations: float
    moved: float
    working_set: float
    dtype: str = "f32"
    cores: int = 1

    def seconds(self, peaks: Peaks) -> float:
        """The least time that the peaks allow; 0 where the spec states no costs."""
        rate = peaks.f64 if self.dtype == "f64" else peaks.f32
        return max(self.operations / rate, self.moved / peaks.reach(self.working_set)) / self.cores

    def percent(self, peaks: Peaks, seconds: float) -> float:
        """Percent of the peak that a time comes to."""
        return 100.0 * self.seconds(peaks) / seconds

    def limit(self, peaks: Peaks) -> str:
        """What the peak is one of: "compute" or "memory"."""
        rate = peaks.f64 if self.dtype == "f64" else peaks.f32
        return "compute" if self.operations / rate >= self.moved / peaks.reach(self.working_set) else "memory"


def measured(
    folder: Path,
    target: Target,
    compiler: str,
    environment: Environment,
    do: Do,
    *,
    again: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Peaks:
    """The peaks of an environment: as kept in `folder`, or measured now. `again` measures in any case and keeps the higher.

    Raises SpakError (SPK657) where the probe does not compile or run.
    """
    path = folder / f"{_key(environment).removeprefix('sha256:')}.json"
    kept = _kept(path)
    if kept is not None and not again:
        return kept
    with tempfile.TemporaryDirectory(prefix="spak-probe-") as place:
        program = _build(Path(place) / "probe", target, compiler, do)
        with exclusively(say):
            looks = [_run(program, do) for _ in range(LOOKS)]
    found = reduce(_higher, looks if kept is None else [kept, *looks])
    atomic.write(path, canonical_json(found.to_json()))
    return found


def _key(environment: Environment) -> str:
    return digest_fields([("environment", "", environment.digest), ("probe", "", sha256_file(PROBE))])


def _kept(path: Path) -> Peaks | None:
    try:
        return Peaks.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(program: Path, target: Target, compiler: str, do: Do) -> Path:
    """Fused multiply-adds are what is measured, so they are allowed whatever the target says of contraction."""
    arch = [f"-march={target.toolchain.arch}"] if target.toolchain.arch else []
    flags = ["-O3", *arch, *target.toolchain.flags, "-ffp-contract=fast", "-Wno-psabi", "-std=c++20"]
    done = do.run([compiler, *flags, str(PROBE), "-o", str(program)], limits=Limits(wall_seconds=120))
    if not done.ok:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise SpakError(
            Diagnostic(
                "SPK657", f"the probe of the machine's peaks does not compile: {done.how}", None, "", tuple(said)
            )
        )
    return program


def _run(program: Path, do: Do) -> Peaks:
    """The parent's clock bounds what the probe claims: it cannot have run for less time than its runs take."""
    began = time.monotonic()
    done = do.run([str(program), str(RUNS)], limits=Limits(wall_seconds=120))
    wall = time.monotonic() - began
    try:
        if not done.ok:
            raise ValueError(done.how)
        found = Peaks.from_json(json.loads(done.stdout))
        least = RUN_SECONDS * RUNS * (2 + 3 * len(found.bandwidth))
        if wall < least:
            raise ValueError(f"it claims at least {least:g} s of measuring and was gone after {wall:.3f} s")
    except (ValueError, KeyError, TypeError) as error:
        hint = "see whether this machine runs code of the target"
        raise SpakError(Diagnostic("SPK657", f"the machine's peaks cannot be measured: {error}", None, hint)) from None
    return found


def _higher(a: Peaks, b: Peaks) -> Peaks:
    sizes = dict(a.bandwidth)
    rates = tuple((size, max(rate, sizes.get(size, 0.0))) for size, rate in b.bandwidth)
    return Peaks(max(a.f32, b.f32), max(a.f64, b.f64), rates)
