"""What arrays are filled with: distributions, structures, adversarial values. Knows nothing of shapes' meaning or
verdicts.

Every fill is a function of a Philox generator, a shape and a format, and gives fp64 numbers that the format holds
exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from spak.verify.dtypes import F64, KINDS, Array, Kind, from_f64, quantise

Fill = Callable[[np.random.Generator, tuple[int, ...], Kind], F64]


def generator(seed: int, salt: int = 0) -> np.random.Generator:
    """Philox: counter-based, the same on every platform. `salt` keeps a round's parameters apart."""
    return np.random.Generator(np.random.Philox(key=[seed & (2**64 - 1), salt]))


def make(fill: Any, seed: int, salt: int, shape: tuple[int, ...], dtype: str) -> Array:
    """Stored elements of one array. `fill` is a name, or what a test vector says: a list, {uniform: [a, b]},
    {values: [...]}.

    Raises ValueError with what is wrong with it.
    """
    kind, rng = KINDS[dtype], generator(seed, salt)
    if isinstance(fill, dict) and len(fill) == 1:
        name, argument = next(iter(fill.items()))
        return _from_dict(name, argument, rng, shape, dtype)
    if isinstance(fill, list | tuple):
        return _literal(fill, shape, dtype)
    if isinstance(fill, int | float) and not isinstance(fill, bool):
        return from_f64(np.full(shape, float(fill)), dtype)
    function = (FLOATS if kind.floating else INTEGERS).get(str(fill))
    if function is None:
        raise ValueError(f"{fill!r} is not a distribution; there are {', '.join(sorted(FLOATS))}")
    values = function(rng, shape, kind)
    return from_f64(quantise(values, kind) if kind.floating else values, dtype)


def _from_dict(name: str, argument: Any, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if name == "values":
        return _literal(argument, shape, dtype)
    if name in ("constant", "full"):
        return from_f64(np.full(shape, float(argument)), dtype)
    if name == "uniform":
        low, high = (float(x) for x in argument)
        return from_f64(rng.uniform(low, high, shape), dtype)
    if name == "normal":
        mean, deviation = (float(x) for x in argument)
        return from_f64(rng.normal(mean, deviation, shape), dtype)
    if name in ("integers", "randint"):
        low, high = (int(x) for x in argument)
        return from_f64(rng.integers(low, high, shape, endpoint=True).astype(np.float64), dtype)
    raise ValueError(f"{name!r} is not a distribution; there are uniform, normal, integers, constant, values")


def _literal(value: Any, shape: tuple[int, ...], dtype: str) -> Array:
    """Numbers as written; "nan", "inf" and "-inf" may be strings, as JSON and YAML have no such numbers."""
    values = np.asarray(value, dtype=object)
    flat = np.array([float(x) for x in values.ravel()], dtype=np.float64)
    if flat.size == 1 and values.shape != shape:
        flat, values = np.full(int(np.prod(shape)), flat[0]), np.empty(shape)
    if values.shape != shape:
        have, want = "x".join(map(str, values.shape)), "x".join(map(str, shape))
        raise ValueError(f"the values have the shape {have}, the parameter {want}")
    return from_f64(flat.reshape(shape), dtype)


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> F64:
    return np.where(rng.random(shape) < 0.5, -1.0, 1.0)


def _identity(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    values = np.zeros(shape)
    if len(shape) >= 2:
        values[..., np.arange(min(shape[-2:])), np.arange(min(shape[-2:]))] = 1.0
    else:
        values[: 1 if shape else None] = 1.0
    return values


def _one_hot(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    """Zeros but for one line of random numbers, or one element of a vector: work skipped anywhere else is invisible,
    here it is not.
    """
    values = np.zeros(shape)
    where = int(rng.integers(shape[0])) if shape else 0
    values[where] = rng.uniform(1.0, 2.0, shape[1:])
    return values


def _ramp(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    count = int(np.prod(shape, dtype=np.int64))
    return ((np.arange(count) * 7 % 31 - 15) / 8.0).reshape(shape)


def _denormal(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    return _signs(rng, shape) * rng.integers(0, 100, shape) * kind.smallest


def _huge(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    """The fourth root of the range: squares and sums of products still fit."""
    return rng.uniform(-1.0, 1.0, shape) * 2.0 ** (kind.emax // 4)


def _extreme(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    return _signs(rng, shape) * rng.uniform(0.5, 1.0, shape) * kind.largest


def _tiny(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    return rng.uniform(-1.0, 1.0, shape) * 2.0 ** (kind.emin // 4)


def _wide(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    reach = kind.emax // 5
    return _signs(rng, shape) * np.exp2(rng.uniform(-reach, reach, shape))


def _cancel(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    """Neighbours of opposite sign and nearly equal size: sums are small beside their terms."""
    size = np.where(rng.random(shape) < 0.5, 1000.0, 999.0) if kind.bits > 12 else np.full(shape, 64.0)
    index = np.indices(shape).sum(axis=0) if shape else np.zeros(shape)
    return np.where(index % 2 == 0, size, -size) + rng.uniform(-1.0, 1.0, shape)


def _with(value: float) -> Fill:
    def fill(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
        values = rng.standard_normal(shape)
        flat = values.reshape(-1)
        flat[int(rng.integers(flat.size))] = value
        return values

    return fill


def _small_integers(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
    low = -3 if kind.low < 0 or kind.floating else 0
    return rng.integers(low, min(3, kind.high or 3), shape, endpoint=True).astype(np.float64)


def _range(low: float, high: float) -> Fill:
    """Integers between two fractions of the format's range, but of 32-bit ones only what cannot overflow in sums."""

    def fill(rng: np.random.Generator, shape: tuple[int, ...], kind: Kind) -> F64:
        limit = 1000 if kind.name == "i32" else kind.high
        floor = -limit if kind.name == "i32" else kind.low
        return rng.integers(int(floor * low), int(limit * high), shape, endpoint=True).astype(np.float64)

    return fill


FLOATS: dict[str, Fill] = {
    "normal": lambda rng, shape, kind: rng.standard_normal(shape),
    "uniform": lambda rng, shape, kind: rng.uniform(-1.0, 1.0, shape),
    "positive": lambda rng, shape, kind: rng.uniform(0.0, 1.0, shape),
    "zeros": lambda rng, shape, kind: np.zeros(shape),
    "ones": lambda rng, shape, kind: np.ones(shape),
    "ramp": _ramp,
    "identity": _identity,
    "one_hot": _one_hot,
    "denormal": _denormal,
    "huge": _huge,
    "extreme": _extreme,
    "tiny": _tiny,
    "wide": _wide,
    "cancel": _cancel,
    "nan": _with(np.nan),
    "inf": _with(np.inf),
    "neg_inf": _with(-np.inf),
    "integers": _small_integers,
}

INTEGERS: dict[str, Fill] = {
    **{name: _range(0.1, 0.1) for name in ("normal", "uniform", "tiny", "wide", "denormal", "positive")},
    **{name: _range(1.0, 1.0) for name in ("huge", "extreme", "cancel")},
    "zeros": FLOATS["zeros"],
    "ones": FLOATS["ones"],
    "ramp": lambda rng, shape, kind: np.abs(np.rint(_ramp(rng, shape, kind))) % (kind.high + 1.0),
    "identity": _identity,
    "one_hot": lambda rng, shape, kind: np.floor(_one_hot(rng, shape, kind)),
    "integers": _small_integers,
}
