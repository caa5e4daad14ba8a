"""Operands, computed: what a statement's values are under the variables of a run. Knows no statement, and performs nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.lang.expr import UNKNOWN, Unknown, evaluate, names
from spak.lang.expr import element as member
from spak.semantics.holes import HOLE
from spak.semantics.program import Fields, Items, Operand, Template
from spak.semantics.suggest import near


def value(operand: Operand, env: Mapping[str, Any]) -> Any:
    """The JSON value of an operand, or UNKNOWN where a part of it is. Raises SpakError where a hole's name is missing."""
    if isinstance(operand, Template):
        return render(operand, env)
    if isinstance(operand, Items):
        items = [value(one, env) for one in operand.items]
        return UNKNOWN if any(one is UNKNOWN for one in items) else items
    if isinstance(operand, Fields):
        fields = {key: value(one, env) for key, one in operand.fields}
        return UNKNOWN if any(one is UNKNOWN for one in fields.values()) else fields
    result = evaluate(operand, env)
    return UNKNOWN if isinstance(result, list) and any(one is UNKNOWN for one in result) else result


def render(template: Template, env: Mapping[str, Any]) -> str:
    """The text with its holes filled. Raises SpakError on a name that has no value."""
    missing = [name for name in template.names if find(name, env) is UNKNOWN]
    if missing:
        raise SpakError(
            *(
                Diagnostic("SPK204", f"{{{{{name}}}}} has no value here", template.span, near(name, env, "there are"))
                for name in dict.fromkeys(missing)
            )
        )
    return HOLE.sub(lambda match: text(find(match[1], env)), template.text) if template.names else template.text


def text(value: Any) -> str:
    """A value inside a text: numbers as Python writes them, lists and maps as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Unknown):
        return "unknown"
    return json.dumps(value, ensure_ascii=False, default=dict)


def find(name: str, env: Mapping[str, Any]) -> Any:
    """A dotted name's value, or UNKNOWN. A part that is a number counts elements from 0, or is a key of a map."""
    if name in env:
        return env[name]
    found: Any = env
    for part in name.split("."):
        key = int(part) if part.isdigit() and not isinstance(found, Mapping) else part
        found = member(found, key)
        if found is UNKNOWN:
            return UNKNOWN
    return found


def reads(operand: Operand) -> frozenset[str]:
    """The root names that an operand reads: `trace` of `trace.Performance.tflops`."""
    return frozenset(name.partition(".")[0] for name in all_names(operand))


def all_names(operand: Operand) -> frozenset[str]:
    """Every dotted name that an operand reads."""
    if isinstance(operand, Template):
        return frozenset(operand.names)
    if isinstance(operand, Items):
        return frozenset().union(*(all_names(one) for one in operand.items))
    if isinstance(operand, Fields):
        return frozenset().union(*(all_names(one) for _, one in operand.fields))
    return names(operand)
