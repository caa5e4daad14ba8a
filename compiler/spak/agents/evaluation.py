"""How a run ends: checks become metrics, invariants are looked at, `success` decides. Knows nothing of exit codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spak.agents.answers import placed
from spak.agents.journal import Entry
from spak.agents.machine import Machine
from spak.agents.said import value_of
from spak.errors import Diagnostic
from spak.knowledge.invariants import gate
from spak.lang.expr import UNKNOWN, Expr, evaluate, print_expr
from spak.semantics.program import Check, Query
from spak.semantics.types import mismatch


@dataclass(frozen=True, slots=True)
class Verdict:
    """`success` is what the condition came to: None where there is none, or where it is unknown."""

    succeeded: bool
    success: bool | None
    metrics: dict[str, Any]
    why: tuple[Diagnostic, ...] = ()

    @property
    def status(self) -> str:
        return "succeeded" if self.succeeded else "failed"


def evaluate_checks(machine: Machine, checks: tuple[Check, ...]) -> None:
    """Run the checks of a run that has not failed; each is a step, and its value a metric of its declared type."""
    for check in checks:
        got = machine.step(check.id, check.body, {"title": check.id, "check": True})
        scope = machine.parts.scope
        name = check.metric or check.id
        got = scope.variables.get(name, got)
        if judged(check) and isinstance(got, str) and check.type.kind != "string":
            got = value_of(got)
            scope.variables.update({name: got} if name in scope.variables else {})
        if why := mismatch(check.type, got, name) if scope.steps[check.id]["ok"] else "":
            machine.failures.append(
                Diagnostic("SPK932", f"the metric {why}", placed(check.span), "see what the check gives")
            )
        elif scope.steps[check.id]["ok"]:
            scope.metrics[name] = got
        machine.parts.journal.add("metric", check.id, Entry({"metric": name, "value": scope.metrics.get(name)}))


def judged(check: Check) -> bool:
    """Whether the metric is an answer in free words: one that is a number or a truth value is meant as one."""
    return bool(check.body) and isinstance(check.body[-1], Query) and check.body[-1].schema is None


def verdict(machine: Machine, success: Expr | None) -> Verdict:
    """Every invariant as it stands, then the condition of success. A failed step is a failed run, whatever the
    condition says.
    """
    parts = machine.parts
    found = parts.grounding.check()
    for one in found:
        parts.journal.add("invariant", "", Entry(one.data()))
    why = [*machine.failures, *(one for one in gate(found) if one not in machine.failures)]
    got = evaluate(success, parts.scope) if success is not None else True
    if success is not None and got is not True:
        how = "cannot be told" if got is UNKNOWN or got == "unknown" else "does not hold"
        what = f"the condition of success {how}: {print_expr(success)}"
        why.append(Diagnostic("SPK937", what, placed(success.span), _figures(parts.scope.metrics)))
    told = got if success is not None and isinstance(got, bool) else None
    return Verdict(not why, told, dict(parts.scope.metrics), tuple(why))


def end(machine: Machine, verdict: Verdict) -> None:
    """Record how the run ended."""
    data = {
        "status": verdict.status, "success": verdict.success, "metrics": verdict.metrics,
        "why": [one.to_json() for one in verdict.why],
    }  # fmt: skip
    machine.parts.journal.add("end", "", Entry(data))
    machine.parts.journal.sync()


def _figures(metrics: dict[str, Any]) -> str:
    from spak.traces.showing import short

    return ", ".join(f"{name} = {short(value)}" for name, value in metrics.items()) or "no metric has a value"
