"""Trials of a kernel: each configuration is compiled ahead and timed, alone on the machine, against the plan's own parameters.
Knows no strategy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.lang.expr import Expr, names, parse_expr
from spak.model.base import canonical_json
from spak.optimize.cache import TrialCache
from spak.optimize.runners.live import Live, Subject
from spak.optimize.space import Config, Space
from spak.optimize.trial import Trial
from spak.pipeline.measuring.bed import Bed, Built
from spak.pipeline.measuring.benching import SEED, Ground, check_names, figures, summary, timed, whole
from spak.pipeline.measuring.form import FIGURES, Form, Say
from spak.pipeline.measuring.workloads import Posed, admitted, distributions, pose
from spak.semantics.program import EngineeringLoop
from spak.verify.problem import Problem

if TYPE_CHECKING:
    from spak.optimize.sweep import Swept

#: Changes whenever figures of one protocol cannot be compared with those of another.
PROTOCOL = 1
#: What a spec has to state for a figure.
COSTS = {"gflops": "flops", "gbytes": "bytes"}


@dataclass(slots=True)
class _Kernel:
    """One sweep's kernel, with the baseline and the calls that are timed."""

    bed: Bed
    loop: EngineeringLoop
    variant: str
    ground: Ground
    shapes: list[dict[str, int]]
    rounds: int
    baseline: Built
    say: Say
    posed: list[Posed] = field(default_factory=list)

    def subjects(self, configs: Sequence[Config]) -> list[Subject]:
        """Check and compile, side by side."""
        params = [{name: int(value) for name, value in config.items()} for config in configs]
        made = self.bed.built_with(self.variant, params)
        return [Subject(one.digest, one.why, one) for one in made]

    def measure(self, config: Config, subject: Subject) -> Trial:
        """Time it on every shape. Too noisy is a state of its own, and no figure to choose by."""
        tables = []
        for posed in self.workloads():
            done = timed(
                [self.baseline.module, subject.handle.module],
                posed,
                self.ground,
                rounds=self.rounds,
                timeout=self.loop.measure.timeout,
                say=self.say,
            )
            tables.append(figures(done.arms[1], posed, self.ground, done))
        found = summary(tables)
        if not found["ok"]:
            return Trial(config, "failed", why=found["why"])
        about = {"unit": self.bed.unit.name, "variant": self.variant, "target": self.bed.target.name}
        sizes = dict(self.shapes[0]) if len(self.shapes) == 1 else {}
        shown = {
            **about,
            **sizes,
            **found,
            "shapes": [{k: v for k, v in one.items() if k != "ratios"} for one in tables],
        }
        noisy = found["verdict"] == "INCONCLUSIVE"
        spread = f"ratio {found['low']:.3f} to {found['high']:.3f}, the baseline to itself within {found['noise']:.1%}"
        why = f"too noisy: {spread}" if noisy else ""
        value = float(found[self.loop.measure.metric])
        return Trial(config, "noisy" if noisy else "measured", value, self.samples(tables), shown, why)

    def samples(self, tables: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
        """By round, the ratio to the baseline over all shapes, turned so that it goes the way of the metric."""
        rows = zip(*(one["ratios"] for one in tables), strict=False)
        ratios = [math.prod(row) ** (1 / len(row)) for row in rows]
        return tuple(1 / one if self.loop.measure.metric == "seconds" else one for one in ratios)

    def workloads(self) -> list[Posed]:
        """Made when the first trial is really timed: a sweep that finds everything in the cache asks no oracle."""
        if not self.posed:
            self.posed = [
                pose(self.bed.unit, self.variant, self.baseline.params, axes, SEED, self.cores) for axes in self.shapes
            ]
        return self.posed

    @property
    def cores(self) -> int:
        return int(dict(self.ground.environment.values)["cores"]) if self.bed.unit.openmp else 1


def kernel_form(
    root: Path, loop: EngineeringLoop, cache: TrialCache, say: Say, stack: ExitStack, again: bool = False
) -> Form:
    """The form of a kernel's sweep; the bed stays open on the stack. Raises SpakError for what cannot be searched."""
    from spak.pipeline.measuring.writing_back import current, write_back

    measure = loop.measure
    if measure.metric not in FIGURES:
        hint = f"figures are: {', '.join(FIGURES)}"
        raise SpakError(
            Diagnostic("SPK668", f"a kernel is not measured in {measure.metric!r}", _at(measure.span), hint)
        )
    try:
        bed = stack.enter_context(Bed(root, measure.unit, measure.target, say))
        variant = measure.variant or tunable(bed)
        bed.variant(variant)
    except SpakError as error:  # said where the loop names what is not there
        raise SpakError(*(replace(one, span=one.span or _at(measure.span)) for one in error.diagnostics)) from None
    if measure.metric in COSTS and getattr(bed.unit, COSTS[measure.metric]) == "0":
        what = f"the spec of {measure.unit} states no cost that {measure.metric} could be figured from"
        hint = f"add `{COSTS[measure.metric]}:` to its kernel, or measure seconds"
        raise SpakError(Diagnostic("SPK668", what, _at(measure.span), hint))
    bed.build([variant])
    check_names(bed, variant, {one.name: one.values for one in loop.parameters}, lambda name: _span_of(loop, name))
    _inside(bed, loop)
    plan = bed.plan(variant)
    own = {one.name: plan.params[one.name] for one in loop.parameters}
    ground = Ground.of(root, bed.target, say)
    baseline = bed.built_with(variant, [own])[0]
    if baseline.why:
        what = f"the plan's own parameters of {bed.unit.name}.{variant} cannot be built: {baseline.why}"
        raise SpakError(Diagnostic("SPK661", what, None, "see `spak build`"))
    problem = Problem(bed.unit, variant, tuple(sorted(plan.params.items())))
    shapes = [admitted(problem, whole(shape)) for shape in measure.shapes or ({},)]
    rounds = max(measure.repeats, 3) if measure.repeats > 1 else 0
    kernel = _Kernel(bed, loop, variant, ground, shapes, rounds, baseline, say)
    workload = {
        "protocol": PROTOCOL,
        "unit": bed.unit.name,
        "spec": sha256_bytes(canonical_json(bed.unit)),
        "shapes": shapes,
        "fills": distributions(bed.unit),
        "seed": SEED,
        "rounds": rounds,
        "timeout": measure.timeout,
        "baseline": baseline.digest,
        "metric": measure.metric,
    }
    runner = Live(
        cache, sha256_bytes(canonical_json(workload)), ground.environment.digest, kernel.subjects, kernel.measure, again
    )
    in_force = current(bed, variant, own)

    def write(swept: Swept) -> dict[str, Any]:
        return write_back(
            bed, replace(loop, measure=replace(measure, variant=variant)), ground.environment, in_force, own, swept
        )

    return Form(runner, _space(bed, loop, plan.params), ground.environment.to_json(), in_force, better, write)


def better(trial: Trial) -> bool:
    """Whether a trial is faster than the plan's own parameters by more than noise explains."""
    return trial.ok and trial.figures.get("verdict") == "faster"


def tunable(bed: Bed) -> str:
    """The last variant with parameters that the spec lets vary. Raises SpakError (SPK665) where there is none."""
    space = {one.name for one in bed.unit.tuning_space.parameters}
    for name in reversed(bed.variants):
        if Path(bed.files(name)["plan"]).is_file() and space & set(bed.plan(name).params):
            return name
    what = f"no variant of {bed.unit.name} on {bed.target.name} has a parameter of a tuning space"
    raise SpakError(Diagnostic("SPK665", what, None, "add a `tuning_space` to the spec, or name a variant"))


def _space(bed: Bed, loop: EngineeringLoop, params: Mapping[str, int]) -> Space:
    """The loop's own constraints, and those of the spec that can be evaluated: the static check would refuse what breaks them."""
    constants = {name: value for name, value in bed.target.constants.items() if isinstance(value, int)} | dict(params)
    known = {*constants, *(one.name for one in loop.parameters)}
    of_spec: list[Expr] = [parse_expr(text) for text in bed.unit.tuning_space.constraints]
    return Space(loop.parameters, (*loop.constraints, *(one for one in of_spec if names(one) <= known)), constants)


def _inside(bed: Bed, loop: EngineeringLoop) -> None:
    """Raise SpakError (SPK665) for values that the spec's tuning space does not have."""
    space = {one.name: one.values for one in bed.unit.tuning_space.parameters}
    wrong = []
    for one in loop.parameters:
        strange = [value for value in one.values if one.name in space and value not in space[one.name]]
        if strange:
            what = f"{one.name} = {', '.join(map(str, strange))}: the tuning space of {bed.unit.name} does not have it"
            hint = f"it has: {', '.join(map(str, space[one.name]))}"
            wrong.append(Diagnostic("SPK665", what, _span_of(loop, one.name), hint))
    if wrong:
        raise SpakError(*wrong)


def _span_of(loop: EngineeringLoop, name: str) -> Span | None:
    return next((_at(one.span) for one in loop.parameters if one.name == name), None)


def _at(span: Span) -> Span | None:
    return span if span.file else None
