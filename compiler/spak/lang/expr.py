"""Expressions: parse, print, check and evaluate. Knows arithmetic and names, not where they come from.

Evaluation is ours: total, bounded, three-valued. A missing name, a division by zero or a value of the wrong type makes
a result `UNKNOWN`; `false && UNKNOWN` is false and `true || UNKNOWN` is true. There is no `eval`.

Statements may say more than launch plans, cost models and requires: `xs[0]`, `xs[0].name`, `len(x)`, `+` and `in`
of text. Evaluation knows all of it; `as_expr` admits it only where `statements` is given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.printer import print_value
from spak.lang.tree import Binary, Call, Index, ListLit, Member, Name, Num, Str, Unary

__all__ = [
    "FUNCTIONS", "MORE_FUNCTIONS", "UNKNOWN", "Binary", "Call", "Expr", "Index", "ListLit", "Member", "Name", "Num", "Str",
    "Unary", "Unknown", "as_expr", "check_types", "evaluate", "names", "parse_expr", "print_expr", "walk",
]  # fmt: skip

MAX_LENGTH = 4000
MAX_DEPTH = 100
MAX_TEXT = 1 << 20  # characters of a joined text
MAX_BITS = 4096  # of an integer result: far above any size, far below what takes time

#: Functions and the number of arguments they take: (least, most).
FUNCTIONS: Final = {"cdiv": (2, 2), "min": (1, 16), "max": (1, 16), "abs": (1, 1)}
#: What statements may call besides.
MORE_FUNCTIONS: Final = {"len": (1, 1)}
ARTICLES: Final = {
    "Verbatim": "free text",
    "MapLit": "a map",
    "Index": "an index",
    "Seq": "a second value",
    "Group": "a group of values",
}
OPERATORS: Final = frozenset({"+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"})

Expr = Num | Str | Name | Unary | Binary | Call | ListLit | Index | Member


class Unknown:
    """The third truth value; there is one instance, `UNKNOWN`. Using it as a condition is a mistake, and raises."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("UNKNOWN is neither true nor false: compare with `is True`")


UNKNOWN: Final = Unknown()


def parse_expr(text: str, span: Span | None = None, *, statements: bool = False) -> Expr:
    """Parse one expression. With `span`, the place of the text, errors point into the file. Raises SpakError."""
    from spak.lang.syntax import parse_expression

    file = span.file if span else "expression"
    if len(text) > MAX_LENGTH:
        raise SpakError(
            Diagnostic(
                "SPK107", f"an expression of {len(text)} characters", span, f"the limit is {MAX_LENGTH}; name its parts"
            )
        )
    found = Collector()
    value = parse_expression(text, file, found)
    expr = as_expr(value, found, statements=statements) if value is not None else None
    if found.errors or expr is None:
        raise SpakError(*(shifted(d, span) for d in found.errors))
    return expr


def shifted(diagnostic: Diagnostic, base: Span | None) -> Diagnostic:
    """A diagnostic inside an expression's own text, moved to where that text stands in its file."""
    inner = diagnostic.span
    if base is None or inner is None:
        return diagnostic
    if inner.line != 1 or not inner.file:
        moved = base
    else:
        moved = Span(
            base.file, base.line, base.col + inner.col - 1, base.line, base.col + max(inner.end_col, inner.col) - 1
        )
    return replace(diagnostic, span=moved)


def as_expr(value: tree.Value, found: Collector, *, statements: bool = False) -> Expr | None:
    """A parsed value as an expression: reports what expressions do not have. None if there was an error."""
    if depth(value) > MAX_DEPTH:
        found.add(
            "SPK107",
            f"an expression of more than {MAX_DEPTH} levels",
            value.span,
            "name its parts, or group them evenly",
        )
        return None
    before = len(found.errors)
    for node in walk(value):
        _admit(node, found, statements)
    return value if len(found.errors) == before else None  # type: ignore[return-value]


def _admit(node: tree.Value, found: Collector, statements: bool) -> None:
    if isinstance(node, Call):
        functions = FUNCTIONS | MORE_FUNCTIONS if statements else FUNCTIONS
        if node.fn not in functions:
            found.add(
                "SPK108",
                f"there is no function {node.fn!r} in expressions",
                node.span,
                f"functions are: {', '.join(functions)}",
            )
            return
        least, most = functions[node.fn]
        if not least <= len(node.args) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            found.add(
                "SPK108",
                f"{node.fn} takes {wanted} arguments, not {len(node.args)}",
                node.span,
                "see the spec reference",
            )
        return
    if isinstance(node, Num | Str | Name | ListLit):
        return
    if statements and (isinstance(node, Member) or (isinstance(node, Index) and len(node.items) == 1)):
        return
    if (isinstance(node, Unary) and node.op in "-!") or (isinstance(node, Binary) and node.op in OPERATORS):
        return
    what = (
        f"the operator {node.op!r}" if isinstance(node, Binary | Unary) else ARTICLES.get(type(node).__name__, "this")
    )
    found.add(
        "SPK108",
        f"{what} has no place in an expression",
        node.span,
        "use + - * / // %, comparisons, && || !, in, cdiv min max abs",
    )


def children(node: tree.Value) -> tuple[tree.Value, ...]:
    """The direct parts of a value."""
    if isinstance(node, Binary):
        return (node.left, node.right)
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Call):
        return node.args
    if isinstance(node, ListLit):
        return node.items
    if isinstance(node, Index):
        return (node.target, *node.items)
    if isinstance(node, Member):
        return (node.target,)
    return ()


def walk(value: tree.Value) -> Iterator[tree.Value]:
    """Every node, without recursion."""
    stack = [value]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def depth(value: tree.Value) -> int:
    """How many levels a value has, without recursion."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(node))
    return deepest


def print_expr(expr: Expr) -> str:
    """The canonical text: one space round operators, the fewest parentheses. `parse_expr(print_expr(e)) == e`."""
    return print_value(expr)


def names(expr: Expr) -> frozenset[str]:
    """Every name in an expression; functions are not among them."""
    return frozenset(node.id for node in walk(expr) if isinstance(node, Name))


# ---- types -----------------------------------------------------------------------------------------------------------


def check_types(expr: Expr, kinds: Mapping[str, str], wanted: str, found: Collector) -> None:
    """Check that an expression is a `number`, `truth` or `text`. Names not in `kinds` (same words) may be anything."""
    kind = _kind(expr, kinds, found)
    if kind not in {wanted, ""}:
        found.add("SPK109", f"this is a {kind}, where a {wanted} is needed", expr.span, _advice(wanted))


def _advice(wanted: str) -> str:
    return "compare it with something, as in `x >= 1`" if wanted == "truth" else "a truth cannot be calculated with"


def _kind(expr: Expr, kinds: Mapping[str, str], found: Collector) -> str:
    """`number`, `truth`, `text`, `list`, or '' where it cannot be known."""
    if isinstance(expr, Num):
        return "truth" if isinstance(expr.value, bool) else "number"
    if isinstance(expr, Str):
        return "text"
    if isinstance(expr, Name):
        return kinds.get(expr.id, "")
    if isinstance(expr, ListLit):
        for item in expr.items:
            _kind(item, kinds, found)
        return "list"
    if isinstance(expr, Index | Member):
        return ""
    if isinstance(expr, Unary):
        kind = "number" if expr.op == "-" else "truth"
        check_types(expr.operand, kinds, kind, found)
        return kind
    if isinstance(expr, Call):
        for argument in expr.args:
            check_types(argument, kinds, "number", found)
        return "number"
    return _binary_kind(expr, kinds, found)


def _binary_kind(expr: Binary, kinds: Mapping[str, str], found: Collector) -> str:
    left, right = expr.left, expr.right
    if expr.op in {"&&", "||"}:
        check_types(left, kinds, "truth", found)
        check_types(right, kinds, "truth", found)
        return "truth"
    if expr.op == "in":
        _kind(left, kinds, found)
        check_types(right, kinds, "list", found)
        return "truth"
    if expr.op in {"==", "!="}:
        one, other = _kind(left, kinds, found), _kind(right, kinds, found)
        if one and other and one != other:
            found.add("SPK109", f"a {one} is never equal to a {other}", expr.span, "compare values of one kind")
        return "truth"
    check_types(left, kinds, "number", found)
    check_types(right, kinds, "number", found)
    return "truth" if expr.op in {"<", "<=", ">", ">="} else "number"


# ---- evaluation ------------------------------------------------------------------------------------------------------


def evaluate(expr: Expr, env: Mapping[str, Any]) -> Any:
    """The value under `env` (name -> int, float, bool, str, list or nested mapping), or `UNKNOWN`. Never raises.

    Integers are exact; `/` is true division, `//` and `%` floor. Dotted names are looked up whole, then part by part.
    """
    if isinstance(expr, Num | Str):
        return expr.value
    if isinstance(expr, Name):
        return _lookup(expr.id, env)
    if isinstance(expr, ListLit):
        return [evaluate(item, env) for item in expr.items]
    if isinstance(expr, Unary):
        value = evaluate(expr.operand, env)
        if expr.op == "!":
            return not value if isinstance(value, bool) else UNKNOWN
        return -value if _is_number(value) else UNKNOWN
    if isinstance(expr, Index):
        return element(evaluate(expr.target, env), evaluate(expr.items[0], env))
    if isinstance(expr, Member):
        return element(evaluate(expr.target, env), expr.name)
    if isinstance(expr, Call):
        return _bounded(_call(expr.fn, [evaluate(a, env) for a in expr.args]))
    if expr.op in {"&&", "||"}:
        return _logic(expr, env)
    left, right = evaluate(expr.left, env), evaluate(expr.right, env)
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if expr.op == "in":
        return _contains(left, right)
    if expr.op in {"==", "!="}:
        return _equal(left, right) is (expr.op == "==")
    if expr.op in {"<", "<=", ">", ">="}:
        return _compare(expr.op, left, right)
    return _bounded(_arithmetic(expr.op, left, right))


def _lookup(name: str, env: Mapping[str, Any]) -> Any:
    if name in env:
        return env[name]
    value: Any = env
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return UNKNOWN
        value = value[part]
    return value


def element(value: Any, key: Any) -> Any:
    """`value[key]`: of a list by position from 0, of a map by key."""
    if isinstance(value, Mapping) and isinstance(key, str):
        return value.get(key, UNKNOWN)
    if isinstance(value, list | tuple) and isinstance(key, int) and not isinstance(key, bool):
        return value[key] if 0 <= key < len(value) else UNKNOWN
    return UNKNOWN


def _is_number(value: Any) -> bool:
    """Whether a value can be calculated with: no truth, and not the float that is no number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return UNKNOWN
    return UNKNOWN if isinstance(value, float) and math.isnan(value) else value


def _logic(expr: Binary, env: Mapping[str, Any]) -> Any:
    decisive = expr.op == "||"
    values = [evaluate(side, env) for side in (expr.left, expr.right)]
    if any(value is decisive for value in values):
        return decisive
    return (not decisive) if all(value is (not decisive) for value in values) else UNKNOWN


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    return bool(left == right)


def _contains(value: Any, items: Any) -> Any:
    if isinstance(items, str) and isinstance(value, str):
        return value in items
    if not isinstance(items, list | tuple):
        return UNKNOWN
    if any(item is not UNKNOWN and _equal(value, item) for item in items):
        return True
    return UNKNOWN if any(item is UNKNOWN for item in items) else False


def _compare(op: str, left: Any, right: Any) -> Any:
    if not (_is_number(left) and _is_number(right)):
        return UNKNOWN
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _arithmetic(op: str, left: Any, right: Any) -> Any:
    if op == "+" and isinstance(left, str) and isinstance(right, str):
        return left + right if len(left) + len(right) <= MAX_TEXT else UNKNOWN
    if not (_is_number(left) and _is_number(right)) or (op in {"/", "//", "%"} and right == 0):
        return UNKNOWN
    try:
        if op == "+":
            return left + right
        if op == "-":
            return left - right
        if op == "*":
            return left * right
        if op == "/":
            return left / right
        return left // right if op == "//" else left % right
    except OverflowError:
        return UNKNOWN


def _call(fn: str, args: list[Any]) -> Any:
    if fn == "len" and len(args) == 1:
        return len(args[0]) if isinstance(args[0], str | list | tuple | Mapping) else UNKNOWN
    if not args or not all(_is_number(a) for a in args) or fn not in FUNCTIONS:
        return UNKNOWN
    if fn == "cdiv":
        if len(args) != 2 or not all(isinstance(a, int) for a in args) or args[1] == 0:
            return UNKNOWN
        return -(-args[0] // args[1])
    if fn == "abs":
        return abs(args[0]) if len(args) == 1 else UNKNOWN
    return min(args) if fn == "min" else max(args)
