"""One expression over many rows with numpy, exactly as `spak.lang.expr.evaluate` has it row by row. Knows no facts.

The rows of a batch are alike: a name stands for values of one kind in all of them (`Batch`), so that a batch is computed in
the arithmetic that Python would use. Whatever numpy might do differently (integers beyond 62 bits, an integer that a float
cannot hold, operators on text, nodes that are new here) raises `Fallback`, and the caller evaluates these rows one by one.
Speed never decides a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spak.lang.expr import UNKNOWN, Binary, Call, Expr, ListLit, Name, Num, Str, Unary, evaluate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Mask = NDArray[np.bool_]

MOST: Final = 1 << 62  # of an integer in an array: sums of two stay below 64 bits
EXACT: Final = 1 << 53  # up to here every integer is a float
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "//", "%"})
COMPARISONS: Final = frozenset({"<", "<=", ">", ">="})


class Fallback(Exception):
    """These rows are evaluated one by one."""


@dataclass(frozen=True, slots=True)
class Const:
    """The same value in every row; it may be UNKNOWN."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rows:
    """A value a row. `kind` is `int`, `float`, `bool` or `str`; `unknown` marks rows without a value (None: no such row;
    one row speaks for all).

    `low` and `high` bound the integers. Where a row is unknown the array holds anything that does no harm.
    """

    kind: str
    data: Array
    unknown: Mask | None = None
    low: int = 0
    high: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A list written in the expression."""

    items: tuple[Const | Rows, ...]


Value = Const | Rows | Listed
Batch = Mapping[str, Const | Rows]


def compute(expr: Expr, batch: Batch) -> Value:
    """The value of an expression in each row of a batch. Raises Fallback."""
    if isinstance(expr, Num | Str):
        return Const(expr.value)
    if isinstance(expr, Name):
        return batch[expr.id]
    if isinstance(expr, ListLit):
        return Listed(tuple(_plain(compute(one, batch)) for one in expr.items))
    if isinstance(expr, Unary):
        return _unary(expr.op, _plain(compute(expr.operand, batch)))
    if isinstance(expr, Call):
        return _call(expr.fn, [_plain(compute(one, batch)) for one in expr.args])
    if isinstance(expr, Binary):
        left, right = compute(expr.left, batch), compute(expr.right, batch)
        if expr.op in {"&&", "||"}:
            return _logic(expr.op, _plain(left), _plain(right))
        return _contains(_plain(left), right) if expr.op == "in" else _binary(expr.op, _plain(left), _plain(right))
    raise Fallback


def rows_of_ints(values: list[int]) -> Rows:
    """A column of integers. Raises Fallback beyond 62 bits."""
    import numpy as np

    low, high = min(values), max(values)
    if low <= -MOST or high >= MOST:
        raise Fallback
    return Rows("int", np.array(values, dtype=np.int64), None, low, high)


def _plain(value: Value) -> Const | Rows:
    if isinstance(value, Listed):
        raise Fallback
    return value


def _unary(op: str, value: Const | Rows) -> Const | Rows:
    if isinstance(value, Const):
        return Const(evaluate(Unary(op, Name("x")), {"x": value.value}))
    if op == "!":
        return Rows("bool", ~value.data, value.unknown) if value.kind == "bool" else Const(UNKNOWN)
    if op != "-":
        raise Fallback
    if value.kind not in {"int", "float"}:
        return Const(UNKNOWN)
    return Rows(value.kind, -value.data, _with_nan(value, value.unknown), -value.high, -value.low)


def _binary(op: str, left: Const | Rows, right: Const | Rows) -> Const | Rows:
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(evaluate(Binary(op, Name("l"), Name("r")), {"l": left.value, "r": right.value}))
    if any(isinstance(side, Const) and side.value is UNKNOWN for side in (left, right)):
        return Const(UNKNOWN)
    one, other = _rows(left), _rows(right)
    unknown = _either(one.unknown, other.unknown)
    if op in {"==", "!="}:
        equal = _equal(one, other)
        return Rows("bool", equal if op == "==" else ~equal, unknown)
    if "str" in (one.kind, other.kind):
        raise Fallback
    if "bool" in (one.kind, other.kind):
        return Const(UNKNOWN)
    if op in COMPARISONS:
        return _compare(op, one, other, unknown)
    if op in ARITHMETIC:
        return _arithmetic(op, one, other, unknown)
    raise Fallback


def _rows(value: Const | Rows) -> Rows:
    """A constant as a column of one row, which numpy repeats as often as the other side needs."""
    import numpy as np

    if isinstance(value, Rows):
        return value
    constant = value.value
    if isinstance(constant, bool):
        return Rows("bool", np.array([constant]))
    if isinstance(constant, int) and -MOST < constant < MOST:
        return Rows("int", np.array([constant], dtype=np.int64), None, constant, constant)
    if isinstance(constant, float):
        return Rows("float", np.array([constant], dtype=np.float64))
    if isinstance(constant, str):
        return Rows("str", np.array([constant], dtype=object))
    raise Fallback


def _either(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


def _floats(value: Rows, *, exact: bool) -> Array:
    """A column as floats. Where only exact conversion gives what Python gives, a larger integer is not converted."""
    if value.kind == "int" and exact and not (value.low >= -EXACT and value.high <= EXACT):
        raise Fallback
    return value.data.astype("float64") if value.kind == "int" else value.data


def _equal(one: Rows, other: Rows) -> Mask:
    import numpy as np

    numbers = {"int", "float"}
    if one.kind == other.kind:
        return np.asarray(one.data == other.data, dtype=bool)
    if {one.kind, other.kind} <= numbers:
        return np.asarray(_floats(one, exact=True) == _floats(other, exact=True))
    return np.zeros(max(len(one.data), len(other.data)), dtype=bool)


def _pair(one: Rows, other: Rows) -> tuple[Array, Array]:
    """Two columns in a form in which comparing them is exact."""
    if one.kind == other.kind:
        return one.data, other.data
    return _floats(one, exact=True), _floats(other, exact=True)


def _compare(op: str, one: Rows, other: Rows, unknown: Mask | None) -> Rows:
    a, b = _pair(one, other)
    truth = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]
    return Rows("bool", truth, _with_nan(other, _with_nan(one, unknown)))


def _with_nan(value: Rows, unknown: Mask | None) -> Mask | None:
    """Rows that are unknown because a float there is no number, or that were so already."""
    if value.kind != "float":
        return unknown
    nan = value.data != value.data
    return _either(nan, unknown) if nan.any() else unknown


def _arithmetic(op: str, one: Rows, other: Rows, unknown: Mask | None) -> Rows:
    import numpy as np

    right = other
    if op in {"/", "//", "%"}:
        zero = other.data == 0
        if zero.any():
            unknown = _either(unknown, zero)
            low, high = min(other.low, 1), max(other.high, 1)
            right = Rows(other.kind, np.where(zero, other.data.dtype.type(1), other.data), None, low, high)
    if one.kind == "int" and right.kind == "int" and op != "/":
        return _integers(op, one, right, unknown)
    both = one.kind == "int" and right.kind == "int"
    a, b = _floats(one, exact=both), _floats(right, exact=both)
    with np.errstate(all="ignore"):
        if op in {"//", "%"}:  # element by element: C libraries differ in the last bit
            a, b = np.broadcast_arrays(a, b)
            pairs = zip(a.tolist(), b.tolist(), strict=True)
            data = np.array([x // y for x, y in pairs] if op == "//" else [x % y for x, y in pairs], dtype=np.float64)
        else:
            data = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[op](a, b)
    return Rows("float", data, _with_nan(Rows("float", data), unknown))


def _integers(op: str, one: Rows, other: Rows, unknown: Mask | None) -> Rows:
    import numpy as np

    bounds = _bounds(op, one, other)
    if bounds[0] <= -MOST or bounds[1] >= MOST:
        raise Fallback
    made: Callable[..., Array] = {
        "+": np.add, "-": np.subtract, "*": np.multiply, "//": np.floor_divide, "%": np.remainder,
    }[op]  # fmt: skip
    return Rows("int", made(one.data, other.data), unknown, *bounds)


def _bounds(op: str, one: Rows, other: Rows) -> tuple[int, int]:
    """Least and greatest integer that can come out."""
    if op == "+":
        return one.low + other.low, one.high + other.high
    if op == "-":
        return one.low - other.high, one.high - other.low
    if op == "*":
        ends = [x * y for x in (one.low, one.high) for y in (other.low, other.high)]
        return min(ends), max(ends)
    most = max(abs(one.low), abs(one.high)) if op == "//" else max(abs(other.low), abs(other.high))
    return -most - 1, most + 1


def _logic(op: str, left: Const | Rows, right: Const | Rows) -> Const | Rows:
    import numpy as np

    decisive = op == "||"
    sides = (left, right)
    if any(isinstance(side, Const) and side.value is decisive for side in sides):
        return Const(decisive)
    if all(isinstance(side, Const) for side in sides):
        return Const((not decisive) if all(side.value is (not decisive) for side in sides) else UNKNOWN)  # type: ignore[union-attr]
    n = next(len(side.data) for side in sides if isinstance(side, Rows))
    some, every = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
    for side in sides:
        if isinstance(side, Const):
            every &= side.value is (not decisive)
        elif side.kind == "bool":
            known = True if side.unknown is None else ~side.unknown
            some |= (side.data == decisive) & known
            every &= (side.data != decisive) & known
        else:
            every[:] = False
    unknown = ~some & ~every
    return Rows("bool", some if decisive else ~some, unknown if unknown.any() else None)


def _contains(value: Const | Rows, items: Value) -> Const | Rows:
    import numpy as np

    if not isinstance(items, Listed):
        raise Fallback
    if isinstance(value, Const):
        if value.value is UNKNOWN:
            return Const(UNKNOWN)
        if all(isinstance(one, Const) for one in items.items):
            listed = [one.value for one in items.items if isinstance(one, Const)]
            return Const(evaluate(Binary("in", Name("x"), Name("xs")), {"x": value.value, "xs": listed}))
        raise Fallback
    found, blind = np.zeros(len(value.data), dtype=bool), np.zeros(len(value.data), dtype=bool)
    for one in items.items:
        if isinstance(one, Const) and one.value is UNKNOWN:
            blind[:] = True
            continue
        other = _rows(one)
        known = True if other.unknown is None else ~other.unknown
        found |= _equal(value, other) & known
        if other.unknown is not None:
            blind |= other.unknown
    return Rows("bool", found, _either(value.unknown, blind & ~found))


def _call(fn: str, args: list[Const | Rows]) -> Const | Rows:
    if all(isinstance(one, Const) for one in args):
        names = [f"a{i}" for i in range(len(args))]
        env = {name: one.value for name, one in zip(names, args, strict=True) if isinstance(one, Const)}
        return Const(evaluate(Call(fn, tuple(map(Name, names))), env))
    if fn not in {"cdiv", "min", "max", "abs"}:
        raise Fallback
    if any(isinstance(one, Const) and one.value is UNKNOWN for one in args):
        return Const(UNKNOWN)
    columns = [_rows(one) for one in args]
    if any(one.kind not in {"int", "float"} for one in columns):
        return Const(UNKNOWN)
    unknown = None
    for one in columns:
        unknown = _with_nan(one, _either(unknown, one.unknown))
    if fn == "cdiv":
        return _cdiv(columns, unknown)
    if fn == "abs":
        return _absolute(columns, unknown)
    return _extreme(fn, columns, unknown)


def _cdiv(columns: list[Rows], unknown: Mask | None) -> Const | Rows:
    if len(columns) != 2 or any(one.kind != "int" for one in columns):
        return Const(UNKNOWN)
    top, bottom = columns
    down = _arithmetic("//", Rows("int", -top.data, unknown, -top.high, -top.low), bottom, unknown)
    return Rows("int", -down.data, down.unknown, -down.high, -down.low)


def _absolute(columns: list[Rows], unknown: Mask | None) -> Const | Rows:
    if len(columns) != 1:
        return Const(UNKNOWN)
    import numpy as np

    (one,) = columns
    data = np.abs(one.data)
    most = max(abs(one.low), abs(one.high))
    return Rows(one.kind, data, unknown, 0, most)


def _extreme(fn: str, columns: list[Rows], unknown: Mask | None) -> Rows:
    """As Python's: of equal values the first."""
    import numpy as np

    if len({one.kind for one in columns}) > 1:
        raise Fallback  # a row's result would be an integer here and a float there
    data = columns[0].data
    for one in columns[1:]:
        data = np.where(one.data < data if fn == "min" else one.data > data, one.data, data)
    low, high = min(one.low for one in columns), max(one.high for one in columns)
    return Rows(columns[0].kind, data, unknown, low, high)
