"""Run the model tests of the simulator on this machine's GPU too, and compare bit for bit; results go to
`targets/<name>/results/simulator.json`.

Run by `nox -s gpu`. Every launch of tests/sim/test_tensor_*.py and test_async_*.py that the simulator completes is repeated on
the device with the same inputs. Tensor-core sums in f32 and f16, and approximate functions, are compared within the bounds
that <spak/cuda/mma.h> and <spak/cuda/wgmma.h> state. Without a device it says `not measured`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "sim")]

SOURCES = {"tensor_fragments", "tensor_formats", "tensor_wgmma", "async_barriers", "async_copies", "async_tiles"}
# What a machine decides: clocks, numbers of multiprocessors, which lane is elected.
UNCOMPARED = {"specials", "elected"}
# Of the largest magnitude in the output. A sum of k products may be that much smaller than the sum of their magnitudes.
BOUNDS = [
    (re.compile(r"(wg)?mma_(e4m3|e5m2)"), 2.0**-8),
    (re.compile(r"mma_f16_f16"), 2.0**-9),
    (re.compile(r"(wg)?mma_(f16|bf16|tf32)|wgmma_chain"), 2.0**-18),
]
PLACES = re.compile(r"b?f16_approximate")  # f16 and bf16 patterns may differ by this many neighbours
ALLOWED_PLACES = 2


@dataclass
class Tally:
    """What the launches of one kernel have shown."""

    launches: int = 0
    identical: int = 0
    within: int = 0
    worst: float = 0.0
    different: list[str] = field(default_factory=list)


class Comparison:
    """Collects differences. `device_run(source, name, grid, block, arguments, shared, cluster, nonportable)` gives the arrays
    after the kernel on the device, or None where the device has no such kernel."""

    def __init__(self, device_run: Callable[..., list[Any] | None]) -> None:
        self.device_run = device_run
        self.tallies: dict[str, Tally] = {}

    def compare(self, name: str, found: Sequence[Any], wanted: Sequence[Any]) -> None:
        """Device against simulator, for one launch."""
        tally = self.tallies.setdefault(name, Tally())
        tally.launches += 1
        worst, bad = 0.0, ""
        for i, (mine, theirs) in enumerate(zip(found, wanted, strict=True)):
            if mine is None or np.array_equal(bits(mine), bits(theirs)):
                continue
            error, allowed = distance(name, mine, theirs)
            worst = max(worst, error)
            if not error <= allowed:
                at = int(np.flatnonzero(bits(mine) != bits(theirs))[0])
                bad = f"argument {i}: {error:g} beyond {allowed:g}; first at byte {at}"
        tally.worst = max(tally.worst, worst)
        if bad:
            tally.different.append(bad)
        elif worst:
            tally.within += 1
        else:
            tally.identical += 1

    def patch(self, harness: Any, maps: Any, map_type: type[Any]) -> None:
        """Repeat every completed launch of the harness on the device."""
        build, run, encode = harness.build, harness.Kernels.run, maps.encode
        comparison = self

        def tagged(source: Path, flavour: str = "plain", **options: Any) -> Any:
            kernels = build(source, flavour, **options)
            kernels.source = source
            return kernels

        def remembered(
            kind: str, base: int, dims: Any, strides: Any, box: Any, steps: Any = None, **options: Any
        ) -> Any:
            made = encode(kind, base, dims, strides, box, steps, **options)
            item = 2 if kind == "bfloat16" else {"float32_ftz": 4, "tfloat32": 4}.get(kind) or np.dtype(kind).itemsize
            made.recipe = map_type(
                maps.TYPES[kind], base, dims, strides, box, steps or (1,) * len(dims), item,
                options.get("interleave", 0), options.get("swizzle", 0), options.get("l2", 0), options.get("nan", 0),
            )  # fmt: skip
            return made

        def repeated(self: Any, name: str, grid: Any, block: Any, *arguments: Any, **options: Any) -> None:
            source = getattr(self, "source", None)
            known = source is not None and source.stem in SOURCES and self.flavour == "plain" and name not in UNCOMPARED
            known = known and str(options.get("mode", "plain")) == "plain"
            taken = [getattr(a, "recipe", a) for a in arguments]
            before = [
                a.frozen() if isinstance(a, map_type) else a.copy() if isinstance(a, np.ndarray) else a for a in taken
            ]
            run(self, name, grid, block, *arguments, **options)
            if not known:
                return
            after = [a.host() if isinstance(a, map_type) else a for a in taken]
            shape = [harness._triple(value) for value in (grid, block, options.get("cluster", 1))]
            result = comparison.device_run(
                source,
                name,
                shape[0],
                shape[1],
                before,
                options.get("smem", 0),
                shape[2],
                options.get("nonportable", False),
            )
            if result is not None:
                comparison.compare(name, result, after)

        harness.build, maps.encode, harness.Kernels.run = tagged, remembered, repeated

    def rows(self) -> list[dict[str, Any]]:
        """What is recorded of each kernel."""
        return [
            {
                "kernel": name,
                "launches": tally.launches,
                "identical": tally.identical,
                "within_bound": tally.within,
                "worst": tally.worst,
                "different": len(tally.different),
                "examples": tally.different[:3],
            }
            for name, tally in sorted(self.tallies.items())
        ]


def bits(array: Any) -> Any:
    return np.ascontiguousarray(array).view(np.uint8).ravel()


def distance(name: str, mine: Any, theirs: Any) -> tuple[float, float]:
    """(error, the largest that is allowed) of arrays whose bits differ."""
    if PLACES.fullmatch(name):
        order = [
            np.where(x & 0x8000, -(x & 0x7FFF).astype(np.int64), (x & 0x7FFF).astype(np.int64)) for x in (mine, theirs)
        ]
        top = 0x7C00 if name.startswith("f16") else 0x7F80
        nan = [np.abs(x) > top for x in order]
        apart = np.where(nan[0] | nan[1], np.where(nan[0] & nan[1], 0, 1 << 16), np.abs(order[0] - order[1]))
        return float(apart.max()), ALLOWED_PLACES
    allowed = next((bound for pattern, bound in BOUNDS if pattern.match(name)), 0.0)
    if name.startswith("mma_f16_f16"):
        mine, theirs = mine.view(np.float16), theirs.view(np.float16)
    if mine.dtype.kind != "f":
        return float("inf"), allowed
    same = (mine == theirs) | (np.isnan(mine) & np.isnan(theirs))
    wrong = ~same & ~(np.isfinite(mine) & np.isfinite(theirs))
    if wrong.any():
        return float("inf"), allowed
    finite = np.where(same, 0, mine.astype(np.float64) - theirs)
    scale = float(np.abs(np.where(np.isfinite(theirs), theirs, 0)).max()) or 1.0
    return float(np.abs(finite).max()) / scale, allowed


def measure(test_file: str, out: Path) -> int:
    """Run one file of tests, each launch on the device too; what was found goes to `out`."""
    import async_maps
    import device as devices
    import pytest
    import sim_harness
    from spak.runtime.cuda import Driver

    board = Driver().device()
    modules: dict[Path, devices.Module] = {}

    def run(source: Path, name: str, *rest: Any) -> list[Any] | None:
        if source not in modules:
            modules[source] = devices.Module(board, source, sim_harness.toolkit(), [sim_harness.CSRC / "include"])
        return modules[source].run(name, *rest) if modules[source].has(name) else None

    comparison = Comparison(run)
    comparison.patch(sim_harness, async_maps, devices.TensorMap)
    failed = int(pytest.main(["-q", "-n0", "-p", "no:cacheprovider", test_file]))
    out.write_text(json.dumps({"arch": devices.architecture(board), "kernels": comparison.rows()}))
    return failed


def main() -> int:
    """Exit status 0 if nothing differed, or nothing could be measured."""
    from spak.verify import gpu

    why = gpu.missing()
    if why:
        print(f"simulator against GPU: not measured ({why})")
        return 0
    from record import environment
    from spak.model.base import canonical_json

    rows: list[dict[str, Any]] = []
    arch, failed = "", 0
    with tempfile.TemporaryDirectory() as folder:
        # A process for each file: every simulated module takes its share of the little static thread-local storage there is.
        for pattern in ("test_tensor_*.py", "test_async_*.py"):
            for path in sorted((ROOT / "tests" / "sim").glob(pattern)):
                out = Path(folder) / f"{path.stem}.json"
                failed |= subprocess.run(
                    [sys.executable, __file__, str(path), str(out)], check=False, cwd=ROOT
                ).returncode
                if out.exists():
                    said = json.loads(out.read_text())
                    arch, rows = said["arch"], [*rows, *said["kernels"]]
    report = {"kernels": rows, "uncompared": sorted(UNCOMPARED)}
    for path in sorted((ROOT / "targets").glob("*.toml")):
        if re.search(rf'^arch = "{arch}"$', path.read_text(), re.M):
            out = ROOT / "targets" / path.stem / "results" / "simulator.json"
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(canonical_json({"environment": environment(), **report}))
            print(out.relative_to(ROOT))
    different = [row for row in rows if row["different"]]
    for row in different:
        print(f"{row['kernel']}: {row['different']} of {row['launches']} launches differ: {row['examples'][0]}")
    print(f"simulator against GPU: {len(rows)} kernels compared, {len(different)} differ")
    return 1 if failed or different or not rows else 0


if __name__ == "__main__":
    sys.exit(measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) == 3 else main())
