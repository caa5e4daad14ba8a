"""A reply read as a better version of a program: whether it is one, and what it would newly execute. Knows no run.

The measure may not be changed by what is measured: evaluation, success, invariants and contract must be those of the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang.printer import print_value
from spak.lift.draft import text_of
from spak.semantics.operand import reads
from spak.semantics.program import (
    Deliverable,
    Emit,
    Measure,
    Param,
    Parameter,
    Perform,
    Program,
    Query,
    Set,
    Template,
    ToolCall,
)

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
    """Every call of a tool with effects, every command of a search, every deliverable, and what reaches one of them: whatever
    gives a value to a name that it reads, and what that reads in turn.
    """
    nodes = list(_nodes((program.procedures, program.services, program.loops, program.deliverables)))
    calls: list[Any] = [one.args for one in nodes if isinstance(one, ToolCall) and one.tool not in HARMLESS]
    calls += [one.args for one in nodes if isinstance(one, Perform)]
    calls += [one.cmd for one in nodes if isinstance(one, Measure) and one.cmd is not None]
    made = [one for one in nodes if isinstance(one, Deliverable)]
    calls += [one.generator for one in made if one.generator is not None]
    yield from calls
    yield from ((f"artifact {one.file}", one.builtin or f"of {one.input}") for one in made)
    yield from ((f"effect {name}", _bound(one.binds)) for name, one in program.effects.items() if one.binds)
    giving = list(_giving(program, nodes))
    todo, seen = {name for call in calls for name in reads(call)}, set[str]()
    while todo := todo - seen:
        name = todo.pop()
        seen.add(name)
        for given, value, names in giving:
            if given == name:
                yield value if isinstance(value, Template) else (name, value)
                todo |= names


def _giving(program: Program, nodes: Iterable[Any]) -> Iterator[tuple[str, Any, frozenset[str]]]:
    """Everything that gives a value to a name: the name, what gives it, and the names that this reads. A model's answer is one
    whatever it was asked.
    """
    nothing: frozenset[str] = frozenset()
    for one in program.states:
        yield one.name, f"at first {one.default!r}", nothing
    for sentence in program.sentences:
        yield sentence.kind, f"{sentence.number}. {sentence.text}", nothing
    for rule in program.rules:
        for root in ("rules", "recommended"):
            yield root, f"{rule.name}: {rule.apply} {rule.recommend}", nothing
    for node in nodes:
        if isinstance(node, Set):
            yield node.name, node.value, reads(node.value)
        elif isinstance(node, Param) and node.default is not None:
            yield node.name, node.default, reads(node.default)
        elif isinstance(node, Parameter) and any(isinstance(value, str) for value in node.values):
            yield node.name, f"one of {list(node.values)}", nothing
        elif isinstance(node, Emit):
            yield "trace", node.fields, reads(node.fields)
        elif isinstance(node, ToolCall):
            for root in filter(None, (node.output, "steps", node.emits and "trace")):
                yield root, (f"tool.{node.tool}", node.args), reads(node.args)
        elif isinstance(node, Query):
            for root in filter(None, (node.output, node.emits and "trace")):
                yield root, "a model's answer", nothing


def _bound(binds: Mapping[str, str]) -> str:
    return ", ".join(f"{name} by tool.{tool}" for name, tool in binds.items())


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
    if isinstance(act, str):
        return act
    if isinstance(act, tuple):
        return f"{act[0]}: {_said(act[1])}"
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
