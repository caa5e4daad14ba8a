"""Properties that relate several calls: linearity, scaling, permutation, and what rows sum to. Knows the candidate
only by its results.

They come from the unit's invariants (`check: permutation_equivariant(x, 0)`) and, for operations linear in a
parameter, from `linear`: scaling the input by a power of two must scale the result bit for bit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spak.model.ir import Invariant, Tensor
from spak.verify.arena import bits
from spak.verify.attempt import Attempt, Setup, attempt
from spak.verify.dtypes import F64, KINDS, from_f64, to_f64, ulp
from spak.verify.figures import plain_is_exact
from spak.verify.rig import Case, Rig
from spak.verify.rounds import Round, case_of

_CALL = re.compile(r"^\s*(\w+)\s*(?:\(\s*([^()]*)\s*\))?\s*$")


@dataclass(frozen=True, slots=True)
class Property:
    """One property to test: its name and arguments, and what the spec calls it."""

    label: str
    name: str
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a property held. `attempt` is the call whose own result was wrong, if that is why."""

    ok: bool
    detail: str
    attempt: Attempt | None = None


def property_of(invariant: Invariant) -> Property | None:
    """The metamorphic property an invariant's check names; None when it is something else (a plan bound, prose)."""
    match = _CALL.match(invariant.check)
    if not match or match.group(1) not in PROPERTIES:
        return None
    args = tuple(part.strip() for part in (match.group(2) or "").split(",") if part.strip())
    return Property(invariant.name, match.group(1), args)


def hold(rig: Rig, prop: Property, round_: Round, setup: Setup) -> Finding:
    """Test a property on one round's case."""
    case = case_of(rig.problem, round_)
    try:
        return PROPERTIES[prop.name](rig, prop, case, replace(setup, moved=False))
    except _Stopped as stopped:
        return Finding(False, f"the call itself fails ({stopped.tried.worst})", stopped.tried)


class _Stopped(Exception):
    def __init__(self, tried: Attempt) -> None:
        self.tried = tried


def _results(rig: Rig, case: Case, setup: Setup) -> Attempt:
    tried = attempt(rig, case, replace(setup, schedules=setup.schedules[:1]))
    if tried.runs[-1].failure:
        raise _Stopped(tried)
    return tried


def _tensor(rig: Rig, prop: Property) -> Tensor:
    named = [t for t in rig.problem.tensors if t.name == prop.args[0]] if prop.args else list(rig.problem.tensors[:1])
    if not named:
        raise ValueError(f"invariant {prop.label}: {prop.args[0]} is no tensor parameter")
    return named[0]


def _put(case: Case, name: str, values: F64, dtype: str) -> Case:
    return replace(case, inputs={**case.inputs, name: from_f64(values, dtype)})


def _linear(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    """f(x + y) = f(x) + f(y) - f(0), on small integers, where every honest computation is exact."""
    tensor = _tensor(rig, prop)
    rng = np.random.Generator(np.random.Philox(key=[1, 2]))
    whole = {
        t.name: from_f64(rng.integers(-3, 4, case.inputs[t.name].shape).astype(float), t.dtype)
        for t in rig.problem.tensors
    }
    x, y = (rng.integers(-3, 4, case.inputs[tensor.name].shape).astype(float) for _ in "xy")
    base = replace(case, inputs=whole)
    values = [_results(rig, _put(base, tensor.name, v, tensor.dtype), setup) for v in (x + y, x, y, np.zeros_like(x))]
    for name in values[0].judged:
        a, b, c, d = (v.judged[name].got for v in values)
        if not all(plain_is_exact(v.expected[name]) for v in values):
            slack = sum(v.judged[name].bound for v in values) + ulp(a, KINDS[values[0].judged[name].dtype]) * 2
        else:
            slack = 2 * ulp(a, KINDS[values[0].judged[name].dtype]) * (KINDS[values[0].judged[name].dtype].bits < 20)
        wrong = ~(np.abs(a - (b + c - d)) <= slack)
        if wrong.any():
            return Finding(
                False,
                f"{name} is not linear in {tensor.name}: {int(wrong.sum())} of {wrong.size} elements of f(x + y) "
                "and f(x) + f(y) differ",
            )
    return Finding(True, f"linear in {tensor.name}")


def _homogeneous(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    """f(2x) = 2 f(x), within both bounds."""
    tensor = _tensor(rig, prop)
    wide = to_f64(case.inputs[tensor.name], tensor.dtype)
    one, two = _results(rig, case, setup), _results(rig, _put(case, tensor.name, 2 * wide, tensor.dtype), setup)
    return _agree(one, two, lambda v: 2 * v, 2.0, f"homogeneous in {tensor.name}")


def _equivariant(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    """f of permuted input is the permuted f, along one axis of the input and the axis of the same name of each
    result.
    """
    tensor = _tensor(rig, prop)
    axis = int(prop.args[1]) if len(prop.args) > 1 else 0
    values = case.inputs[tensor.name]
    order = np.random.Generator(np.random.Philox(key=[3, 4])).permutation(values.shape[axis])
    label = tensor.shape[axis]
    permuted = replace(case, inputs={**case.inputs, tensor.name: np.take(values, order, axis=axis)})
    one, two = _results(rig, case, setup), _results(rig, permuted, setup)
    shapes = {r.name: r.shape for r in rig.problem.unit.signature.results}

    def move(values: F64, name: str) -> F64:
        return np.take(values, order, axis=shapes[name].index(label)) if label in shapes[name] else values

    for name in one.judged:
        bound = move(one.judged[name].bound, name) + two.judged[name].bound
        wrong = _differ(move(one.judged[name].got, name), two.judged[name].got, bound, one.judged[name].dtype)
        if wrong:
            return Finding(False, f"{name} is not permuted with {tensor.name} along {label}: {wrong} elements differ")
    return Finding(True, f"a permutation of {tensor.name} along {label} permutes the result likewise")


def _rows_sum(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    """Each row of the first result sums to a number, give or take the bounds and rounding of its elements."""
    target = float(prop.args[0]) if prop.args else 1.0
    tried = _results(rig, case, setup)
    judged = next(iter(tried.judged.values()))
    slack = (judged.bound + ulp(judged.exact, KINDS[judged.dtype])).sum(axis=-1)
    sums = judged.got.sum(axis=-1)
    wrong = ~(np.abs(sums - target) <= slack)
    if wrong.any():
        row = int(np.flatnonzero(wrong.ravel())[0])
        return Finding(False, f"row {row} of {judged.name} sums to {sums.ravel()[row]:.7g}, not to {target:g}")
    return Finding(True, f"every row of {judged.name} sums to {target:g}")


def _deterministic(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    one, two = _results(rig, case, setup), _results(rig, case, setup)
    for name in one.judged:
        if not np.array_equal(bits(one.runs[0].outputs[name]), bits(two.runs[0].outputs[name])):
            return Finding(False, f"{name} differs between two runs on the same input")
    return Finding(True, "two runs are equal bit for bit")


def _scaled(rig: Rig, prop: Property, case: Case, setup: Setup) -> Finding:
    """Scaling every linear parameter by 2**k scales the result by a power of two, bit for bit: rounding commutes
    with it.
    """
    exponent = int(prop.args[0])
    scaled = case
    for tensor in rig.problem.tensors:
        if tensor.name in rig.problem.unit.linear_in and KINDS[tensor.dtype].floating:
            scaled = _put(
                scaled, tensor.name, np.ldexp(to_f64(case.inputs[tensor.name], tensor.dtype), exponent), tensor.dtype
            )
    one, two = _results(rig, case, setup), _results(rig, scaled, setup)
    for name in one.judged:
        before, after = one.expected[name].exact, two.expected[name].exact
        usable = (before != 0) & np.isfinite(before) & np.isfinite(after)
        powers = (
            np.unique(np.round(np.log2(np.abs(after[usable] / before[usable])), 9)) if usable.any() else np.zeros(0)
        )
        if powers.size != 1 or powers[0] != int(powers[0]):
            return Finding(
                True,
                "the result does not scale with the linear parameters alone: compared with the oracle only",
                _wrong(two),
            )
        if not two.ok:
            return Finding(False, f"wrong on inputs scaled by 2**{exponent}", two)
        expected = np.ldexp(one.judged[name].got, int(powers[0]))
        kind = KINDS[two.judged[name].dtype]
        normal = (np.abs(expected) >= 2.0 ** (kind.emin + 1)) & (np.abs(expected) <= kind.largest)
        wrong = (expected != two.judged[name].got) & normal
        if wrong.any():
            return Finding(
                False,
                f"inputs scaled by 2**{exponent} do not scale {name} by 2**{int(powers[0])} bit for bit: "
                f"{int(wrong.sum())} elements differ",
            )
    return Finding(True, f"inputs scaled by 2**{exponent} scale the result bit for bit")


def _wrong(tried: Attempt) -> Attempt | None:
    return None if tried.ok else tried


def _differ(one: F64, two: F64, bound: F64, dtype: str) -> int:
    with np.errstate(all="ignore"):
        slack = bound + ulp(one, KINDS[dtype]) * 1.5
        same = (np.abs(one - two) <= slack) | (one == two) | (np.isnan(one) & np.isnan(two))
    return int((~same).sum())


def _agree(one: Attempt, two: Attempt, move: Callable[[F64], F64], scale: float, label: str) -> Finding:
    for name in one.judged:
        bound = scale * one.judged[name].bound + two.judged[name].bound
        wrong = _differ(move(one.judged[name].got), two.judged[name].got, bound, one.judged[name].dtype)
        if wrong:
            return Finding(False, f"{name} is not {label}: {wrong} elements differ")
    return Finding(True, label)


PROPERTIES: dict[str, Callable[[Rig, Property, Case, Setup], Finding]] = {
    "linear": _linear,
    "homogeneous": _homogeneous,
    "permutation_equivariant": _equivariant,
    "rows_sum_to": _rows_sum,
    "deterministic": _deterministic,
    "scaled": _scaled,
}


def properties(rig: Rig, invariants: Sequence[Invariant]) -> list[Property]:
    """What is to be tested: declared invariants, and exact scaling for linear floating-point operations."""
    found = [p for p in map(property_of, invariants) if p]
    unit: Any = rig.problem.unit
    if unit.linear_in and any(t.name in unit.linear_in and KINDS[t.dtype].floating for t in rig.problem.tensors):
        found += [Property("scaled-up", "scaled", ("6",)), Property("scaled-down", "scaled", ("-6",))]
    return found
