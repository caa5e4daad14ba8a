"""Intervals of plan expressions over the shapes a spec admits. Knows integer arithmetic, neither z3 nor samples.

Sound and cheap: what an interval decides needs no proof. What it does not see is that two quantities move together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spak.lang.expr import Binary, Call, Expr, ListLit, Name, Num, Unary
from spak.model.ir import Scalar

if TYPE_CHECKING:
    from spak.check.subject import Subject

#: Stands for "no bound": larger than any product of a few 64-bit values, and still an ordinary integer.
UNBOUNDED = 2**400

#: The tensors of one call together hold no more bytes than this (256 GiB), unless the target states MEMORY_BYTES.
MEMORY_BYTES = 2**38

_SCALARS = {"i32": (-(2**31), 2**31 - 1), "i8": (-128, 127), "u8": (0, 255)}
_ROUNDS = 4  # require conditions may bound one axis through another


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from `low` to `high`, both included."""

    low: int = -UNBOUNDED
    high: int = UNBOUNDED

    def meet(self, other: Interval) -> Interval:
        return Interval(max(self.low, other.low), min(self.high, other.high))

    def join(self, other: Interval) -> Interval:
        return Interval(min(self.low, other.low), max(self.high, other.high))


Env = Mapping[str, Interval]
ANY = Interval()
BOOL = Interval(0, 1)


def add(a: Interval, b: Interval) -> Interval:
    return _clamp(a.low + b.low, a.high + b.high)


def subtract(a: Interval, b: Interval) -> Interval:
    return _clamp(a.low - b.high, a.high - b.low)


def multiply(a: Interval, b: Interval) -> Interval:
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _clamp(min(corners), max(corners))


def floor_divide(a: Interval, b: Interval) -> Interval:
    """Quotient rounded down; nothing is known when the divisor may be zero."""
    if min(b.low, b.high) <= 0 <= max(b.low, b.high):  # low above high: conditions that contradict each other
        return ANY
    corners = [x // y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _clamp(min(corners), max(corners))


def remainder(a: Interval, b: Interval) -> Interval:
    """Python's remainder, which has the sign of the divisor; only positive divisors are followed."""
    if b.low <= 0:
        return ANY
    if a.low >= 0 and a.high < b.low:
        return a
    return Interval(0, min(b.high - 1, a.high) if a.low >= 0 else b.high - 1)


def _clamp(low: int, high: int) -> Interval:
    return Interval(max(low, -UNBOUNDED), min(high, UNBOUNDED))


def interval(expr: Expr, env: Env) -> Interval:
    """The values an integer expression can take; a Boolean is 0 or 1."""
    if isinstance(expr, Num):
        return Interval(int(expr.value), int(expr.value)) if float(expr.value).is_integer() else ANY
    if isinstance(expr, Name):
        return env.get(expr.id, ANY)
    if isinstance(expr, Unary):
        inner = interval(expr.operand, env)
        if expr.op == "-":
            return Interval(-inner.high, -inner.low)
        return subtract(Interval(1, 1), inner.meet(BOOL)) if expr.op == "!" else ANY
    if isinstance(expr, Binary):
        return _binary(expr, env)
    if isinstance(expr, Call):
        return _call(expr.fn, [interval(argument, env) for argument in expr.args])
    return ANY


def _binary(expr: Binary, env: Env) -> Interval:
    a = interval(expr.left, env)
    if expr.op == "in":
        return BOOL
    b = interval(expr.right, env)
    table = {"+": add, "-": subtract, "*": multiply, "//": floor_divide, "%": remainder}
    if expr.op in table:
        return table[expr.op](a, b)
    if expr.op in ("<", "<=", ">", ">=", "==", "!="):
        return _compare(expr.op, a, b)
    if expr.op == "&&":
        return Interval(min(a.low, b.low), min(a.high, b.high)).meet(BOOL)
    if expr.op == "||":
        return Interval(max(a.low, b.low), max(a.high, b.high)).meet(BOOL)
    return ANY


def _compare(op: str, a: Interval, b: Interval) -> Interval:
    yes, no = Interval(1, 1), Interval(0, 0)
    if op in (">", ">="):
        return _compare("<" if op == ">" else "<=", b, a)
    if op in ("<", "<="):
        slack = op == "<"
        if a.high + slack <= b.low:
            return yes
        return no if a.low + slack > b.high else BOOL
    same = a.low == a.high == b.low == b.high
    apart = a.high < b.low or b.high < a.low
    if same or apart:
        return yes if same == (op == "==") else no
    return BOOL


def _call(fn: str, args: list[Interval]) -> Interval:
    if fn == "cdiv" and len(args) == 2 and args[1].low > 0 and args[1].high > 0:
        a, b = args
        corners = [-(-x // y) for x in (a.low, a.high) for y in (b.low, b.high)]
        return _clamp(min(corners), max(corners))
    if fn == "min" and args:
        return Interval(min(a.low for a in args), min(a.high for a in args))
    if fn == "max" and args:
        return Interval(max(a.low for a in args), max(a.high for a in args))
    if fn == "abs" and len(args) == 1:
        low, high = args[0].low, args[0].high
        return Interval(0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
    return ANY


def conjuncts(expr: Expr) -> list[Expr]:
    """`a && b && c` as its parts."""
    if isinstance(expr, Binary) and expr.op == "&&":
        return [*conjuncts(expr.left), *conjuncts(expr.right)]
    return [expr]


def required_bounds(subject: Subject) -> dict[str, Interval]:
    """Bounds of the axes and integer scalars that follow from `require` alone."""
    signature = subject.interface.signature
    env = {axis: Interval(0, UNBOUNDED) for axis in signature.axes}
    for param in signature.params:
        if isinstance(param, Scalar) and param.dtype in _SCALARS:
            env[param.name] = Interval(*_SCALARS[param.dtype])
    return narrow(env, subject.requirements)


def axis_bounds(subject: Subject) -> dict[str, Interval]:
    """The same, and the tensors of a call fit into memory: the bounds that proofs and index checks assume.

    An axis is bounded as if the others were not empty: an array without elements may be as long as it likes otherwise.
    """
    env = required_bounds(subject)
    memory = memory_bytes(subject)
    for axis in subject.interface.signature.axes:
        bytes_per_step = sum(
            _least(dims, axis, env) * subject.itemsizes[tensor] for tensor, dims in subject.dims.items()
        )
        env[axis] = env[axis].meet(Interval(0, memory // max(bytes_per_step, 1)))
    return narrow(env, subject.requirements)


def _least(dims: tuple[Expr, ...], axis: str, env: Env) -> int:
    """How many elements a tensor has at least for each step of an axis; 0 when the axis is none of its dimensions."""
    at = next((i for i, dim in enumerate(dims) if isinstance(dim, Name) and dim.id == axis), None)
    if at is None:
        return 0
    least = 1
    for other in dims[:at] + dims[at + 1 :]:
        least *= max(interval(other, env).low, 1)
    return least


def memory_bytes(subject: Subject) -> int:
    """What the tensors of one call may hold on the target."""
    return int(subject.target.constants.get("MEMORY_BYTES", MEMORY_BYTES))


def narrow(env: dict[str, Interval], conditions: list[Expr]) -> dict[str, Interval]:
    """Tighten bounds of single names by comparisons with anything whose bounds are known."""
    env = dict(env)
    parts = [part for condition in conditions for part in conjuncts(condition)]
    for _ in range(_ROUNDS):
        for part in parts:
            if isinstance(part, Binary):
                _narrow_one(env, part)
    return env


_MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}


def _narrow_one(env: dict[str, Interval], part: Binary) -> None:
    if part.op == "in" and isinstance(part.left, Name) and isinstance(part.right, ListLit) and part.left.id in env:
        values = [interval(item, env) for item in part.right.items]
        if values:
            joined = Interval(min(v.low for v in values), max(v.high for v in values))
            env[part.left.id] = env[part.left.id].meet(joined)
        return
    if part.op not in _MIRROR:
        return
    for side, other, op in ((part.left, part.right, part.op), (part.right, part.left, _MIRROR[part.op])):
        if not isinstance(side, Name) or side.id not in env:
            continue
        known = interval(other, env)
        limits = {
            "<": Interval(-UNBOUNDED, known.high - 1), "<=": Interval(-UNBOUNDED, known.high),
            ">": Interval(known.low + 1, UNBOUNDED), ">=": Interval(known.low, UNBOUNDED), "==": known,
        }  # fmt: skip
        env[side.id] = env[side.id].meet(limits[op])
