"""The kernel units that a program is about. Knows nothing of what is built of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from spak.lang.expr import Name, Str
from spak.semantics.program import If, Loop, Program, Statement, Template, ToolCall

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def units_of(program: Program) -> tuple[str, ...]:
    """The units that a program declares, or names in `tool.build`, `tool.verify`, `tool.bench` and `measure`; sorted.

    A name that is computed is not among them: what a program is about can be told before it runs. Nor is one that no unit can
    have: it becomes the name of a file.
    """
    bodies = [step.body for one in program.procedures.values() for step in one.steps]
    bodies += [check.body for one in program.procedures.values() for check in one.evaluation]
    bodies += [handler.body for one in program.services.values() for handler in one.handlers]
    called = (_unit(call) for call in _calls(chain.from_iterable(bodies)))
    measured = (one.measure.unit for one in program.loops.values())
    return tuple(sorted(one for one in {*program.kernels, *measured, *called} if NAME.fullmatch(one)))


def _calls(body: Iterable[Statement]) -> Iterator[ToolCall]:
    for one in body:
        if isinstance(one, ToolCall):
            yield one
        elif isinstance(one, If):
            yield from _calls((*one.then, *one.otherwise))
        elif isinstance(one, Loop):
            yield from _calls(one.body)


def _unit(call: ToolCall) -> str:
    value = call.args.get("unit") if call.tool in {"build", "verify", "bench"} else None
    if isinstance(value, Template):
        return "" if value.names else value.text
    if isinstance(value, Str):
        return value.value
    return value.id if isinstance(value, Name) else ""
