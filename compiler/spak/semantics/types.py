"""Types of the language, and whether a value has one. Knows JSON values, not who made them.

`string int float number boolean any unit`, `list` of one type, `map` to one type, `record` of fields, `union` of types,
`literal` (one value), `case` (a case of a trace schema, by name) and `opaque` (a type that only a reader knows, such as
`Tensor[B, T, D]`: it accepts anything).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Span

NOWHERE = Span("")

#: Every spelling of a plain type, in the language's dialects, and its kind.
PLAIN = {
    "string": "string", "String": "string", "str": "string", "text": "string",
    "int": "int", "Int": "int", "integer": "int", "Integer": "int",
    "float": "float", "Float": "float", "double": "float", "real": "float",
    "number": "number", "Number": "number",
    "boolean": "boolean", "Boolean": "boolean", "bool": "boolean", "Bool": "boolean",
    "any": "any", "Any": "any",
    "unit": "unit", "Unit": "unit", "void": "unit", "Void": "unit", "None": "unit", "null": "unit",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record or case."""

    name: str
    type: Type
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Type:
    """`args` are the parts of a list (1), map (1, the values), union and optional; `value` is a literal's."""

    kind: str
    name: str = ""
    args: tuple[Type, ...] = ()
    fields: tuple[Field, ...] = ()
    value: Any = None

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)


ANY = Type("any")
STRING = Type("string")
NUMBER = Type("number")
BOOLEAN = Type("boolean")


def mismatch(type: Type, value: Any, path: str = "") -> str:
    """Why a value does not have a type, `''` if it has. `path` leads to the value in messages: `t.shape[0]`."""
    where = f"{path} " if path else ""
    kind = type.kind
    if kind in {"any", "opaque"}:
        return ""
    if kind in {"record", "case"}:
        return _record(type, value, path)
    if kind == "list":
        if not isinstance(value, list):
            return f"{where}is {shown(value)}, where a list is needed"
        inner = type.args[0] if type.args else ANY
        return next((why for i, one in enumerate(value) if (why := mismatch(inner, one, f"{path}[{i}]"))), "")
    if kind == "map":
        if not isinstance(value, Mapping):
            return f"{where}is {shown(value)}, where a map is needed"
        inner = type.args[-1] if type.args else ANY
        return next((why for k, one in value.items() if (why := mismatch(inner, one, f"{path}.{k}"))), "")
    if kind in {"union", "optional"}:
        members = (*type.args, Type("unit")) if kind == "optional" else type.args
        if any(not mismatch(one, value) for one in members):
            return ""
        inside = [one for one in members if one.kind in {"list", "map", "record", "case"}]
        if len(inside) == 1 and isinstance(value, list if inside[0].kind == "list" else Mapping):
            return mismatch(inside[0], value, path)  # only one member can be meant: say what is wrong within
        return f"{where}is {shown(value)}, where {words(type)} is needed"
    ok = {
        "string": isinstance(value, str),
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": isinstance(value, bool),
        "unit": value is None,
        "literal": value == type.value and isinstance(value, bool) == isinstance(type.value, bool),
    }[kind]
    return "" if ok else f"{where}is {shown(value)}, where {words(type)} is needed"


def _record(type: Type, value: Any, path: str) -> str:
    if not isinstance(value, Mapping):
        return f"{path + ' ' if path else ''}is {shown(value)}, where {words(type)} is needed"
    prefix = f"{path}." if path else ""
    for one in type.fields:
        if one.name not in value:
            if one.type.kind == "optional":
                continue
            return f"{prefix}{one.name} is missing"
        if why := mismatch(one.type, value[one.name], prefix + one.name):
            return why
    extra = sorted(set(value) - {one.name for one in type.fields})
    return f"{prefix}{extra[0]} is no field of {words(type)}" if extra and type.fields else ""


def words(type: Type) -> str:
    """A type as people say it."""
    kind = type.kind
    if kind in {"record", "case", "opaque"}:
        return type.name or "a record"
    if kind == "literal":
        return repr(type.value) if isinstance(type.value, str) else str(type.value).lower()
    if kind == "union":
        return " or ".join(words(one) for one in type.args)
    if kind == "optional":
        return f"{words(type.args[0])} or nothing"
    if kind in {"list", "map"}:
        return f"a {kind} of {several(type.args[-1])}" if type.args else f"a {kind}"
    return {"int": "an integer", "any": "anything", "unit": "nothing"}.get(kind, f"a {kind}")


def several(type: Type) -> str:
    """A type as people say it of many: `strings`."""
    if type.kind == "union":
        return " or ".join(several(one) for one in type.args)
    word = words(type)
    simple = type.kind in {"string", "int", "float", "number", "boolean", "list", "map"} and " of " not in word
    return word.split(" ", 1)[1] + "s" if simple else word


def shown(value: Any) -> str:
    """A value in a message, cut where it is long."""
    if isinstance(value, str):
        return f"the string {value[:40]!r}" + ("..." if len(value) > 40 else "")
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a map"


def json_schema(type: Type) -> dict[str, Any]:
    """The type as a JSON schema, for a model that is asked for a value of it."""
    kind = type.kind
    if kind in {"record", "case"}:
        needed = [one.name for one in type.fields if one.type.kind != "optional"]
        properties = {one.name: json_schema(one.type) for one in type.fields}
        return {"type": "object", "properties": properties, "required": needed, "additionalProperties": not properties}
    if kind == "list":
        return {"type": "array", "items": json_schema(type.args[0])} if type.args else {"type": "array"}
    if kind == "map":
        return {"type": "object", "additionalProperties": json_schema(type.args[-1]) if type.args else True}
    if kind == "union":
        if all(one.kind == "literal" for one in type.args):
            return {"enum": [one.value for one in type.args]}
        return {"anyOf": [json_schema(one) for one in type.args]}
    if kind == "optional":
        return {"anyOf": [json_schema(type.args[0]), {"type": "null"}]}
    if kind == "literal":
        return {"const": type.value}
    name = {"float": "number", "unit": "null", "int": "integer"}.get(kind, kind)
    return {} if kind in {"any", "opaque"} else {"type": name}
