"""Fragment layouts and shared-memory layouts of the PTX ISA, stated in NumPy; number formats as exact values. Knows
nothing of the simulator: it is what the simulator is compared with.

PTX states a fragment by what each lane holds: `group = lane / 4`, `member = lane % 4`, elements a0, a1, ... in the order
of the registers. The tables below give (row, column) for (lane, element).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
BITS = {"f16": 16, "bf16": 16, "tf32": 32, "e4m3": 8, "e5m2": 8, "s8": 8, "u8": 8}


def values(kind: str, bits: Array) -> Array:
    """The exact values of elements, as f64, from their definition: sign, exponent with bias, fraction."""
    bits = np.asarray(bits).astype(np.int64)
    if kind == "u8":
        return bits.astype(np.float64)
    if kind == "s8":
        return np.where(bits < 128, bits, bits - 256).astype(np.float64)
    if kind == "tf32":
        return (bits & 0xFFFFE000).astype(np.uint32).view(np.float32).astype(np.float64)
    exponent_bits, fraction_bits = {"f16": (5, 10), "bf16": (8, 7), "e4m3": (4, 3), "e5m2": (5, 2),
                                    "e2m3": (2, 3), "e3m2": (3, 2), "e2m1": (2, 1)}[kind]  # fmt: skip
    bias = 2 ** (exponent_bits - 1) - 1
    exponent = bits >> fraction_bits & (1 << exponent_bits) - 1
    fraction = bits & (1 << fraction_bits) - 1
    sign = np.where(bits >> (exponent_bits + fraction_bits) & 1, -1.0, 1.0)
    normal = np.ldexp(1.0 + fraction / 2.0**fraction_bits, exponent - bias)
    magnitude = np.where(exponent == 0, np.ldexp(fraction / 2.0**fraction_bits, 1 - bias), normal)
    top = (1 << exponent_bits) - 1
    if kind in ("f16", "bf16", "e5m2"):
        magnitude = np.where(exponent == top, np.where(fraction == 0, np.inf, np.nan), magnitude)
    if kind == "e4m3":
        magnitude = np.where((exponent == top) & (fraction == 7), np.nan, magnitude)
    return np.asarray(sign * magnitude)


def table(lanes: int, elements: int, place: Callable[[int, int, int], tuple[int, int]]) -> Array:
    """[lane, element] -> (row, column)."""
    return np.array([[place(lane // 4, lane % 4, i) for i in range(elements)] for lane in range(lanes)])


@functools.cache
def fragment_a(kind: str, k: int) -> Array:
    """(row, column) of A, 16 x k, for each lane and element; PTX ISA, mma.m16n8k4 to m16n8k32."""
    if BITS[kind] == 16 and k == 16:
        return table(
            32, 8, lambda g, m, i: (g if i < 2 or 4 <= i < 6 else g + 8, m * 2 + (i & 1) + (8 if i >= 4 else 0))
        )
    if BITS[kind] == 16 and k == 8:
        return table(32, 4, lambda g, m, i: (g if i < 2 else g + 8, m * 2 + (i & 1)))
    if kind == "tf32" and k == 8:
        return table(32, 4, lambda g, m, i: (g if i in (0, 2) else g + 8, m if i < 2 else m + 4))
    if kind == "tf32" and k == 4:
        return table(32, 2, lambda g, m, i: (g if i == 0 else g + 8, m))
    if k == 32:
        return table(
            32, 16, lambda g, m, i: (g if i < 4 or 8 <= i < 12 else g + 8, m * 4 + (i & 3) + (16 if i >= 8 else 0))
        )
    assert k == 16
    return table(32, 8, lambda g, m, i: (g if i < 4 else g + 8, m * 4 + (i & 3)))


@functools.cache
def fragment_b(kind: str, k: int) -> Array:
    """(row, column) of B, k x 8."""
    if BITS[kind] == 16 and k == 16:
        return table(32, 4, lambda g, m, i: (m * 2 + (i & 1) + (8 if i >= 2 else 0), g))
    if BITS[kind] == 16 and k == 8:
        return table(32, 2, lambda g, m, i: (m * 2 + i, g))
    if kind == "tf32" and k == 8:
        return table(32, 2, lambda g, m, i: (m + 4 * i, g))
    if kind == "tf32" and k == 4:
        return table(32, 1, lambda g, m, i: (m, g))
    if k == 32:
        return table(32, 8, lambda g, m, i: (m * 4 + (i & 3) + (16 if i >= 4 else 0), g))
    assert k == 16
    return table(32, 4, lambda g, m, i: (m * 4 + i, g))


@functools.cache
def fragment_c() -> Array:
    """(row, column) of C and D, 16 x 8."""
    return table(32, 4, lambda g, m, i: (g if i < 2 else g + 8, m * 2 + (i & 1)))


@functools.cache
def wgmma_d(n: int) -> Array:
    """(row, column) of D, 64 x n, for each of 128 threads: PTX ISA, Figure "WGMMA .m64nNk16 register fragment layout for
    accumulator matrix D". Warp w holds rows 16 w to 16 w + 15, in blocks of 8 columns laid out as those of mma."""
    blocks = [fragment_c() + np.array([0, 8 * block]) for block in range(n // 8)]
    warp = np.concatenate(blocks, axis=1)
    return np.concatenate([warp + np.array([16 * i, 0]) for i in range(4)])


@functools.cache
def wgmma_a(kind: str) -> Array:
    """(row, column) of A in registers: each warp 16 rows, laid out as for the mma of 32 bytes of k."""
    k = 256 // BITS[kind]
    one = fragment_a(kind, k)
    return np.concatenate([one + np.array([16 * warp, 0]) for warp in range(4)])


def packed(matrix: Array, kind: str, places: Array) -> Array:
    """Registers [lane, register] of a matrix of bit patterns."""
    elements = np.asarray(matrix)[places[..., 0], places[..., 1]]
    width = {8: np.uint8, 16: np.uint16, 32: np.uint32}[BITS[kind]]
    return np.ascontiguousarray(elements.astype(width)).view(np.uint32)


def canonical(kind: str, rows: int, mn_major: bool, swizzle: int, leading: int, stride: int) -> Array:
    """Byte offsets [row, k] of an operand's elements before swizzling, from the canonical layouts of the PTX ISA:

    K-major   none ((8,m),(T,2k)):((1T,SBO),(1,LBO))      MN-major  none ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO))
    K-major   S/16 ((8,m),(T,2k)):((S/16 T,SBO),(1,T))    MN-major  S    ((T,S/16,m),(8,k)):((1,T,LBO),(S/16 T,SBO))

    T is the number of elements in 16 bytes. `swizzle` is 0, 32, 64 or 128.
    """
    size = BITS[kind] // 8
    t = 16 // size
    r, k = np.arange(rows)[:, None], np.arange(2 * t)[None, :]
    if not mn_major and swizzle == 0:
        return r % 8 * 16 + r // 8 * stride + k % t * size + k // t * leading
    if not mn_major:
        return r % 8 * swizzle + r // 8 * stride + k % t * size + k // t * 16
    if swizzle == 0:
        return r % t * size + r // t * stride + k % 8 * 16 + k // 8 * leading
    chunks = swizzle // 16
    inner, middle, outer = r % t, r // t % chunks, r // t // chunks
    return inner * size + middle * 16 + outer * leading + k % 8 * swizzle + k // 8 * stride


def swizzled(address: Array, swizzle: int) -> Array:
    """CuTe's Swizzle<B, 4, 3> of byte addresses, with B = 0, 1, 2, 3 for 0, 32, 64, 128 bytes."""
    bits = {0: 0, 32: 1, 64: 2, 128: 3}[swizzle]
    return address ^ ((address >> 7 & (1 << bits) - 1) << 4)
