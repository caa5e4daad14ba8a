"""Expressions as C++: the language's own semantics on 64-bit integers and doubles. Knows no plan and no spec.

What C++ would do differently (floor division, overflow, mixed signs) goes through the functions of `spak/runtime/expr.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from spak.errors import Diagnostic, SpakError, Span
from spak.lang.expr import Binary, Call, Expr, ListLit, Name, Num, Str, Unary, parse_expr

_FUNCTIONS = {"+": "add", "-": "sub", "*": "mul", "//": "floordiv", "%": "mod", "/": "truediv"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Cpp:
    """A C++ expression and what it is: "int" (long long), "real" (double), "bool" or "list"."""

    text: str
    kind: str


def translate(text: str | int, env: Mapping[str, Cpp], place: Span | None = None) -> Cpp:
    """The C++ of an expression over the names of `env`. Raises SpakError (SPK510) for a name or a form that C++ has not."""
    if isinstance(text, int):
        return Cpp(literal(text), "int")
    return _Translator(env, place, text).of(parse_expr(text, place))


def integer(text: str | int, env: Mapping[str, Cpp], place: Span | None = None) -> str:
    """As `translate`, for a value that must be an integer: a real that is none is refused at run time."""
    cpp = translate(text, env, place)
    return cpp.text if cpp.kind == "int" else f"ex::integer({cpp.text})"


def condition(text: str, env: Mapping[str, Cpp], place: Span | None = None) -> str:
    """As `translate`, for a condition."""
    return translate(text, env, place).text


def literal(value: int | float | bool) -> str:
    """A number as C++ writes it, exactly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"double({float(value).hex()})"
    if not -(2**63) < value < 2**63:
        raise SpakError(Diagnostic("SPK510", f"{value} does not fit 64 bits"))
    return f"{value}LL" if value >= 0 else f"({value}LL)"


@dataclass(frozen=True, slots=True)
class _Translator:
    env: Mapping[str, Cpp]
    place: Span | None
    source: str

    def of(self, expr: Expr) -> Cpp:
        if isinstance(expr, Num):
            kind = "bool" if isinstance(expr.value, bool) else "real" if isinstance(expr.value, float) else "int"
            return Cpp(literal(expr.value), kind)
        if isinstance(expr, Name):
            if expr.id not in self.env:
                self._refuse(f"unknown name {expr.id!r}", f"names are: {', '.join(sorted(self.env)) or 'none'}")
            return self.env[expr.id]
        if isinstance(expr, Unary):
            return self._unary(expr)
        if isinstance(expr, Call):
            parts = [self._child(a) for a in expr.args]
            return Cpp(f"ex::{expr.fn}({', '.join(p.text for p in parts)})", _joined(parts))
        if isinstance(expr, Binary):
            return self._binary(expr)
        if isinstance(expr, Str):
            self._refuse("text has no place in an expression over sizes")
        assert isinstance(expr, ListLit)
        self._refuse("a list only has a place after `in`")

    def _unary(self, expr: Unary) -> Cpp:
        operand = self._child(expr.operand)
        if expr.op == "!":
            return Cpp(f"!{operand.text}", "bool")
        return Cpp(f"ex::neg({operand.text})", _joined([operand]))

    def _binary(self, expr: Binary) -> Cpp:
        left = self._child(expr.left)
        if expr.op == "in":
            items = [self._child(i) for i in expr.right.items] if isinstance(expr.right, ListLit) else None
            if items is None:
                self._refuse("`in` needs a list on its right")
            return Cpp(f"ex::in({', '.join([left.text, *(i.text for i in items)])})", "bool")
        right = self._child(expr.right)
        if expr.op in _FUNCTIONS:
            kind = "real" if expr.op == "/" else _joined([left, right])
            return Cpp(f"ex::{_FUNCTIONS[expr.op]}({left.text}, {right.text})", kind)
        if expr.op in _COMPARISONS or expr.op in ("&&", "||"):
            return Cpp(f"({left.text} {expr.op} {right.text})", "bool")
        self._refuse(f"operator {expr.op!r} cannot be compiled")

    def _child(self, value: object) -> Cpp:
        return self.of(value)  # type: ignore[arg-type]

    def _refuse(self, what: str, hint: str = "") -> NoReturn:
        raise SpakError(Diagnostic("SPK510", f"{what}, in `{self.source}`", self.place, hint))


def _joined(parts: list[Cpp]) -> str:
    return "real" if any(p.kind == "real" for p in parts) else "int"
