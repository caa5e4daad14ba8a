"""Parameters of procedures, handlers and operations: `name: type = default`. Knows types, not calls."""

from __future__ import annotations

from collections.abc import Sequence

from spak.errors import Collector
from spak.lang import tree
from spak.lang.expr import as_expr
from spak.semantics.holes import template
from spak.semantics.program import Operand, Param
from spak.semantics.reader import NOT_LITERAL
from spak.semantics.types import ANY, Type, mismatch
from spak.semantics.types_of import Types
from spak.semantics.values import constant


def read_params(values: Sequence[tree.Value] | None, types: Types, found: Collector) -> tuple[Param, ...]:
    """The parameters of a header; a bare name may be anything."""
    params: dict[str, Param] = {}
    for value in values or ():
        if isinstance(value, tree.Name) and "." not in value.id:
            param = Param(value.id, span=value.span)
        elif isinstance(value, tree.Arg):
            type = types.read(value.type) if value.type is not None else ANY
            param = Param(value.name, type, default(value.default, type, found), span=value.span)
        else:
            found.add("SPK231", "this is no parameter", value.span, "write `name: type` or `name: type = value`")
            continue
        if param.name in params:
            found.add(
                "SPK222", f"the parameter {param.name!r} is named twice", value.span, "give each a name of its own"
            )
            continue
        params[param.name] = param
    return tuple(params.values())


def default(value: tree.Value | None, type: Type, found: Collector) -> Operand | None:
    """A parameter's default: a literal of its type."""
    if value is None:
        return None
    literal = constant(value)
    if literal is NOT_LITERAL:
        found.add(
            "SPK205", "a default is a number, a text, or a list of them", value.span, 'for example `name: String = "x"`'
        )
        return None
    if why := mismatch(type, literal, "the default"):
        found.add("SPK238", why, value.span, "give a value of the declared type")
        return None
    if isinstance(value, tree.Str):
        return template(value.value, value.span, found)
    return as_expr(value, found) if not isinstance(value, tree.MapLit) else None
