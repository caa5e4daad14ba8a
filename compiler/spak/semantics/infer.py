"""Types of expressions, and what cannot be so: a string beside a number, a truth added up. Knows no statement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from spak.errors import Collector
from spak.lang.expr import Binary, Call, Expr, Index, ListLit, Member, Name, Num, Str, Unary, print_expr
from spak.semantics.suggest import near
from spak.semantics.types import ANY, BOOLEAN, NUMBER, STRING, Type, words

ORDERED = frozenset({"<", "<=", ">", ">="})
NAMES = {"string": "a string", "number": "a number", "boolean": "true or false", "list": "a list", "map": "a map"}

TypeOf = Callable[[Name], Type]


def family(type: Type) -> str:
    """`string`, `number`, `boolean`, `list`, `map`, or '' where it may be any of several."""
    kind = type.kind
    if kind == "literal":
        return family_of(type.value)
    if kind == "union":
        families = {family(one) for one in type.args}
        return families.pop() if len(families) == 1 else ""
    return {
        "string": "string", "int": "number", "float": "number", "number": "number", "boolean": "boolean",
        "list": "list", "map": "map", "record": "map", "case": "map",
    }.get(kind, "")  # fmt: skip


def family_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "list" if isinstance(value, list) else "map"


def infer(expr: Expr, type_of: TypeOf, found: Collector) -> Type:
    """The type of an expression; what can never be computed is an error at its place."""
    return _Inference(type_of, found).read(expr)


class _Inference:
    def __init__(self, type_of: TypeOf, found: Collector) -> None:
        self.type_of = type_of
        self.found = found

    def read(self, expr: Expr) -> Type:
        if isinstance(expr, Num | Str):
            return Type("literal", value=expr.value)
        if isinstance(expr, Name):
            return self.type_of(expr)
        if isinstance(expr, ListLit):
            items = [self.read(item) for item in expr.items]
            same = items and all(family(one) == family(items[0]) != "" for one in items)
            return Type("list", args=(Type("union", args=tuple(items)),)) if same else Type("list")
        if isinstance(expr, Index):
            return self.index(expr)
        if isinstance(expr, Member):
            return self.member(expr)
        if isinstance(expr, Unary):
            return self.wanted(expr.operand, NUMBER if expr.op == "-" else BOOLEAN)
        if isinstance(expr, Call):
            return self.call(expr)
        return self.binary(expr)

    def wanted(self, expr: Expr, type: Type) -> Type:
        """Read a part that must be of a family."""
        actual = family(self.read(expr))
        if actual not in {family(type), ""}:
            self.found.add(
                "SPK235",
                f"{shown(expr)} is {NAMES[actual]}, where {NAMES[family(type)]} is needed",
                expr.span,
                "compare it with something, as in `x >= 1`"
                if type is BOOLEAN
                else f"use what is {NAMES[family(type)]}",
            )
        return type

    def binary(self, expr: Binary) -> Type:
        if expr.op in {"&&", "||"}:
            self.wanted(expr.left, BOOLEAN)
            return self.wanted(expr.right, BOOLEAN)
        if expr.op == "+":
            return self.plus(expr)
        if expr.op in {"-", "*", "/", "//", "%"}:
            self.wanted(expr.left, NUMBER)
            return self.wanted(expr.right, NUMBER)
        left, right = self.read(expr.left), self.read(expr.right)
        one, other = family(left), family(right)
        if expr.op == "in":
            self.contained(expr, left, right)
        elif one and other and one != other:
            self.differ(
                expr, one, other, "they are never equal" if expr.op in {"==", "!="} else "they cannot be compared"
            )
        elif expr.op in ORDERED and {one, other} & {"string", "boolean", "list", "map"}:
            side, kind = (expr.left, one) if one and one != "number" else (expr.right, other)
            self.found.add(
                "SPK235",
                f"{shown(side)} is {NAMES[kind]}, which `{expr.op}` cannot order",
                expr.span,
                "only numbers have an order; compare others with `==`",
            )
        elif expr.op in {"==", "!="}:
            self.possible(expr.left, left, expr.right)
            self.possible(expr.right, right, expr.left)
        return BOOLEAN

    def differ(self, expr: Binary, one: str, other: str, why: str) -> None:
        self.found.add(
            "SPK235",
            f"{shown(expr.left)} is {NAMES[one]}, and {shown(expr.right)} is {NAMES[other]}: {why}",
            expr.span,
            "compare values of one type: a number in quotes is a string" if {one, other} == {"string", "number"} else
            "compare values of one type",
        )  # fmt: skip

    def possible(self, side: Expr, type: Type, other: Expr) -> None:
        """A choice of literals can only equal one of them."""
        if type.kind != "union" or not isinstance(other, Str | Num) or any(t.kind != "literal" for t in type.args):
            return
        if other.value not in [one.value for one in type.args]:
            known = [str(one.value) for one in type.args]
            self.found.add(
                "SPK235",
                f"{shown(side)} is {words(type)}, never {shown(other)}",
                other.span,
                near(str(other.value), known, "it may be"),
            )

    def contained(self, expr: Binary, left: Type, right: Type) -> None:
        one, other = family(left), family(right)
        if other not in {"list", "string", ""}:
            self.found.add(
                "SPK235",
                f"{shown(expr.right)} is {NAMES[other]}, where a list is needed",
                expr.right.span,
                "write `x in [1, 2]`",
            )
            return
        inner = one if other != "list" else family(right.args[0]) if right.args else ""
        if other == "string" and one not in {"string", ""}:
            self.differ(expr, one, other, "a string holds only strings")
        elif one and inner and one != inner:
            self.found.add(
                "SPK235",
                f"{shown(expr.left)} is {NAMES[one]}, and the list holds what is {NAMES[inner]}: it is never in it",
                expr.span,
                "compare values of one type",
            )
        elif isinstance(expr.right, ListLit):
            for item in expr.right.items:
                self.possible(expr.left, left, item)

    def plus(self, expr: Binary) -> Type:
        left, right = self.read(expr.left), self.read(expr.right)
        one, other = family(left), family(right)
        if one and other and one != other:
            self.differ(expr, one, other, "they cannot be added")
            return ANY
        kind = one or other
        if kind not in {"number", "string", ""}:
            side = expr.left if one else expr.right
            self.found.add(
                "SPK235", f"{shown(side)} is {NAMES[kind]}, which cannot be added", side.span, "add numbers or texts"
            )
        return {"number": NUMBER, "string": STRING}.get(kind, ANY)

    def call(self, expr: Call) -> Type:
        if expr.fn == "len":
            kind = family(self.read(expr.args[0]))
            if kind in {"number", "boolean"}:
                self.found.add(
                    "SPK235",
                    f"{shown(expr.args[0])} is {NAMES[kind]}, which has no length",
                    expr.span,
                    "give a list or a text",
                )
            return Type("int")
        for argument in expr.args:
            self.wanted(argument, NUMBER)
        return NUMBER

    def index(self, expr: Index) -> Type:
        of: Any = expr.target
        target, key = self.read(of), self.read(cast(Expr, expr.items[0]))
        kind = family(target)
        if kind in {"number", "boolean", "string"}:
            self.found.add(
                "SPK235",
                f"{shown(of)} is {NAMES[kind]}, which has no elements",
                expr.span,
                "index lists and maps",
            )
        elif (kind, family(key)) in {("list", "string"), ("map", "number")}:
            need = "a number counted from 0" if kind == "list" else "a key in quotes"
            self.found.add("SPK235", f"{shown(of)} is {NAMES[kind]}: its elements are found by {need}", expr.span, "")
        return target.args[-1] if target.kind in {"list", "map"} and target.args else ANY

    def member(self, expr: Member) -> Type:
        return field_type(self.read(cast(Expr, expr.target)), expr.name, expr, self.found)


def field_type(type: Type, name: str, expr: Expr, found: Collector) -> Type:
    """The type of `value.name`; a field that the type has not is an error."""
    if type.kind in {"record", "case"} and type.fields:
        field = type.field(name)
        if field is None:
            known = [one.name for one in type.fields]
            found.add("SPK204", f"{words(type)} has no field {name!r}", expr.span, near(name, known, "fields"))
            return ANY
        return field.type.args[0] if field.type.kind == "optional" else field.type
    if type.kind == "map" and type.args:
        return type.args[-1]
    kind = family(type)
    if kind in {"number", "string", "boolean"}:
        found.add("SPK204", f"{shown(expr)}: {NAMES[kind]} has no field {name!r}", expr.span, "use the value itself")
    return ANY


def shown(expr: Expr) -> str:
    """An expression in a message."""
    text = print_expr(expr)
    return f"`{text[:60]}...`" if len(text) > 60 else f"`{text}`"
