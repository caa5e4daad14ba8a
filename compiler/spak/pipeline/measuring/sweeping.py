"""Sweeps: an engineering loop searched, by timing a kernel or running a command, and written back. Knows no strategy.

Trials are kept in `.spak/trials` as they end; the record of the whole sweep lies in `.spak/sweeps`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.narrow import narrow
from spak.model.base import canonical_json
from spak.optimize.cache import TrialCache
from spak.optimize.record import Record
from spak.optimize.runners.simulated import Simulated
from spak.optimize.space import Space
from spak.optimize.strategies import find
from spak.optimize.sweep import Budget, Swept
from spak.optimize.sweep import sweep as search
from spak.optimize.trial import Trial
from spak.pipeline.measuring.form import Form, Say
from spak.semantics.program import EngineeringLoop, Recommendation

if TYPE_CHECKING:
    from spak.agents.policy import Policy

Report = Callable[[dict[str, Any]], None]


def sweep(
    root: Path,
    loop: EngineeringLoop,
    report: Report = lambda trial: None,
    recommendations: Sequence[Recommendation] = (),
    *,
    simulate: Record | None = None,
    apply: bool | None = None,
    again: bool = False,
    policy: Policy | None = None,
    say: Say = lambda text: None,
) -> dict[str, Any]:
    """Search a loop; each trial is reported as it ends, as the data of a `trial` event.

    `again` measures anew what was tried earlier and has no figure: a trial was noisy, or failed.
    `apply` writes the best back to the plan's tuned file; None is the loop's own `write_back`. Everything returned is JSON-able:
    {ok, why, best: {params, value, ...}, trials, failed, ...}. Raises SpakError for a loop that cannot be searched.
    """
    told: list[Diagnostic] = []
    strategy = find(loop.strategy, _span(loop.span))
    parameters = narrow(loop.parameters, recommendations, told.append)
    loop = replace(loop, parameters=parameters)
    objective = objective_of(loop)
    wanted = loop.write_back if apply is None else apply
    with ExitStack() as stack:
        form = _form(root, loop, simulate, policy, say, stack, again)
        trials: list[Trial] = []

        def heard(trial: Trial) -> None:
            trials.append(trial)
            report(event(loop, trial))

        about = _about(loop, form)
        try:
            swept = search(
                form.space.require(),
                strategy,
                form.runner,
                objective=objective,
                budget=Budget(loop.trials, loop.seconds),
                seed=loop.seed,
                default=form.default,
                report=heard,
            )
        finally:
            path = record_path(about)
            if simulate is None and trials:
                Record(about, tuple(trials)).write(root / path)
        found = result(loop, form, swept, told)
        found["record" if simulate is None else "simulated"] = path if simulate is None else simulate.path
        if wanted:
            found |= _written(form, swept, simulate)
    return found


def _form(
    root: Path,
    loop: EngineeringLoop,
    simulate: Record | None,
    policy: Policy | None,
    say: Say,
    stack: ExitStack,
    again: bool,
) -> Form:
    cache = TrialCache(root / ".spak" / "trials")
    if simulate is not None:
        return simulated(loop, simulate)
    if loop.measure.unit:
        from spak.pipeline.measuring.kernel_trials import kernel_form

        return kernel_form(root, loop, cache, say, stack, again)
    from spak.pipeline.measuring.command_trials import command_form

    return command_form(root, loop, cache, policy, say, again)


def simulated(loop: EngineeringLoop, record: Record) -> Form:
    """Trials as they were recorded. Raises SpakError (SPK653) for a record of something else."""
    why = _differs(loop, record)
    if why:
        raise SpakError(Diagnostic("SPK653", why, Span(record.path), "replay it with the loop that made it"))
    known = record.about.get("constants")
    space = Space(loop.parameters, loop.constraints, known if isinstance(known, Mapping) else {})
    environment = record.about.get("environment")
    default = record.about.get("default")
    return Form(
        Simulated(record),
        space,
        dict(environment) if isinstance(environment, Mapping) else {},
        dict(default) if isinstance(default, Mapping) else {},
        lambda trial: trial.ok,
    )


def _differs(loop: EngineeringLoop, record: Record) -> str:
    """In what a record is not of this loop, '' if in nothing: its figures would be taken for those of something else."""
    measure, about = loop.measure, record.about
    if (record.metric, record.objective) != (measure.metric, measure.objective):
        ours = f"{measure.objective} {measure.metric!r}"
        return f"the record is of {record.objective} {record.metric!r}, the loop of {ours}"
    for name, ours in (("unit", measure.unit), ("variant", measure.variant), ("target", measure.target)):
        theirs = str(about.get(name) or "")
        if ours != theirs and (name == "unit" or (ours and theirs)):
            return f"the record is of {name} {theirs!r}, the loop of {ours!r}"
    shapes = [dict(shape) for shape in measure.shapes]
    if shapes and about.get("shapes") != shapes:
        return f"the record is of shapes {about.get('shapes')}, the loop of {shapes}"
    axes = sorted(one.name for one in loop.parameters)
    if any(sorted(trial.config) != axes for trial in record.trials):
        return f"the record's configurations are not of {', '.join(axes)}"
    return ""


def objective_of(loop: EngineeringLoop) -> Literal["maximize", "minimize"]:
    """Raises SpakError (SPK668) for a word that is neither."""
    if loop.measure.objective == "maximize":
        return "maximize"
    if loop.measure.objective == "minimize":
        return "minimize"
    what = f"{loop.measure.objective!r} is no objective"
    raise SpakError(Diagnostic("SPK668", what, _span(loop.measure.span), "write maximize or minimize"))


def event(loop: EngineeringLoop, trial: Trial) -> dict[str, Any]:
    """A trial as the data of a `trial` event."""
    figures = {
        name: value for name, value in trial.figures.items() if name not in ("shapes", "ok", "why", "params", "module")
    }
    metrics = {**figures, loop.measure.metric: trial.value} if trial.value is not None else figures
    return {
        "loop": loop.name,
        "number": trial.number,
        "params": dict(trial.config),
        "key": trial.key,
        "status": {"measured": "ok"}.get(trial.state, trial.state),
        "why": trial.why,
        "metrics": metrics,
        "metric": loop.measure.metric,
        "objective": loop.measure.objective,
        "cached": trial.cached,
    }


def result(loop: EngineeringLoop, form: Form, swept: Swept, told: Sequence[Diagnostic]) -> dict[str, Any]:
    """What came of it."""
    best = swept.best
    why = "" if best else "no configuration was measured: " + next((t.why for t in swept.trials if t.why), swept.ended)
    return {
        "ok": best is not None,
        "why": why,
        "loop": loop.name,
        "metric": loop.measure.metric,
        "objective": loop.measure.objective,
        "strategy": loop.strategy,
        "seed": loop.seed,
        "space": {one.name: list(one.values) for one in loop.parameters},
        "best": _shown(best) if best else None,
        "default": dict(form.default),
        "better": bool(best and form.better(best)),
        "tied": [dict(one.config) for one in swept.tied if one is not best],
        "trials": len(swept.trials),
        "measured": swept.count("measured"),
        "noisy": swept.count("noisy"),
        "failed": swept.count("failed"),
        "cached": sum(one.cached for one in swept.trials),
        "ended": swept.ended,
        "written": "",
        "environment": dict(form.environment),
        "diagnostics": [one.to_json() for one in told],
    }


def _shown(trial: Trial) -> dict[str, Any]:
    figures = {
        name: value for name, value in trial.figures.items() if name not in ("shapes", "ratios", "params", "module")
    }
    return {
        "params": dict(trial.config),
        "value": trial.value,
        "number": trial.number,
        "subject": trial.subject,
        **figures,
    }


def _written(form: Form, swept: Swept, simulate: Record | None) -> dict[str, Any]:
    if simulate is not None:
        hint = "run the sweep itself: figures of a record were not made here"
        raise SpakError(Diagnostic("SPK667", "what a simulation finds is not written back", Span(simulate.path), hint))
    if form.write is None:
        return {"kept": "the sweep of a command has no plan to write to"}
    return form.write(swept)


def _about(loop: EngineeringLoop, form: Form) -> dict[str, Any]:
    """What the sweep is of; its digest names the record."""
    measure = loop.measure
    return {
        "name": loop.name,
        "metric": measure.metric,
        "objective": measure.objective,
        "unit": measure.unit,
        "variant": measure.variant,
        "target": measure.target,
        "shapes": [dict(shape) for shape in measure.shapes],
        "strategy": loop.strategy,
        "seed": loop.seed,
        "space": {one.name: list(one.values) for one in loop.parameters},
        "constants": dict(form.space.constants),
        "default": dict(form.default),
        "environment": dict(form.environment),
    }


def record_path(about: Mapping[str, Any]) -> str:
    # What is in force may have been written by the sweep itself: the same sweep has the same record.
    same = {name: value for name, value in about.items() if name != "default"}
    digest = sha256_bytes(canonical_json(same)).removeprefix("sha256:")
    return f".spak/sweeps/{about['name']}-{digest[:12]}.json"


def _span(span: Span) -> Span | None:
    return span if span.file else None
