"""Literals against declared types: what a field, a state or a parameter may be given. Knows types, not statements."""

from __future__ import annotations

from typing import Any

from spak.lang import tree
from spak.semantics.infer import NAMES, family
from spak.semantics.reader import NOT_LITERAL
from spak.semantics.types import Type, mismatch, words


def constant(value: tree.Value) -> Any:
    """A literal as JSON data, maps included; NOT_LITERAL for names, expressions and texts with holes."""
    if isinstance(value, tree.Num):
        return value.value
    if isinstance(value, tree.Str):
        return NOT_LITERAL if "{{" in value.value else value.value
    if isinstance(value, tree.Unary) and value.op == "-" and isinstance(value.operand, tree.Num):
        number = value.operand.value
        return NOT_LITERAL if isinstance(number, bool) else -number
    if isinstance(value, tree.ListLit):
        items = [constant(item) for item in value.items]
        return NOT_LITERAL if any(item is NOT_LITERAL for item in items) else items
    if isinstance(value, tree.MapLit) and all(isinstance(item, tree.Attr) for item in value.items):
        fields = {item.key: constant(item.value) for item in value.items if isinstance(item, tree.Attr)}
        return NOT_LITERAL if any(item is NOT_LITERAL for item in fields.values()) else fields
    return NOT_LITERAL


def misfit(name: str, declared: Type, value: tree.Value, actual: Type) -> str:
    """Why a written value cannot be of a type, as far as its literals and names tell; '' if it can."""
    literal = constant(value)
    if literal is not NOT_LITERAL:
        return mismatch(declared, literal, name)
    if declared.kind == "optional":
        declared = declared.args[0]
    one, other = family(declared), family(actual)
    if one and other and one != other and not (one == "map" and other == "map"):
        return f"{name} is {NAMES[other]}, where {words(declared)} is needed"
    return ""
