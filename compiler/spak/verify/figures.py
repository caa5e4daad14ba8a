"""How far a result may be from the oracle, and how far it is. Knows numbers only.

The bound is derived: `tolerance.factor` times the error of the plain same-dtype evaluation, in units of each
element's own error bound and never less than one of them; then the allowed interval is rounded to the result's
format, which adds exactly its rounding and no more. So an fp16 accumulator or a bf16 intermediate does not fit in,
and another order of summation does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spak.model.ir import Tolerance
from spak.verify.dtypes import F64, KINDS, Array, Kind, quantise, to_f64, ulp
from spak.verify.rig import Expected


@dataclass(frozen=True, slots=True)
class Judged:
    """One result compared: which elements are wrong, and the figures for the evidence."""

    name: str
    dtype: str
    wrong: npt.NDArray[np.bool_]
    got: F64
    exact: F64
    bound: F64
    figures: dict[str, Any]

    @property
    def ok(self) -> bool:
        return not self.wrong.any()


def judge(
    name: str, stored: Array, dtype: str, expected: Expected, tolerance: Tolerance, exactly: bool = False
) -> Judged:
    """Compare every element. `exactly`: the operation is exact on these inputs, so only the final rounding is
    allowed.
    """
    kind = KINDS[dtype]
    got, exact = to_f64(stored, dtype), expected.exact
    with np.errstate(all="ignore"):
        ratio = _naive_ratio(expected)
        bound = np.zeros_like(exact) if exactly else tolerance.factor * max(ratio, 1.0) * expected.error
        exempt = _exempt(expected) & ~np.bool_(exactly)
        low, high = _round(exact - bound, kind), _round(exact + bound, kind)
        inside = (got >= low) & (got <= high)
        if tolerance.rtol is not None or tolerance.atol is not None:
            stated = (tolerance.atol or 0.0) + (tolerance.rtol or 0.0) * np.abs(exact)
            inside &= np.abs(got - exact) <= stated
        same = np.where(np.isnan(exact), np.isnan(got), np.where(np.isinf(exact), got == exact, inside))
        wrong = ~(same | exempt)
        return Judged(
            name, dtype, wrong, got, exact, bound, _figures(got, exact, bound, exempt, ratio, kind, expected.coarse)
        )


def plain_is_exact(expected: Expected) -> bool:
    """Whether both plain evaluations came out exact: then any honest order does, for sums of small integers."""
    return all(np.array_equal(p, expected.exact) for p in expected.plain)


def _naive_ratio(expected: Expected) -> float:
    """The worse plain evaluation's largest error, in units of the error bound."""
    usable = np.isfinite(expected.exact) & (expected.error > 0) & np.isfinite(expected.error)
    ratios = [0.0]
    for plain in expected.plain:
        here = usable & np.isfinite(plain)
        if here.any():
            ratios.append(float(np.max(np.abs(plain - expected.exact)[here] / expected.error[here])))
    return max(ratios)


def _exempt(expected: Expected) -> npt.NDArray[np.bool_]:
    """Elements that the accumulator's format itself cannot compute plainly (it overflows): nothing can be asked of
    them.
    """
    finite = np.isfinite(expected.plain[0]) & np.isfinite(expected.plain[1])
    return (~np.isnan(expected.exact) & ~finite & ~_same_infinity(expected)) | ~np.isfinite(expected.error)


def _same_infinity(expected: Expected) -> npt.NDArray[np.bool_]:
    same = (expected.plain[0] == expected.exact) & (expected.plain[1] == expected.exact)
    return np.asarray(np.isinf(expected.exact) & same)


def _round(values: F64, kind: Kind) -> F64:
    if kind.floating:
        return quantise(values, kind)
    if kind.name == "bool":
        return np.asarray(values != 0, np.float64)
    return np.clip(np.rint(values), kind.low, kind.high)


def _figures(
    got: F64, exact: F64, bound: F64, exempt: npt.NDArray[np.bool_], ratio: float, kind: Kind, coarse: str
) -> dict[str, Any]:
    comparable = np.isfinite(got) & np.isfinite(exact) & ~exempt
    difference = np.abs(got - exact)[comparable]
    norm = float(np.linalg.norm(exact[comparable]))
    found: dict[str, Any] = {
        "elements": int(got.size),
        "max_abs_error": _short(float(difference.max(initial=0.0))),
        "relative_norm_error": _short(float(np.linalg.norm(difference)) / norm if norm else 0.0),
        "max_ulp": _short(float((difference / ulp(exact[comparable], kind)).max(initial=0.0))),
        "max_bound": _short(float(bound[comparable].max(initial=0.0))),
        "plain_error_ratio": _short(ratio),
    }
    if exempt.any():
        found["overflow_in_accumulator"] = int(exempt.sum())
    if coarse:
        found["coarse_bound"] = coarse
    return found


def _short(value: float) -> float | str:
    """Four significant digits: readable, and steady where a library's last bit is not."""
    return float(f"{value:.3e}") if np.isfinite(value) else str(value)
