"""Benches: a unit's verified kernels timed against each other, with the environment and percent of peak. Knows no search."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.effects import Effects
from spak.errors import Diagnostic, SpakError, Span
from spak.measure.bench import Arm, Bench
from spak.measure.bench import bench as time_modules
from spak.measure.environment import Environment, here
from spak.measure.exclusive import exclusively
from spak.measure.peaks import MARGIN, Peaks
from spak.measure.peaks import measured as measured_peaks
from spak.model.statistics import interval
from spak.model.target import Target
from spak.pipeline.measuring.bed import Bed, Built
from spak.pipeline.measuring.workloads import Posed, pose
from spak.semantics.suggest import near

Say = Callable[[str], None]
SEED = 1


@dataclass(slots=True)
class Ground:
    """What figures stand on: the environment and its measured peaks, which are looked at again where a figure exceeds them."""

    root: Path
    target: Target
    compiler: str
    environment: Environment
    peaks: Peaks

    @classmethod
    def of(cls, root: Path, target: Target, say: Say) -> Ground:
        """Find out where we are. Raises SpakError where there is no compiler or the peaks cannot be measured."""
        from spak.build.gcc import find

        do = Effects()
        compiler, version = find(target.toolchain.compiler, do)
        environment = here(target, compiler, version)
        return cls(
            root,
            target,
            compiler,
            environment,
            measured_peaks(_folder(root), target, compiler, environment, do, say=say),
        )

    def hold(self, arm: Arm, posed: Posed, say: Say = lambda text: None) -> None:
        """Before a figure is said to exceed the peaks: the higher of then and now."""
        if not arm.why and posed.roofline.percent(self.peaks, arm.median) > 100 * MARGIN:
            self.peaks = measured_peaks(
                _folder(self.root), self.target, self.compiler, self.environment, Effects(), again=True, say=say
            )


def _folder(root: Path) -> Path:
    return root / ".spak" / "measure" / "peaks"


def constants(root: Path, target: Target, say: Say = lambda text: None) -> dict[str, float]:
    """PEAK_GFLOPS, PEAK_TFLOPS, PEAK_GFLOPS_F64 and MAX_BW of a target that runs here, measured; none of any other."""
    if target.device != "cpu" or target.toolchain.engine != "host":
        return {}
    return Ground.of(root, target, say).peaks.constants()


def bench(
    root: Path,
    unit: str,
    variant: str = "",
    target: str = "",
    shapes: Sequence[Mapping[str, int]] = (),
    params: Mapping[str, Any] | None = None,
    repeats: int = 0,
    *,
    say: Say = lambda text: None,
    timeout: float = 60.0,
) -> dict[str, Any]:
    """Time a variant against the first rung of its ladder, or, where none is named, every rung.

    `target` '' is the first that can be timed here. In what is returned, JSON-able data, `rungs` has an entry a variant with one
    a shape; the figures of the variant asked for (else of the last) stand on top, as geometric means over the shapes. Raises
    SpakError where something is not there, not verified or not measurable.
    """
    shapes = [whole(shape) for shape in shapes]
    with Bed(root, unit, target, say) as bed:
        if variant:
            bed.variant(variant)
        wanted = [variant] if variant else list(bed.variants)
        first = bed.variants[0]
        ladder = bed.build([first, *(name for name in wanted if name != first)])
        if params:
            ladder = [ladder[0], _with_params(bed, wanted[-1], params)]
        ground = Ground.of(root, bed.target, say)
        rungs = measure(
            bed, ladder, shapes or [{}], ground, rounds=max(repeats, 3) if repeats else 0, timeout=timeout, say=say
        )
    last = rungs[-1]
    return {
        "unit": unit,
        "target": ground.target.name,
        "diagnostics": [],
        **{name: value for name, value in last.items() if name != "shapes"},
        "environment": ground.environment.to_json(),
        "environment_digest": ground.environment.digest,
        "peaks": ground.peaks.to_json(),
        "rungs": rungs,
    }


def measure(
    bed: Bed,
    ladder: Sequence[Built],
    shapes: Sequence[Mapping[str, int]],
    ground: Ground,
    *,
    rounds: int,
    timeout: float,
    say: Say,
) -> list[dict[str, Any]]:
    """Figures of each module, the first being the baseline, over all shapes."""
    cores = len(os.sched_getaffinity(0)) if bed.unit.openmp else 1
    times: list[tuple[Posed, Bench]] = []
    for axes in shapes:
        posed = pose(bed.unit, ladder[0].variant, ladder[0].params, axes, SEED, cores)
        done = timed([one.module for one in ladder], posed, ground, rounds=rounds, timeout=timeout, say=say)
        for arm in done.arms:
            ground.hold(arm, posed, say)
        times.append((posed, done))
    rungs = []
    for index, one in enumerate(ladder):  # only now: all are percentages of the same peaks
        table = [figures(done.arms[index], posed, ground, done) for posed, done in times]
        about = {"variant": one.variant, "params": dict(one.params), "module": one.digest}
        rungs.append({**about, **summary(table), "shapes": table})
    return rungs


def timed(modules: Sequence[str], posed: Posed, ground: Ground, *, rounds: int, timeout: float, say: Say) -> Bench:
    """Time modules on one workload, alone on this machine."""
    core = max(os.sched_getaffinity(0)) if posed.roofline.cores == 1 else -1
    with exclusively(say):
        return time_modules(modules, posed.workload, rounds=rounds, timeout=timeout, core=core)


def figures(arm: Arm, posed: Posed, ground: Ground, done: Bench) -> dict[str, Any]:
    """The figures of one module on one workload, `why` in their place where it has none. What is above the peak is none."""
    about = {"shape": dict(posed.axes), "workload": posed.workload.text}
    if arm.why:
        return {**about, "ok": False, "why": arm.why}
    ground.hold(arm, posed)
    peaks = ground.peaks
    percent = posed.roofline.percent(peaks, arm.median)
    if percent > 100 * MARGIN:
        why = f"{percent:.0f} % of this machine's measured {posed.roofline.limit(peaks)} peak: a result above the peak is none"
        return {**about, "ok": False, "why": why}
    low, high = interval(arm.seconds)
    found: dict[str, Any] = {
        **about,
        "ok": True,
        "seconds": arm.median,
        "seconds_low": low,
        "seconds_high": high,
        **_rates(arm.median, posed, percent, peaks),
        "noise": done.noise,
        "rounds": done.rounds,
        "calls": done.calls,
    }
    if arm.against is not None:
        found |= arm.against.to_json()
        found["ratios"] = list(arm.against.ratios)
    return found


def _rates(seconds: float, posed: Posed, percent: float, peaks: Peaks) -> dict[str, Any]:
    """What follows from a time by the costs that the spec states; nothing from one that it does not."""
    found: dict[str, Any] = {"gflops": posed.operations / seconds / 1e9} if posed.operations else {}
    if posed.moved:
        found["gbytes"] = posed.moved / seconds / 1e9
    return found | {"percent_of_peak": percent, "limit": posed.roofline.limit(peaks)} if found else {}


def summary(table: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over all shapes: geometric means, the worst noise, the verdict where all agree. `ok` only if every shape has figures."""
    wrong = next((row for row in table if not row["ok"]), None)
    if wrong is not None:
        return {"ok": False, "why": wrong["why"]}
    found: dict[str, Any] = {"ok": True, "why": ""}
    for name in ("seconds", "gflops", "gbytes", "percent_of_peak", "ratio", "low", "high"):
        if all(name in row for row in table):
            found[name] = _mean([float(row[name]) for row in table])
    found["noise"] = max(float(row["noise"]) for row in table)
    verdicts = {str(row["verdict"]) for row in table if "verdict" in row}
    if verdicts:
        found["verdict"] = (
            verdicts.pop() if len(verdicts) == 1 else "INCONCLUSIVE" if "INCONCLUSIVE" in verdicts else "mixed"
        )
    return found


def against(now: Mapping[str, Any], then: Mapping[str, Any], shown: str) -> list[dict[str, Any]]:
    """Rungs of two benches side by side: the ratio of then to now. Raises SpakError: SPK655 where they come from different
    environments, SPK664 for what is no bench of the same unit.
    """
    from spak.measure.environment import require_same

    try:
        old = {(rung["variant"], str(row["shape"])): row for rung in then["rungs"] for row in rung["shapes"]}
        environment = Environment.of({str(k): str(v) for k, v in then["environment"].items()})
        if then["unit"] != now["unit"]:
            raise ValueError(f"it is of unit {then['unit']}")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        hint = "write one with `spak bench UNIT --json`"
        raise SpakError(
            Diagnostic("SPK664", f"this is no bench of {now['unit']}: {error}", Span(shown), hint)
        ) from None
    require_same(Environment.of(now["environment"]), environment, "these benches")
    found = []
    for rung in now["rungs"]:
        for row in rung["shapes"]:
            before = old.get((rung["variant"], str(row["shape"])))
            if before and before.get("ok") and row["ok"]:
                found.append(
                    {"variant": rung["variant"], "shape": row["shape"], "ratio": before["seconds"] / row["seconds"]}
                )
    return found


def whole(shape: Mapping[str, Any]) -> dict[str, int]:
    """A shape whose sizes are integers. Raises SpakError (SPK663)."""
    for axis, size in shape.items():
        if isinstance(size, bool) or not isinstance(size, int | float) or size != int(size):
            what = f"{axis} = {size!r} is no size"
            raise SpakError(Diagnostic("SPK663", what, None, "sizes are integers: --shape M=64,N=64"))
    return {axis: int(size) for axis, size in shape.items()}


def _with_params(bed: Bed, variant: str, params: Mapping[str, Any]) -> Built:
    """A variant with other parameters, checked, compiled and verified. Raises SpakError where it is not."""
    check_names(bed, variant, params)
    built = bed.built_with(variant, [dict(params)])[0]
    why = built.why or bed.verified(variant, dict(params))
    if why:
        raise SpakError(
            Diagnostic("SPK661", f"only what is verified is measured: {variant} with these parameters: {why}", None, "")
        )
    return built


def check_names(
    bed: Bed, variant: str, params: Mapping[str, Any], span: Callable[[str], Span | None] = lambda name: None
) -> None:
    """Raise SpakError (SPK654) for parameters that the variant's plan does not have, or values that are no integers."""
    known = sorted(bed.plan(variant).params)
    wrong = []
    for name, value in params.items():
        values = value if isinstance(value, list | tuple) else [value]
        if name not in known:
            hint = near(name, known, "the plan's are") or "name one of its `[params]`"
            what = f"the plan of {bed.unit.name}.{variant} has no parameter {name!r}"
            wrong.append(Diagnostic("SPK654", what, span(name), hint))
        elif any(isinstance(one, bool) or not isinstance(one, int) for one in values):
            what = f"{name} is a parameter of the plan of {bed.unit.name}.{variant}: its values are integers"
            wrong.append(Diagnostic("SPK654", what, span(name), "write them as integers"))
    if wrong:
        raise SpakError(*wrong)


def _mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 where one is 0."""
    if len(values) == 1:
        return values[0]
    return math.exp(sum(map(math.log, values)) / len(values)) if all(one > 0 for one in values) else 0.0
