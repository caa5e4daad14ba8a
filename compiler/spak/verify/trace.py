"""Carries a NumPy expression through three arithmetics at once: fp64, the plain same-dtype one, and its error bound.

`Traced` stands in for an array in a reference. `exact` is the fp64 value; `plain` the same operations done one after
the other in the accumulator's dtype, as the plainest kernel would, with sums taken forwards and backwards; `error`
bounds, to first order, what honest rounding in that dtype can do (running error analysis, Higham, *Accuracy and
Stability*, ch. 3): every operation adds a unit roundoff of its result to what its operands bring along, a sum of n
terms (2 + sqrt(n) / 4) roundoffs of the sum of magnitudes: what a blocked order may do; what the two plain orders do
is measured, not bounded. Knows nothing of kernels or verdicts.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from spak.verify.dtypes import F64, KINDS, Array, Kind, quantise


class Untraceable(Exception):
    """The reference uses something that has no rule here; the caller falls back on a coarser bound, and says so."""


#: Operations whose result is exact, or correctly rounded; anything else is given four roundoffs, as good libraries
#: keep.
_EXACT = {
    "negative",
    "positive",
    "absolute",
    "fabs",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
}
_ROUNDED = {"add", "subtract", "multiply", "divide", "true_divide", "sqrt", "square", "reciprocal"}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The accumulator's format and how to work in it: float32 and float64 natively, the narrow ones by rounding
    after each step.
    """

    kind: Kind

    @property
    def working(self) -> Any:
        return np.float32 if self.kind.name == "f32" else np.float64

    def round(self, values: Any) -> Array:
        wide = np.asarray(values)
        if self.kind.name in ("f32", "f64") or not self.kind.floating:
            return wide.astype(self.working, copy=False)
        return quantise(wide.astype(np.float64, copy=False), self.kind)

    @property
    def unit(self) -> float:
        return self.kind.unit_roundoff

    @property
    def tiny(self) -> float:
        return self.kind.smallest if self.kind.floating else 0.0


def arithmetic(dtype: str) -> Arithmetic:
    return Arithmetic(KINDS[dtype])


class Traced(NDArrayOperatorsMixin):
    """An array in a reference; see the module's text. Supports what NumPy code does to arrays, short of writing into
    them.
    """

    __array_priority__ = 1000
    __slots__ = ("arith", "error", "exact", "plain")

    def __init__(self, exact: Array, plain: tuple[Array, Array], error: Array, arith: Arithmetic) -> None:
        self.exact, self.plain, self.error, self.arith = exact, plain, error, arith

    @classmethod
    def of(cls, value: Any, arith: Arithmetic) -> Traced:
        """A given number or array: it brings no error but that of not being representable."""
        exact = np.asarray(value)
        exact = exact.astype(np.float64) if exact.dtype != np.float64 else exact
        plain = arith.round(exact)
        with np.errstate(all="ignore"):
            error = np.where(np.isfinite(exact) & np.isfinite(plain), np.abs(exact - plain), 0.0)
        return cls(exact, (plain, plain), error, arith)

    # -- what makes it look like an array ------------------------------------------------------------------------

    shape = property(lambda self: self.exact.shape)
    ndim = property(lambda self: self.exact.ndim)
    size = property(lambda self: self.exact.size)
    dtype = property(lambda self: self.exact.dtype)

    def __len__(self) -> int:
        return len(self.exact)

    def __bool__(self) -> bool:
        return bool(self.exact)

    def __float__(self) -> float:
        raise Untraceable("float() of an array")

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Any) -> Traced:
        return self._moved(lambda x: x[key])

    @property
    def T(self) -> Traced:
        return self._moved(np.transpose)

    def __getattr__(self, name: str) -> Any:
        if name in ("transpose", "reshape", "swapaxes", "squeeze", "ravel", "flatten", "repeat", "copy"):
            return lambda *a, **k: self._moved(lambda x: getattr(x, name)(*a, **k))
        if name in ("sum", "mean", "max", "min", "var", "std", "cumsum", "clip", "dot", "prod"):
            return lambda *a, **k: _FUNCTIONS[name](self, *a, **k)
        raise Untraceable(f"the array's {name}")

    def astype(self, dtype: Any, **_: Any) -> Traced:
        if np.dtype(dtype).kind != "f":
            raise Untraceable("astype to an integer")
        return self

    def _moved(self, how: Callable[[Any], Any]) -> Traced:
        return Traced(how(self.exact), (how(self.plain[0]), how(self.plain[1])), how(self.error), self.arith)

    # -- arithmetic ----------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            if method == "__call__" and not options:
                return _matmul(self.arith, *inputs) if ufunc is np.matmul else _call(self.arith, ufunc, inputs)
            if (
                method == "reduce"
                and set(options) <= {"axis", "keepdims", "dtype", "out"}
                and options.get("out") is None
            ):
                options = {k: v for k, v in options.items() if k in ("axis", "keepdims")}
                return _reduce(ufunc, inputs[0], **options)
        raise Untraceable(f"np.{ufunc.__name__} as {method} with {sorted(options)}")

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        name = function.__name__
        rule = _FUNCTIONS.get({"amax": "max", "amin": "min"}.get(name, name))
        if not rule:
            raise Untraceable(f"np.{name}")
        with np.errstate(all="ignore"):
            return rule(*args, **options)


def _call(arith: Arithmetic, ufunc: np.ufunc, inputs: Sequence[Any]) -> Any:
    """An elementwise operation: what each operand's error does to the result, found by nudging it, plus its own
    rounding.
    """
    if ufunc.nout != 1:
        raise Untraceable(f"np.{ufunc.__name__}")
    operands = [x if isinstance(x, Traced) else Traced.of(x, arith) for x in inputs]
    exact = ufunc(*(x.exact for x in operands))
    if np.asarray(exact).dtype == bool:
        return exact
    plain = tuple(arith.round(ufunc(*(x.plain[i] for x in operands))) for i in (0, 1))
    error = np.zeros_like(exact)
    for i, operand in enumerate(operands):
        if not operand.error.any():
            continue
        for nudge in (operand.error, -operand.error):
            values = [x.exact + nudge if j == i else x.exact for j, x in enumerate(operands)]
            moved = np.abs(ufunc(*values) - exact)
            error = error + 0.5 * np.nan_to_num(moved, nan=0.0, posinf=0.0)
    return Traced(exact, (plain[0], plain[1]), error + _own(arith, ufunc.__name__, exact), arith)


def _own(arith: Arithmetic, name: str, exact: F64) -> F64:
    """What an operation's own rounding may add, and its underflow where it can."""
    if name in _EXACT:
        return np.zeros_like(exact)
    times = 1.0 if name in _ROUNDED else 4.0
    size = np.where(np.isfinite(exact), np.abs(exact), 0.0)
    return times * arith.unit * size + (0.0 if name in ("add", "subtract") else arith.tiny)


def _growth(terms: int) -> float:
    return 0.0 if terms < 2 else 2.0 + float(np.sqrt(terms)) / 4


def _finite(values: F64) -> F64:
    return np.where(np.isfinite(values), np.abs(values), 0.0)


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    given = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    return tuple(sorted(int(a) % ndim for a in given))


def _reduce(ufunc: np.ufunc, x: Any, axis: Any = 0, keepdims: bool = False) -> Any:
    if not isinstance(x, Traced):
        raise Untraceable("a reduction of a list")
    axes = _axes(axis, x.ndim)
    options: dict[str, Any] = {"axis": axes, "keepdims": keepdims}
    exact = ufunc.reduce(x.exact, **options)
    if ufunc is np.add:
        terms = int(np.prod([x.shape[a] for a in axes], dtype=np.int64))
        error = x.error.sum(**options) + _growth(terms) * x.arith.unit * _finite(x.exact).sum(**options)
        plain = tuple(_sequential(x.arith, x.plain[i], axes, keepdims, backwards=bool(i)) for i in (0, 1))
        return Traced(exact, (plain[0], plain[1]), error, x.arith)
    if ufunc in (np.maximum, np.minimum):
        plain = tuple(ufunc.reduce(x.plain[i], **options) for i in (0, 1))
        return Traced(exact, (plain[0], plain[1]), x.error.max(**options), x.arith)
    raise Untraceable(f"np.{ufunc.__name__}.reduce")


def _sequential(arith: Arithmetic, values: Array, axes: tuple[int, ...], keepdims: bool, backwards: bool) -> Array:
    """Sum one term after the other in the accumulator's format. `accumulate` is sequential where `reduce` is
    pairwise.
    """
    kept = [a for a in range(values.ndim) if a not in axes]
    flat = values.transpose([*kept, *axes]).reshape([*(values.shape[a] for a in kept), -1])
    flat = flat[..., ::-1] if backwards else flat
    if arith.kind.name in ("f32", "f64") or not arith.kind.floating:
        total = np.add.accumulate(flat, axis=-1)[..., -1] if flat.shape[-1] else flat.sum(axis=-1)
    else:
        total = np.zeros(flat.shape[:-1])
        for i in range(flat.shape[-1]):
            total = arith.round(total + flat[..., i])
    shape = [1 if a in axes else n for a, n in enumerate(values.shape)]
    return np.asarray(total).reshape(shape) if keepdims else np.asarray(total)


def _matmul(arith: Arithmetic, left: Any, right: Any) -> Traced:
    a, b = (x if isinstance(x, Traced) else Traced.of(x, arith) for x in (left, right))
    if a.ndim == 1 or b.ndim == 1:
        wide = _matmul(arith, a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        wide = wide[..., 0, :] if a.ndim == 1 else wide
        return wide[..., 0] if b.ndim == 1 else wide
    depth = a.shape[-1]
    sizes = _finite(a.exact), _finite(b.exact)
    error = sizes[0] @ b.error + a.error @ (sizes[1] + b.error) + _growth(depth) * arith.unit * (sizes[0] @ sizes[1])
    error = error + depth * arith.tiny + (arith.unit * (sizes[0] @ sizes[1]) if depth == 1 else 0.0)
    plain: list[Array] = []
    for order in (range(depth), reversed(range(depth))):
        first, total = a.plain[len(plain)], None
        second = b.plain[len(plain)]
        for k in order:
            term = arith.round(first[..., :, k, None] * second[..., None, k, :])
            total = term if total is None else arith.round(total + term)
        plain.append(total if total is not None else arith.round(a.exact @ b.exact))
    return Traced(a.exact @ b.exact, (plain[0], plain[1]), error, arith)


def _like(args: Sequence[Any]) -> Arithmetic:
    for x in args:
        if isinstance(x, Traced):
            return x.arith
        if isinstance(x, list | tuple):
            try:
                return _like(x)
            except Untraceable:
                continue
    raise Untraceable("a call without a traced array")


def _lift(x: Any, arith: Arithmetic) -> Traced:
    return x if isinstance(x, Traced) else Traced.of(x, arith)


def _apply(how: Callable[..., Any], *parts: Traced) -> Traced:
    """The same rearrangement of values, both plain evaluations and bounds."""
    plain = (how(*(p.plain[0] for p in parts)), how(*(p.plain[1] for p in parts)))
    return Traced(how(*(p.exact for p in parts)), plain, how(*(p.error for p in parts)), parts[0].arith)


def _where(condition: Any, x: Any, y: Any) -> Traced:
    arith = _like((x, y, condition))
    chosen = condition.exact != 0 if isinstance(condition, Traced) else np.asarray(condition)
    return _apply(lambda p, q: np.where(chosen, p, q), _lift(x, arith), _lift(y, arith))


def _joined(how: Any) -> Callable[..., Traced]:
    def join(parts: Sequence[Any], *args: Any, **options: Any) -> Traced:
        arith = _like(parts)
        return _apply(lambda *arrays: how(arrays, *args, **options), *(_lift(part, arith) for part in parts))

    return join


def _moving(how: Any) -> Callable[..., Traced]:
    def move(x: Traced, *args: Any, **options: Any) -> Traced:
        return x._moved(lambda part: how(part, *args, **options))

    return move


def _sum(x: Traced, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    return _reduce(np.add, x, axis, keepdims)


def _extreme(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda x, axis=None, out=None, keepdims=False: _reduce(ufunc, x, axis, keepdims)


def _mean(x: Traced, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False) -> Any:
    terms = int(np.prod([x.shape[a] for a in _axes(axis, x.ndim)], dtype=np.int64))
    return _reduce(np.add, x, axis, keepdims) / terms


def _var(
    x: Traced, axis: Any = None, dtype: Any = None, out: None = None, ddof: int = 0, keepdims: bool = False
) -> Any:
    terms = int(np.prod([x.shape[a] for a in _axes(axis, x.ndim)], dtype=np.int64))
    centred = x - _mean(x, axis, keepdims=True)
    return _reduce(np.add, centred * centred, axis, keepdims) / (terms - ddof)


def _cumsum(x: Traced, axis: Any = None, dtype: Any = None, out: None = None) -> Traced:
    x = x.ravel() if axis is None else x
    axis = 0 if axis is None else axis
    if x.arith.kind.name not in ("f32", "f64"):
        raise Untraceable("cumsum in a narrow format")
    error = x.error.cumsum(axis=axis) + _growth(x.shape[axis]) * x.arith.unit * _finite(x.exact).cumsum(axis=axis)
    plain = tuple(np.add.accumulate(p, axis=axis) for p in x.plain)
    return Traced(x.exact.cumsum(axis=axis), (plain[0], plain[1]), error, x.arith)


def _clip(x: Traced, low: Any = None, high: Any = None, **_: Any) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _dot(a: Any, b: Any, out: None = None) -> Any:
    return _matmul(_like((a, b)), a, b) if np.ndim(a) <= 2 and np.ndim(b) <= 2 and np.ndim(a) * np.ndim(b) else a * b


def _outer(a: Any, b: Any, out: None = None) -> Any:
    arith = _like((a, b))
    return _lift(a, arith).ravel()[:, None] * _lift(b, arith).ravel()[None, :]


def _einsum(subscripts: Any, *operands: Any, **_options: Any) -> Traced:
    """Sums of products as broadcast multiplication and a sum, so that every rule above applies. Ellipses are not
    handled.
    """
    if not isinstance(subscripts, str) or "." in subscripts:
        raise Untraceable("this form of np.einsum")
    arith = _like(operands)
    before, _, after = subscripts.replace(" ", "").partition("->")
    names = before.split(",")
    if "->" not in subscripts:
        after = "".join(sorted(c for c in set(before) & set(string.ascii_letters) if before.count(c) == 1))
    if any(len(set(n)) != len(n) for n in names) or len(operands) != len(names):
        raise Untraceable("np.einsum with a diagonal")
    order = after + "".join(sorted(set(before) - set(after) - {","}))
    product: Any = None
    for letters, operand in zip(names, operands, strict=True):
        lifted = _lift(operand, arith)
        placed = lifted._moved(
            lambda x, letters=letters: x.transpose([letters.index(c) for c in order if c in letters])[  # type: ignore[misc]
                tuple(slice(None) if c in letters else None for c in order)
            ]
        )
        product = placed if product is None else product * placed
    summed = tuple(range(len(after), len(order)))
    return _reduce(np.add, product, summed) if summed else product  # type: ignore[no-any-return]


def _constant(value: float) -> Callable[..., Any]:
    return lambda x, *args, **options: np.full(np.shape(x.exact), value)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _sum, "mean": _mean, "var": _var, "cumsum": _cumsum, "clip": _clip, "where": _where,
    "std": lambda x, *a, **k: np.sqrt(_var(x, *a, **k)),
    "max": _extreme(np.maximum), "min": _extreme(np.minimum),
    "dot": _dot, "outer": _outer, "einsum": _einsum,
    "concatenate": _joined(np.concatenate), "stack": _joined(np.stack),
    "vstack": _joined(np.vstack), "hstack": _joined(np.hstack),
    "zeros_like": _constant(0.0), "ones_like": _constant(1.0),
    "shape": lambda x: x.shape, "ndim": lambda x: x.ndim, "size": lambda x: x.size,
    **{
        name: _moving(getattr(np, name))
        for name in (
            "transpose", "swapaxes", "moveaxis", "reshape", "ravel", "broadcast_to", "expand_dims", "squeeze",
            "take", "flip",
            "roll", "repeat", "tile", "triu", "tril", "diagonal", "copy", "pad", "atleast_1d", "atleast_2d",
        )
    },
}  # fmt: skip
