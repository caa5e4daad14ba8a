"""Decide a claim for every shape a spec admits: by intervals, by a counterexample, by z3, or not at all.

Knows neither plans nor what claims mean. z3's work is bounded by its resource counter, which counts steps and not
seconds, so that a verdict does not depend on how busy the machine is; a wall-clock limit stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from spak.check.bounds import interval, narrow
from spak.check.domain import Domain, Shape
from spak.lang.expr import UNKNOWN, Binary, Call, Expr, ListLit, Name, Num, Unary, evaluate

#: z3 resource units that one millisecond of a 2020s core roughly does; measured on the proofs of the test-suite.
_STEPS_PER_MS = 2000
#: The units decide, so that every machine proves the same; the clock only ends what counts none.
_WALL_FACTOR = 60


@dataclass(frozen=True)
class Proof:
    """`shape` is a counterexample when refuted; `samples` is how many shapes were tried when undecided."""

    verdict: Literal["proved", "refuted", "unproved"]
    how: str
    shape: Shape | None = None
    samples: int = 0

    def __str__(self) -> str:
        """The verdict in the words evidence uses."""
        if self.verdict == "unproved":
            return f"undecided; held on {self.samples} sampled shapes"
        return f"{self.verdict} by {self.how}"


def negated(expr: Expr) -> Expr:
    return Unary("!", expr)


def prove(domain: Domain, claim: Expr, given: Sequence[Expr] = (), z3_ms: int = 2000) -> Proof:
    """Whether `claim` holds for every shape of `domain` for which all of `given` hold."""
    env = narrow(domain.env, list(given))
    if any(bound.low > bound.high for bound in env.values()) or any(interval(g, env).high == 0 for g in given):
        return Proof("proved", "no shape reaches it")
    if interval(claim, env).low == 1:
        return Proof("proved", "intervals")
    for shape in domain.structured:
        if _violates(domain, claim, given, shape):
            return Proof("refuted", "a counterexample", _shrink(domain, claim, given, shape))
    verdict, model = _z3(domain, claim, given, z3_ms)
    if verdict == "proved":
        return Proof("proved", "z3")
    if model is not None and _violates(domain, claim, given, model) and domain.admits(model):
        return Proof("refuted", "z3", _shrink(domain, claim, given, model))
    for shape in domain.random:
        if _violates(domain, claim, given, shape):
            return Proof("refuted", "a sampled shape", _shrink(domain, claim, given, shape))
    return Proof("unproved", "", samples=len(domain.structured) + len(domain.random))


def _violates(domain: Domain, claim: Expr, given: Sequence[Expr], shape: Shape) -> bool:
    env = {**domain.constants, **shape}
    if any(evaluate(condition, env) is not True for condition in given):
        return False
    value = evaluate(claim, env)
    return value is UNKNOWN or value is False  # a division by zero is no way to meet a claim


def _shrink(domain: Domain, claim: Expr, given: Sequence[Expr], shape: Shape) -> Shape:
    """A smaller counterexample: each axis in turn down to the least value that still is one."""

    def bad(candidate: Shape) -> bool:
        return domain.admits(candidate) and _violates(domain, claim, given, candidate)

    shape = dict(shape)
    for name in (*domain.names, *domain.names):
        low, high = domain.bounds[name].low, shape[name]
        if low < 0:
            continue
        if bad({**shape, name: low}):
            shape[name] = low
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if bad({**shape, name: middle}) else (middle, high)
        shape[name] = high
    return shape


def _z3(domain: Domain, claim: Expr, given: Sequence[Expr], z3_ms: int) -> tuple[str, Shape | None]:
    """("proved" | "unknown", counterexample). A condition that cannot be said in z3 is left out, which proves less."""
    if z3_ms <= 0:
        return "unknown", None
    import z3

    symbols: dict[str, Any] = {name: z3.Int(name) for name in domain.names}
    known = {**{name: z3.IntVal(value) for name, value in domain.constants.items()}, **symbols}
    solver = z3.Solver()
    solver.set("rlimit", z3_ms * _STEPS_PER_MS)
    solver.set("timeout", z3_ms * _WALL_FACTOR)
    for name, symbol in symbols.items():
        solver.add(symbol >= domain.bounds[name].low, symbol <= domain.bounds[name].high)
    try:
        for condition in given:
            solver.add(_truth(z3, condition, known))
        solver.add(z3.Not(_truth(z3, claim, known)))
    except _Untranslatable:
        return "unknown", None
    for condition in domain.conditions:
        try:
            solver.add(_truth(z3, condition, known))
        except _Untranslatable:
            continue
    total: Any = z3.IntVal(0)
    for dims, itemsize in domain.sizes:
        try:
            product: Any = z3.IntVal(itemsize)
            for dim in dims:
                product = product * _number(z3, dim, known)
            total = total + product
        except _Untranslatable:
            continue
    solver.add(total <= domain.memory)
    result = solver.check()
    if result == z3.unsat:
        return "proved", None
    if result != z3.sat:
        return "unknown", None
    model = solver.model()
    return "unknown", {n: model.eval(s, model_completion=True).as_long() for n, s in symbols.items()}


class _Untranslatable(Exception):
    """An expression that has no counterpart in integer arithmetic."""


def _truth(z3: Any, expr: Expr, known: dict[str, Any]) -> Any:
    if isinstance(expr, Num) and isinstance(expr.value, bool):
        return z3.BoolVal(expr.value)
    if isinstance(expr, Unary) and expr.op == "!":
        return z3.Not(_truth(z3, expr.operand, known))
    if isinstance(expr, Binary):
        if expr.op in ("&&", "||"):
            sides = _truth(z3, expr.left, known), _truth(z3, expr.right, known)
            return z3.And(*sides) if expr.op == "&&" else z3.Or(*sides)
        if expr.op == "in" and isinstance(expr.right, ListLit):
            left = _number(z3, expr.left, known)
            return z3.Or(*[left == _number(z3, item, known) for item in expr.right.items])
        compare = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "==": "__eq__", "!=": "__ne__"}
        if expr.op in compare:
            a, b = _number(z3, expr.left, known), _number(z3, expr.right, known)
            return getattr(a, compare[expr.op])(b)
    raise _Untranslatable


def _number(z3: Any, expr: Expr, known: dict[str, Any]) -> Any:
    if isinstance(expr, Num) and not isinstance(expr.value, bool) and float(expr.value).is_integer():
        return z3.IntVal(int(expr.value))
    if isinstance(expr, Name) and expr.id in known:
        return known[expr.id]
    if isinstance(expr, Unary) and expr.op == "-":
        return -_number(z3, expr.operand, known)
    if isinstance(expr, Binary) and expr.op in ("+", "-", "*", "//", "%"):
        a, b = _number(z3, expr.left, known), _number(z3, expr.right, known)
        if expr.op in ("//", "%"):
            return _divide(z3, expr.op, a, b)
        return {"+": a.__add__, "-": a.__sub__, "*": a.__mul__}[expr.op](b)
    if isinstance(expr, Call):
        args = [_number(z3, argument, known) for argument in expr.args]
        if expr.fn == "cdiv" and len(args) == 2:
            return -_divide(z3, "//", -args[0], args[1])
        if expr.fn in ("min", "max") and args:
            best = args[0]
            for other in args[1:]:
                best = z3.If(other < best if expr.fn == "min" else other > best, other, best)
            return best
        if expr.fn == "abs" and len(args) == 1:
            return z3.If(args[0] < 0, -args[0], args[0])
    raise _Untranslatable


def _divide(z3: Any, op: str, a: Any, b: Any) -> Any:
    """z3's integer division rounds down for positive divisors, as ours does; other divisors are not followed."""
    b = z3.simplify(b)
    if not z3.is_int_value(b) or b.as_long() <= 0:
        raise _Untranslatable
    return a / b if op == "//" else a % b
