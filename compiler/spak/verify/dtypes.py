"""Element types as bits and as numbers: exact widening to fp64, correct rounding back. Knows nothing of kernels.

bf16 and tf32 have no NumPy type: bf16 is stored as uint16 words, tf32 as float32 whose low 13 bits a kernel may ignore.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kind:
    """A format. Floats: `bits` of significand (the hidden one counted), `emin` the exponent of the smallest normal,
    `emax` of the largest. Integers: `low` and `high`."""

    name: str
    storage: str
    floating: bool
    bits: int = 0
    emin: int = 0
    emax: int = 0
    low: int = 0
    high: int = 0

    @property
    def itemsize(self) -> int:
        return int(np.dtype(self.storage).itemsize)

    @property
    def unit_roundoff(self) -> float:
        """Half a unit in the last place, relative; 0 for integers, whose arithmetic is exact."""
        return 2.0**-self.bits if self.floating else 0.0

    @property
    def smallest(self) -> float:
        """The smallest positive number: subnormal for floats, 1 for integers."""
        return float(np.ldexp(1.0, self.emin - self.bits + 1)) if self.floating else 1.0

    @property
    def largest(self) -> float:
        if not self.floating:
            return float(self.high)
        return float(np.ldexp(2.0 - 2.0 ** (1 - self.bits), self.emax))


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("f64", "float64", True, 53, -1022, 1023),
        Kind("f32", "float32", True, 24, -126, 127),
        Kind("tf32", "float32", True, 11, -126, 127),
        Kind("f16", "float16", True, 11, -14, 15),
        Kind("bf16", "uint16", True, 8, -126, 127),
        Kind("i32", "int32", False, low=-(2**31), high=2**31 - 1),
        Kind("i8", "int8", False, low=-128, high=127),
        Kind("u8", "uint8", False, low=0, high=255),
        Kind("bool", "uint8", False, low=0, high=1),
    )
}


def quantise(values: F64, kind: Kind) -> F64:
    """Round fp64 numbers to the nearest of a float format, ties to even, still as fp64; overflow gives infinity.

    One rounding, subnormals included: the quantum of a number is 2**(max(exponent, emin) - bits + 1), and dividing by a
    power of two is exact.
    """
    if kind.name == "f64":
        return values
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(values)
        quantum = np.maximum(exponent - 1, kind.emin) - kind.bits + 1
        rounded = np.ldexp(np.rint(np.ldexp(values, -quantum)), quantum)
        rounded = np.where(np.abs(rounded) > kind.largest, np.copysign(np.inf, values), rounded)
        return np.where(np.isfinite(values), rounded, values)


def to_f64(stored: Array, dtype: str) -> F64:
    """Widen stored elements exactly."""
    with np.errstate(invalid="ignore"):  # a signalling NaN is a NaN
        if dtype == "bf16":
            return (stored.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
        return stored.astype(np.float64)


def from_f64(values: npt.ArrayLike, dtype: str) -> Array:
    """Round fp64 numbers to stored elements. Integers saturate; a NaN becomes the format's quiet NaN (0 in an
    integer).
    """
    kind = KINDS[dtype]
    wide = np.asarray(values, dtype=np.float64)
    if not kind.floating:
        if dtype == "bool":
            return np.asarray(wide != 0, np.uint8)
        return np.clip(np.rint(np.nan_to_num(wide)), kind.low, kind.high).astype(kind.storage)
    rounded = quantise(wide, kind)
    if dtype == "bf16":
        words = (np.atleast_1d(rounded).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        return np.where(np.isnan(np.atleast_1d(rounded)), np.uint16(0x7FC0), words).reshape(wide.shape)
    with np.errstate(all="ignore"):
        return rounded.astype(kind.storage)


def ulp(values: F64, kind: Kind) -> F64:
    """The gap between neighbours of a format at each value, in fp64; 1 for integers."""
    if not kind.floating:
        return np.ones_like(values)
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(np.where(np.isfinite(values) & (values != 0), values, kind.smallest))
        gap: F64 = np.ldexp(1.0, np.clip(exponent - 1, kind.emin, kind.emax) - kind.bits + 1)
    return gap
