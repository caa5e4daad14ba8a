"""The arguments of a call, computed and checked against the tool's table. Knows no tool.

The compiler has checked what can be known before a run; here is the rest, and the same again: what is performed never rests on
a check made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.errors import Collector, Span
from spak.lang.expr import UNKNOWN
from spak.semantics.operand import all_names, value
from spak.semantics.program import Fields, Operand
from spak.semantics.suggest import near
from spak.semantics.toolbox import TOOLS
from spak.semantics.types import mismatch


def read(tool: str, args: Fields, env: Mapping[str, Any], *, leave: tuple[str, ...] = ()) -> dict[str, Any]:
    """The values by name; those in `leave` are the tool's own business. Raises SpakError with all that is wrong."""
    known, found = TOOLS[tool].args, Collector()
    values: dict[str, Any] = {}
    for name, operand in args.fields:
        if name not in known:
            what = f"tool.{tool} has no argument {name!r}"
            found.add("SPK941", what, place(operand, args), near(name, known, "arguments"))
        elif name not in leave:
            values[name] = _one(tool, name, operand, args, env, found)
    for name, argument in known.items():
        if argument.needed and args.get(name) is None:
            found.add("SPK941", f"tool.{tool} needs {name!r}", spot(args.span), f"write `{name}: ...`")
    found.raise_if_any()
    return values


def _one(tool: str, name: str, operand: Operand, args: Fields, env: Mapping[str, Any], found: Collector) -> Any:
    got = value(operand, env)
    if got is UNKNOWN:
        hint = "what it is computed from is missing, or divided by zero"
        found.add("SPK941", f"{name!r} of tool.{tool} has no value", place(operand, args), hint)
    elif why := mismatch(TOOLS[tool].args[name].type, got, name):
        found.add("SPK941", f"tool.{tool}: {why}", place(operand, args), "see the tool's arguments in docs/tools.md")
    return got


def place(operand: Operand | None, args: Fields) -> Span | None:
    """Where an argument stands, or else its call."""
    return spot(getattr(operand, "span", None)) or spot(args.span)


def spot(span: Span | None) -> Span | None:
    """A span that leads somewhere."""
    return span if span is not None and span.file else None


def filled(operand: Operand) -> bool:
    """Whether anything that is known only at run time, perhaps a model's text, becomes part of an operand."""
    return bool(all_names(operand))


def shown(text: str) -> str:
    """Text in a line for people: nothing in it can break the line, or move a terminal's cursor, or turn its direction."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
