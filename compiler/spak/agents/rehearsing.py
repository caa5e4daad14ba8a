"""A run on paper: every statement in order, with what can be known of it beforehand. Performs nothing, and asks nobody.

What a tool or a model would give is not known: it stands as `{{name}}`, and of a condition on it both sides are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spak.agents import tools
from spak.agents.policy import Policy
from spak.agents.scope import Scope
from spak.errors import SpakError, Waiting
from spak.lang.expr import UNKNOWN, evaluate, print_expr
from spak.semantics.operand import text, value
from spak.semantics.program import (
    Emit,
    Fields,
    If,
    Items,
    Leave,
    Loop,
    Operand,
    Perform,
    Procedure,
    Program,
    Query,
    Require,
    Service,
    Set,
    Statement,
    Template,
    ToolCall,
)  # fmt: skip

INDENT = "  "


def rehearse(program: Program, part: Procedure | Service, scope: Scope, policy: Policy) -> list[str]:
    """The lines of a dry run."""
    return list(Rehearsal(program, scope, policy).part(part))


class Rehearsal:
    """Goes through statements once. A variable that anything outside gives is unknown from then on."""

    def __init__(self, program: Program, scope: Scope, policy: Policy) -> None:
        self.program = program
        self.scope = scope
        self.policy = policy

    def part(self, part: Procedure | Service) -> Iterator[str]:
        if isinstance(part, Service):
            for handler in part.handlers:
                yield f"on {handler.event}"
                yield from self.block(handler.body, 1)
            return
        for step in part.steps:
            yield f"step {step.id}" + ("  (by hand)" if step.manual else "")
            yield from self.block(step.body, 1)
        for check in part.evaluation:
            yield f"check {check.id}"
            yield from self.block(check.body, 1)

    def block(self, body: Sequence[Statement], depth: int) -> Iterator[str]:
        for one in body:
            yield from self.statement(one, depth)

    def statement(self, one: Statement, depth: int) -> Iterator[str]:
        pad = INDENT * depth
        match one:
            case ToolCall():
                yield f"{pad}{self.call(one)}"
                self.forget(one.output)
            case Perform():
                yield f"{pad}perform {one.effect}.{one.operation}: {self.operation(one)}"
                self.forget(one.output)
            case Query():
                yield f"{pad}llm.query: {short(shown(one.prompt, self.scope))}"
                self.forget(one.output)
            case Emit():
                yield f"{pad}emit {one.case}" + (f" {shown(one.fields, self.scope)}" if one.fields.fields else "")
            case Set():
                got = known(one.value, self.scope)
                yield f"{pad}{one.name} = {shown(one.value, self.scope)}"
                if got is UNKNOWN:
                    self.forget(one.name)
                else:
                    self.scope.variables[one.name] = got
            case If():
                yield from self.either(one, depth)
            case Loop():
                yield f"{pad}loop, at most {one.limit} times"
                for name in named(one.body):
                    self.forget(name)
                yield from self.block(one.body, depth + 1)
                for name in named(one.body):
                    self.forget(name)
            case Require():
                yield f"{pad}check {one.words}"
            case Leave():
                yield f"{pad}{one.word}"

    def either(self, one: If, depth: int) -> Iterator[str]:
        """The side that is known to be taken, or both."""
        got = evaluate(one.condition, self.scope)
        pad = INDENT * depth
        if got is not False:
            yield f"{pad}if {print_expr(one.condition)}"
            yield from self.block(one.then, depth + 1)
        if got is not True and one.otherwise:
            yield f"{pad}else" if got is UNKNOWN else f"{pad}as {print_expr(one.condition)} does not hold"
            yield from self.block(one.otherwise, depth + 1)
        for name in named((*one.then, *one.otherwise)) if got is UNKNOWN else ():
            self.forget(name)

    def operation(self, one: Perform) -> str:
        effect = self.program.effects.get(one.effect)
        tool = effect.binds.get(one.operation) if effect else None
        return self.call(ToolCall(tool, one.args, span=one.span)) if tool else "nothing does that"

    def call(self, one: ToolCall) -> str:
        """What a call would do, as its plan says; its arguments as they are written where that cannot be known."""
        if known(one.args, self.scope) is UNKNOWN:
            return f"tool.{one.tool} {shown(one.args, self.scope)}"
        try:
            return tools.plan(one.tool, one.args, self.scope, self.policy).text
        except Waiting as error:
            return f"tool.{one.tool} {shown(one.args, self.scope)}  (needs approval: {error.diagnostics[0].message})"
        except SpakError as error:
            return f"tool.{one.tool} {shown(one.args, self.scope)}  (refused: {error.diagnostics[0].message})"

    def forget(self, name: str) -> None:
        self.scope.variables.pop(name, None)


def named(body: Sequence[Statement]) -> Iterator[str]:
    """The variables that statements give a value."""
    for one in body:
        if isinstance(one, Set):
            yield one.name
        elif isinstance(one, ToolCall | Query | Perform):
            yield one.output
        elif isinstance(one, If):
            yield from named((*one.then, *one.otherwise))
        elif isinstance(one, Loop):
            yield from named(one.body)


def known(operand: Operand, env: Mapping[str, Any]) -> Any:
    """The value of an operand, UNKNOWN where it depends on what has not happened."""
    try:
        return value(operand, env)
    except SpakError:
        return UNKNOWN


def shown(operand: Operand, env: Mapping[str, Any]) -> str:
    """An operand as far as it is known."""
    got = known(operand, env)
    if got is not UNKNOWN and not isinstance(operand, Fields | Items):
        return text(got)
    if isinstance(operand, Template):
        return operand.text
    if isinstance(operand, Fields):
        return "{ " + ", ".join(f"{key}: {shown(one, env)}" for key, one in operand.fields) + " }"
    if isinstance(operand, Items):
        return "[" + ", ".join(shown(one, env) for one in operand.items) + "]"
    return print_expr(operand)


def short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:117] + "..."
