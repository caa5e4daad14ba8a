"""The step machine: executes procedures, statement by statement. Knows the order of things, and performs none itself.

It is a plain interpreter: what comes from outside comes through the journal, which makes it resume, replay and recover.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from spak.agents.answers import placed
from spak.agents.emitting import emit, signal
from spak.agents.journal import Entry, Halt
from spak.agents.parts import Parts
from spak.agents.performing import operation, perform
from spak.agents.querying import query
from spak.errors import Diagnostic, SpakError, Waiting
from spak.lang.expr import UNKNOWN, Expr, evaluate, print_expr
from spak.semantics import program as node
from spak.semantics.operand import value


class Left(Exception):
    """A `break`, `continue` or `return` on its way to what it leaves."""

    def __init__(self, word: str) -> None:
        self.word = word


class Machine:
    """Executes what it is given. `failures` are those of steps; `at` is the step at work."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.at = ""
        self.failures: list[Diagnostic] = []
        self.counts = {"done": 0, "failed": 0, "skipped": 0, "manual": 0}

    # ---- steps ----

    def procedure(self, procedure: node.Procedure) -> None:
        """Go through the steps, again as often as it says. A failed step is the last, but for a protocol: that is a
        checklist.
        """
        for number in range(1, procedure.repeat + 1):
            self.pause(number)
            about = {"round": number} if procedure.repeat > 1 else {}
            for step in procedure.steps:
                if self.failures and procedure.kind != "protocol":
                    self.close(step.id, "skipped", {"title": step.title, **about})
                elif step.manual:
                    self.close(step.id, "manual", {"title": step.title, "do": step.manual, **about})
                else:
                    self.step(step.id, step.body, {"title": step.title, **about})
            if self.failures or (procedure.until is not None and self.holds(procedure.until)):
                break

    def step(self, id: str, body: Sequence[node.Statement], about: Mapping[str, Any]) -> Any:
        """Execute one step; the value of its last statement. What goes wrong in it fails it, and nothing else."""
        self.parts.spent.step()
        if self.parts.journal.live:
            self.parts.say(id)
        self.at, began = id, time.perf_counter()
        latest = None
        try:
            latest = self.block(body)
        except Left:
            pass
        except (Waiting, Halt):
            raise
        except SpakError as error:
            self.refuse(id, about, *error.diagnostics, began=began)
            return None
        self.close(id, "done", about, began)
        return latest

    def refuse(self, id: str, about: Mapping[str, Any], *why: Diagnostic, began: float | None = None) -> None:
        """Record that a step failed, and why."""
        self.failures += why
        self.parts.scope.failed = True
        self.close(id, "failed", {**about, "why": [one.to_json() for one in why]}, began)

    def close(self, id: str, status: str, about: Mapping[str, Any], began: float | None = None) -> None:
        """Record how a step ended. It has ended when that is on disk."""
        self.counts[status] += 1
        went = self.parts.scope.steps.setdefault(id, {})
        went["ok"] = went.get("ok", True) and status != "failed"
        self.parts.journal.add("step", id, Entry({"status": status, **about}), began)
        self.parts.journal.sync()

    def pause(self, number: int) -> None:
        """Keep the interval between rounds; for those that have been, it was kept then."""
        interval = self.parts.spent.limits.interval
        if number > 1 and interval and self.parts.journal.live:
            time.sleep(interval)

    # ---- statements ----

    def block(self, body: Sequence[node.Statement]) -> Any:
        """Execute statements in order; the value of the last one."""
        latest = None
        for one in body:
            latest = self.statement(one)
        return latest

    def statement(self, one: node.Statement) -> Any:
        """Execute one statement, and give its value if it has one."""
        match one:
            case node.ToolCall():
                return self.named(one, perform(self.parts, one, self.at))
            case node.Query():
                return self.named(one, self.query(one))
            case node.Perform():
                return self.named(one, operation(self.parts, one, self.at))
            case node.Set():
                return self.set(one)
            case node.Emit():
                return self.emit(one)
            case node.If():
                return self.block(one.then if self.holds(one.condition) else one.otherwise)
            case node.Loop():
                return self.loop(one)
            case node.Require():
                return self.require(one)
            case node.Leave():
                raise Left(one.word)

    def named(self, one: node.ToolCall | node.Query | node.Perform, got: Any) -> Any:
        """A result, also under its name."""
        if one.output:
            self.parts.scope.assign(one.output, got, one.span)
        return got

    def query(self, one: node.Query) -> Any:
        got = query(self.parts, one, self.at)
        if one.emits:
            emit(self.parts, self.at, one.emits, got, "result", one.span)
        return got

    def set(self, one: node.Set) -> Any:
        got = value(one.value, self.parts.scope)
        self.parts.scope.assign(one.name, got, one.span)
        self.parts.journal.add("set", self.at, Entry({"name": one.name, "value": got}))
        return got

    def emit(self, one: node.Emit) -> None:
        if not one.checked:
            return signal(self.parts, self.at, one.case)
        fields = self.known(one.fields, one)
        return emit(self.parts, self.at, one.case, fields, "emit", one.span)

    def loop(self, one: node.Loop) -> None:
        """Until a `break`. Coming to the limit is a failure: whoever wrote it did not mean to stop there."""
        for _ in range(one.limit):
            try:
                self.block(one.body)
            except Left as left:
                if left.word == "break":
                    return
                if left.word == "return":
                    raise
        hint = "leave it with `break`, or give it a higher limit: `loop 200 { ... }`"
        raise SpakError(
            Diagnostic("SPK931", f"the loop has gone round {one.limit} times, its limit", placed(one.span), hint)
        )

    def require(self, one: node.Require) -> bool:
        got = evaluate(one.condition, self.parts.scope)
        if got is True:
            return True
        how = "cannot be told" if got is UNKNOWN else "does not hold"
        raise SpakError(
            Diagnostic("SPK930", f"the check {how}: {one.words}", placed(one.span), "see the step's failure mode")
        )

    def holds(self, condition: Expr) -> bool:
        """Whether a condition is true; one that is unknown does not hold."""
        return self.parts.scope.truth(print_expr(condition), evaluate(condition, self.parts.scope), condition.span)

    def known(self, fields: node.Fields, one: node.Emit) -> dict[str, Any]:
        """The fields of an emit. Raises SpakError where one is unknown."""
        got = {key: value(operand, self.parts.scope) for key, operand in fields.fields}
        if missing := [key for key, one_ in got.items() if one_ is UNKNOWN]:
            what = f"{', '.join(missing)} of {one.case} {'is' if len(missing) == 1 else 'are'} unknown"
            hint = "what it is computed from is missing, or divided by zero"
            raise SpakError(Diagnostic("SPK932", what, placed(one.span), hint))
        return got
