"""What a wrong kernel may have computed instead: each hypothesis is tried by asking the oracle for that, and comparing.

A hypothesis that explains every element (within the bound, or the wrong ones beside their right neighbours) is a
cause that can be named. Knows nothing of crashes, red zones or processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spak.errors import SpakError
from spak.model.ir import Tensor
from spak.verify.attempt import Attempt
from spak.verify.dtypes import F64, KINDS, Array, from_f64, to_f64
from spak.verify.figures import Judged
from spak.verify.patterns import tile_of
from spak.verify.rig import Case, Expected, Rig


@dataclass(frozen=True, slots=True)
class Cause:
    """A named cause: its code, what it is in words, and what to do."""

    code: str
    what: str
    hint: str


def explain(rig: Rig, tried: Attempt) -> Cause | None:
    """The first hypothesis that explains the first wrong result, or None."""
    name = next((n for n, j in tried.judged.items() if not j.ok), "")
    if not name:
        return None
    for hypothesis in (
        _layout_of_result,
        _shifted,
        _cut_axes,
        _swapped_inputs,
        _transposed_input,
        _strides,
        _scalars,
        _multiple,
        _precision,
    ):
        for cause in hypothesis(rig, tried, name):
            return cause
    return None


def _result(rig: Rig, name: str) -> Tensor:
    return next(r for r in rig.problem.unit.signature.results if r.name == name)


def _near(got: F64, exact: F64, tried: Attempt, name: str) -> npt.NDArray[np.bool_]:
    """Elements that agree as well as the check itself asks, give or take the size of other elements."""
    judged = tried.judged[name]
    kind = KINDS[_dtype(tried, name)]
    room = float(np.max(judged.bound[np.isfinite(judged.bound)], initial=0.0))
    with np.errstate(all="ignore"):
        close = np.abs(got - exact) <= 2 * room + 2 * kind.unit_roundoff * np.abs(exact)
    return np.asarray(close | (np.isnan(got) & np.isnan(exact)) | (got == exact))


def _dtype(tried: Attempt, name: str) -> str:
    return tried.judged[name].dtype


def _telling(values: F64) -> bool:
    """Whether an array can tell one hypothesis from another: it has several different numbers."""
    finite = values[np.isfinite(values)]
    return finite.size >= 2 and float(np.ptp(finite)) > 0


def _ask(rig: Rig, tried: Attempt, name: str, case: Case) -> Expected | None:
    try:
        return rig.expect(case)[name]
    except (SpakError, ValueError):
        return None


def _fits(rig: Rig, tried: Attempt, name: str, other: Expected) -> bool:
    got, exact = tried.judged[name].got, other.exact
    if got.shape != exact.shape or not _telling(exact):
        return False
    comparable = np.isfinite(exact)
    return bool(comparable.any() and _near(got, exact, tried, name)[comparable].all())


def _layout_of_result(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    got, exact = tried.judged[name].got, tried.judged[name].exact
    if got.ndim != 2 or min(got.shape) < 2 or not _telling(exact):
        return
    rows, columns = got.shape
    if _near(got.reshape(columns, rows).T, exact, tried, name).all():
        yield Cause(
            "SPK620",
            f"{name} is written with its axes swapped: what belongs at [i, j] lies where [j, i] of the other shape "
            "would",
            f"element [i, j] of {name} is at i * {columns} + j here; check which index is multiplied by which size",
        )
        return
    for stride in sorted({*_sizes(tried), rows, columns + 1, columns - 1} - {columns, 0}):
        index = np.add.outer(np.arange(rows) * stride, np.arange(columns)).ravel()
        inside = index < got.size
        last = np.full(got.size, np.nan)
        last[index[inside]] = exact.ravel()[inside]
        written = np.isfinite(last)
        if written.sum() >= max(2, got.size // 4) and _near(got.ravel()[written], last[written], tried, name).all():
            yield _stride_cause(tried, name, stride, columns, "written")
            return


def _sizes(tried: Attempt) -> set[int]:
    return {s for s in tried.case.axes.values() if s > 1}


def _stride_cause(tried: Attempt, name: str, stride: int, right: int, verb: str) -> Cause:
    named = [axis for axis, size in tried.case.axes.items() if size == stride]
    called = f"{stride} ({named[0]})" if named else str(stride)
    wanted = [axis for axis, size in tried.case.axes.items() if size == right]
    proper = f"{right} ({wanted[0]})" if wanted else str(right)
    return Cause(
        "SPK621",
        f"{name} is {verb} with the wrong stride: its rows are taken to be {called} elements apart, and are {proper}",
        f"use the size of {name}'s last axis as its row stride",
    )


def _shifted(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    got, exact = tried.judged[name].got, tried.judged[name].exact
    for axis in range(got.ndim):
        size = got.shape[axis]
        for step in (1, -1):
            if size < 3 or not _telling(exact):
                continue
            here = np.take(got, range(max(0, -step), size - max(0, step)), axis=axis)
            there = np.take(exact, range(max(0, step), size - max(0, -step)), axis=axis)
            if _near(here, there, tried, name).all():
                label = _result(rig, name).shape[axis]
                yield Cause(
                    "SPK622",
                    f"{name} is off by one along {label}: each element holds what belongs "
                    f"{'after' if step > 0 else 'before'} it",
                    "check the start of the loop and the index that is stored to",
                )


def _cut_axes(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    """The kernel may have gone over only part of an axis: ask what that part alone gives."""
    unit, params = rig.problem.unit, [v for _, v in rig.problem.params]
    result = _result(rig, name)
    for axis, size in tried.case.axes.items():
        tiles = sorted({t for t in (*params, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if 1 < t < size}, reverse=True)
        cuts = {size // t * t for t in tiles if size % t} | {size - 1}
        for first, last in [*((0, cut) for cut in sorted(cuts, reverse=True) if 0 < cut < size), (1, size)]:
            if size < 2 or any(
                axis in _names(text) and text != axis
                for t in unit.signature.params
                if isinstance(t, Tensor)
                for text in t.shape
            ):
                continue
            sliced = _slice(tried.case, unit.signature.params, axis, first, last)
            other = _ask(rig, tried, name, sliced)
            if other is None or not _explains_cut(rig, tried, name, result, axis, first, last, other):
                continue
            if first:
                yield Cause(
                    "SPK622", f"the first element along {axis} is left out", f"start at 0, not at 1, along {axis}"
                )
                return
            left, tile = size - last, tile_of(last, size, params)
            if left == 1:
                beyond = f" (and {last} is the last multiple of {tile})" if tile else ""
                yield Cause(
                    "SPK622",
                    f"a bound is wrong: only the first {last} of {size} along {axis} are used, the last one is "
                    f"left out{beyond}",
                    f"the loop over {axis} must run to {size}: compare with < {axis}, and handle what a tile "
                    "leaves over",
                )
                return
            yield Cause(
                "SPK616",
                f"the tail is skipped: the last {left} of {size} along {axis} are left out"
                + (f", those beyond the last multiple of {tile}" if tile else ""),
                f"handle the last {axis} % {tile or left} elements: a last, partial tile with its bounds checked",
            )
            return


def _names(text: str) -> set[str]:
    return {
        word for word in "".join(c if c.isalnum() or c == "_" else " " for c in text).split() if not word[0].isdigit()
    }


def _slice(case: Case, params: tuple[Any, ...], axis: str, first: int, last: int) -> Case:
    inputs = dict(case.inputs)
    for param in params:
        if isinstance(param, Tensor):
            index = tuple(slice(first, last) if text == axis else slice(None) for text in param.shape)
            inputs[param.name] = inputs[param.name][index]
    return Case({**case.axes, axis: last - first}, case.scalars, inputs)


def _explains_cut(
    rig: Rig, tried: Attempt, name: str, result: Tensor, axis: str, first: int, last: int, other: Expected
) -> bool:
    got = tried.judged[name].got
    index = tuple(slice(first, last) if text == axis else slice(None) for text in result.shape)
    if axis in result.shape:
        # What was never computed may hold anything; the rest must differ from the right answer, or nothing is
        # explained.
        wrong_inside = tried.judged[name].wrong[index].any()
        if not wrong_inside:
            return False
    part = got[index]
    return (
        part.shape == other.exact.shape
        and bool(_near(part, other.exact, tried, name).all())
        and bool(np.isfinite(other.exact).any())
    )


def _swapped_inputs(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    tensors = rig.problem.tensors
    for i, one in enumerate(tensors):
        for two in tensors[i + 1 :]:
            a, b = tried.case.inputs[one.name], tried.case.inputs[two.name]
            if a.shape != b.shape or one.dtype != two.dtype:
                continue
            other = _ask(rig, tried, name, replace(tried.case, inputs={**tried.case.inputs, one.name: b, two.name: a}))
            if other and _fits(rig, tried, name, other):
                yield Cause(
                    "SPK620",
                    f"{one.name} and {two.name} are swapped",
                    "check the order of the plan's args and of the operands",
                )


def _transposed_input(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    for tensor in rig.problem.tensors:
        values = tried.case.inputs[tensor.name]
        if values.ndim != 2 or min(values.shape) < 2:
            continue
        other = _ask(rig, tried, name, _with_input(tried.case, tensor.name, values.reshape(values.shape[::-1]).T))
        if other and _fits(rig, tried, name, other):
            yield Cause(
                "SPK620",
                f"{tensor.name} is read with its axes swapped",
                f"element [i, j] of {tensor.name}[{', '.join(tensor.shape)}] is at i * {tensor.shape[1]} + j",
            )


def _with_input(case: Case, name: str, values: Array) -> Case:
    return replace(case, inputs={**case.inputs, name: np.ascontiguousarray(values)})


def _strides(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    for tensor in rig.problem.tensors:
        values = tried.case.inputs[tensor.name]
        if values.ndim != 2 or values.shape[0] < 2 or not KINDS[tensor.dtype].floating:
            continue
        rows, columns = values.shape
        for stride in sorted({*_sizes(tried), columns - 1, columns + 1} - {columns, 0}):
            index = np.add.outer(np.arange(rows) * stride, np.arange(columns))
            outside = index >= values.size
            wide = to_f64(values.ravel()[np.minimum(index, values.size - 1)], tensor.dtype)
            wide[outside] = np.nan
            other = _ask(rig, tried, name, _with_input(tried.case, tensor.name, from_f64(wide, tensor.dtype)))
            if other and np.isfinite(other.exact).mean() >= 0.25 and _fits(rig, tried, name, other):
                yield _stride_cause(tried, tensor.name, stride, columns, "read")
                return


def _scalars(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    defaults = rig.problem.default_scalars()
    for scalar in rig.problem.scalars:
        for value in (defaults[scalar.name], 1.0, 0.0):
            if value == tried.case.scalars[scalar.name] or not KINDS[scalar.dtype].floating:
                continue
            other = _ask(rig, tried, name, replace(tried.case, scalars={**tried.case.scalars, scalar.name: value}))
            if other and _fits(rig, tried, name, other):
                yield Cause(
                    "SPK610",
                    f"{scalar.name} has no effect: the result is that of {scalar.name} = {value:g}",
                    f"use the parameter {scalar.name}",
                )
                return


def _multiple(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    got, exact = tried.judged[name].got, tried.judged[name].exact
    usable = (
        np.isfinite(got)
        & np.isfinite(exact)
        & (np.abs(exact) > 0.1 * np.max(np.abs(exact), where=np.isfinite(exact), initial=0.0))
    )
    if usable.sum() < 2:
        return
    factors = got[usable] / exact[usable]
    factor = float(np.median(factors))
    if abs(factor - 1) > 0.01 and np.allclose(factors, factor, rtol=1e-3, atol=0) and factor:
        yield Cause(
            "SPK610",
            f"every element is {factor:.4g} times what it should be",
            "look for a factor that is missing or applied twice",
        )
    elif not factor and not got[usable].any():
        yield Cause("SPK610", "every element is zero", "see whether the kernel stores what it computes")


def _precision(rig: Rig, tried: Attempt, name: str) -> Iterator[Cause]:
    """Errors of the size that a narrower accumulator or intermediate makes, all over the array."""
    unit = rig.problem.unit
    judged, expected = tried.judged[name], tried.expected[name]
    size = _spread(judged, expected, judged.got)
    best: tuple[float, str] | None = None
    for narrow in ("f32", "f16", "bf16"):
        if not KINDS[unit.accumulate].floating or KINDS[narrow].bits >= KINDS[unit.accumulate].bits:
            continue
        try:
            plain = rig.expect(tried.case, accumulate=narrow)[name].plain
        except SpakError:
            continue
        predicted = max(_spread(judged, expected, p) for p in plain)
        if size > 0 and predicted > 0:
            distance = abs(float(np.log2(size / predicted)))
            best = min(best or (99.0, ""), (distance, narrow))
    if best is not None and best[0] <= 3.0:
        also = " (or tf32)" if best[1] == "f16" else ""
        yield Cause(
            "SPK623",
            f"the error is of the size that an accumulator or intermediate in {best[1]}{also} makes, where the "
            f"spec accumulates in {unit.accumulate}",
            f"keep sums and intermediates in {unit.accumulate}, and round once, when storing",
        )


def _spread(judged: Judged, expected: Expected, values: F64) -> float:
    """Root mean square error in units of the elements' own error bounds, the result's rounding aside."""
    usable = np.isfinite(values) & np.isfinite(expected.exact) & (expected.error > 0)
    if not usable.any():
        return 0.0
    with np.errstate(all="ignore"):
        ratio = (values - expected.exact)[usable] / expected.error[usable]
    return float(np.sqrt(np.mean(ratio**2)))
