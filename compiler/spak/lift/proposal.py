"""A reply read as a better version of a program: whether it is one, and what it would newly execute. Knows no run.

The measure may not be changed by what is measured: evaluation, success, invariants and contract must be those of the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang.printer import print_value
from spak.lift.draft import text_of
from spak.semantics.operand import reads
from spak.semantics.program import Deliverable, Measure, Perform, Program, Set, Template, ToolCall

#: Tools that only look, or do what the graph does: a new call of one needs nobody's consent.
HARMLESS = frozenset({"read", "build", "verify", "bench", "engineering_loop"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """`acts` says of each new call that does something to the world what it is."""

    text: str
    program: Program
    acts: tuple[str, ...] = ()


def read_proposal(reply: str, file: str, source: str, program: Program, root: Path) -> Proposal:
    """The improved file in a reply. Raises SpakError with everything that is wrong with it."""
    from spak.semantics.resolve import resolve_text

    text = text_of(reply)
    if text == source:
        raise SpakError(
            Diagnostic("SPK374", "the reply is the file as it is", Span(file), "change what the traces speak against")
        )
    found = Collector()
    new = resolve_text(text, file, found, root)
    errors = [one for one in found.found if one.severity == "error"]
    if errors:
        raise SpakError(*sorted(errors, key=lambda d: (d.span or Span(""), d.code)))
    _same_measure(program, new, found)
    found.raise_if_any()
    return Proposal(text, new, tuple(_new_acts(program, new)))


def _same_measure(old: Program, new: Program, found: Collector) -> None:
    hint = "leave it as it is: it is what the two are compared by"
    for name, procedure in old.procedures.items():
        other = new.procedures.get(name)
        if other is None:
            found.add("SPK375", f"{procedure.kind} {name} is gone", Span(new.file), "it is what was run")
        elif (other.evaluation, other.success) != (procedure.evaluation, procedure.success):
            found.add("SPK375", f"the evaluation of {name} is another", other.span if other.span.file else None, hint)
    if new.contract != old.contract:
        found.add(
            "SPK375", "the contract is another", new.contract.span if new.contract.span.file else Span(new.file), hint
        )
    kept = {law.name: law for law in new.invariants}
    for law in old.invariants:
        if kept.get(law.name) != law:
            found.add("SPK375", f"the invariant {law.name} is gone or another", Span(new.file), hint)


def _new_acts(old: Program, new: Program) -> Iterator[str]:
    """Calls that the program does not have today and that do more than look."""
    known = list(_acts(old))
    for act in _acts(new):
        if act not in known:
            yield _said(act)


def _acts(program: Program) -> Iterator[Any]:
    """Every call of a tool with effects, every command of a search or a deliverable, and what is assigned to a variable that
    one of them reads.
    """
    nodes = list(_nodes((program.procedures, program.services, program.loops, program.deliverables)))
    calls: list[Any] = [one.args for one in nodes if isinstance(one, ToolCall) and one.tool not in HARMLESS]
    calls += [one.args for one in nodes if isinstance(one, Perform)]
    calls += [one.cmd for one in nodes if isinstance(one, Measure) and one.cmd is not None]
    calls += [one.generator for one in nodes if isinstance(one, Deliverable) and one.generator is not None]
    read = frozenset().union(*(reads(call) for call in calls))
    yield from calls
    yield from (one.value for one in nodes if isinstance(one, Set) and one.name in read)
    yield from ((name, one.binds) for name, one in program.effects.items() if one.binds)


def _nodes(value: Any) -> Iterator[Any]:
    """Every node below a value."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack.extend(one.values())
        elif isinstance(one, tuple | list):
            stack.extend(one)
        elif is_dataclass(one) and not isinstance(one, Span):
            yield one
            stack.extend(getattr(one, part.name) for part in fields(one) if part.name != "span")


def _said(act: Any) -> str:
    """An act in words for whoever approves it."""
    if isinstance(act, Template):
        return act.text
    if isinstance(act, tuple):
        return f"effect {act[0]}: " + ", ".join(f"{name} by tool.{tool}" for name, tool in act[1].items())
    pairs = getattr(act, "fields", None)
    if isinstance(pairs, tuple):
        return ", ".join(f"{name}: {_said(value)}" for name, value in pairs)
    items = getattr(act, "items", None)
    if isinstance(items, tuple):
        return "[" + ", ".join(_said(one) for one in items) + "]"
    return print_value(act)


def diff(file: str, old: str, new: str) -> str:
    """The change as a unified diff, where nothing moves a terminal's cursor."""
    from difflib import unified_diff

    lines: Iterable[str] = unified_diff(old.splitlines(), new.splitlines(), f"a/{file}", f"b/{file}", lineterm="")
    return "\n".join(
        "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line) for line in lines
    )
