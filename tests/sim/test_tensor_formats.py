"""f16, bf16, tf32, fp8, fp6 and fp4 on whole tables of inputs: every conversion, rounding mode and operation against values
that are computed from the definition of the formats."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
import tensor_reference as ptx

ALL = 65536
LARGEST = {"f16": 0x7BFF, "bf16": 0x7F7F, "e4m3": 0x7E, "e5m2": 0x7B, "e3m2": 0x1F, "e2m3": 0x1F, "e2m1": 0x07}
SIGN = {"f16": 15, "bf16": 15, "e4m3": 7, "e5m2": 7, "e3m2": 5, "e2m3": 5, "e2m1": 3}


@pytest.fixture(scope="module")
def formats() -> sim_harness.Kernels:
    return sim_harness.build(Path(__file__).parent / "kernels" / "tensor_formats.cu")


def rounded(kind: str, x: Any, mode: str = "rn", saturate: bool = False) -> Any:
    """Bits of `x` in a format, by search among all of its values. NaN where `x` is one: -1."""
    with np.errstate(all="ignore"):
        x = np.asarray(x)
        table = ptx.values(kind, np.arange(LARGEST[kind] + 1)).astype(x.dtype)
        top = len(table) - 1
        above = 2 * table[top] - table[top - 1]  # what would follow
        size = np.abs(x)
        low = np.searchsorted(table, size, side="right") - 1
        following = np.append(table, above)[np.minimum(low + 1, top + 1)]
        exact = size == table[low]
        below_half, at_half = size - table[low] < following - size, size - table[low] == following - size
        up = {
            "rn": ~exact & ~below_half & (~at_half | (low % 2 == 1)),
            "rz": np.zeros(x.shape, bool),
            "ru": ~exact & (x > 0),
            "rd": ~exact & (x < 0),
        }[mode]
        bits = low + up
        infinite = np.isinf(x)
        if saturate:
            bits = np.minimum(bits, top)
            bits[infinite] = top
        else:
            bits[infinite] = top + 1
            bits = np.minimum(bits, top + 1)
        bits = bits | np.where(np.signbit(x), 1 << SIGN[kind], 0)
        bits[np.isnan(x)] = -1
        return bits


def same(kind: str, found: Any, wanted: Any) -> None:
    """Equal bits; -1 wants any NaN."""
    found, wanted = np.asarray(found).astype(np.int64), np.asarray(wanted)
    nan = np.isnan(ptx.values(kind, found))
    bad = np.where(wanted == -1, ~nan, found != wanted)
    assert not bad.any(), [(int(i), hex(int(found[i])), hex(int(wanted[i]))) for i in np.flatnonzero(bad)[:5]]


def borders(kind: str) -> Any:
    """Every value of a format as f32, the middle to the next, and their neighbours; infinities, NaN, huge and tiny ones."""
    table = ptx.values(kind, np.arange(LARGEST[kind] + 1))
    following = np.append(table[1:], 2 * table[-1] - table[-2])
    with np.errstate(over="ignore"):
        points = np.concatenate([table, (table + following) / 2]).astype(np.float32)
    extra = np.array([np.inf, np.nan, 3e38, 1e-45, 1e-40, 65520, 65519.996, 464, 480, 61440, 61439.996], np.float32)
    inf = np.float32(np.inf)
    around = np.concatenate([points, np.nextafter(points, inf), np.nextafter(points, -inf), extra])
    return np.concatenate([around, -around])


def test_widening_is_exact(formats: sim_harness.Kernels) -> None:
    out = np.zeros((7, ALL), np.float32)
    formats.run("widen", 1, 256, out)
    counts = {"f16": ALL, "bf16": ALL, "e4m3": 256, "e5m2": 256, "e3m2": 64, "e2m3": 64, "e2m1": 16}
    for row, (kind, count) in zip(out, counts.items(), strict=True):
        wanted = ptx.values(kind, np.arange(count)).astype(np.float32)
        np.testing.assert_array_equal(row[:count], wanted)
        np.testing.assert_array_equal(
            np.signbit(row[:count]), np.signbit(wanted) | np.signbit(row[:count]) & np.isnan(wanted)
        )


def test_narrowing_in_every_mode(formats: sim_harness.Kernels) -> None:
    x = np.unique(np.concatenate([borders(kind) for kind in LARGEST]).view(np.uint32)).view(np.float32)
    out, tf32 = np.zeros((21, len(x)), np.uint16), np.zeros(len(x), np.uint32)
    formats.run("narrow", 4, 256, x, out, tf32, len(x))
    wide = x.astype(np.float64)
    modes = [("f16", m, False) for m in ("rn", "rz", "ru", "rd")] + [
        ("bf16", m, False) for m in ("rn", "rz", "ru", "rd")
    ]
    modes += [("f16", "rn", False), ("bf16", "rn", False)]
    modes += [("e4m3", "rn", True), ("e4m3", "rn", False), ("e5m2", "rn", True), ("e5m2", "rn", False)]
    modes += [("e4m3", "rn", True), ("e5m2", "rn", False), ("e4m3", "rn", True), ("e5m2", "rn", True)]
    for row, (kind, mode, saturate) in zip(out, modes, strict=False):
        wanted = rounded(kind, wide, mode, saturate)
        if kind == "e4m3" and not saturate:
            wanted = np.where((wanted & 0x7F) == 0x7F, -1, wanted)  # it has no infinity
        same(kind, row, wanted)
    for row, kind in zip(out[18:], ("e3m2", "e2m3", "e2m1"), strict=True):
        wanted = rounded(kind, wide, "rn", True)
        np.testing.assert_array_equal(row, np.where(wanted == -1, LARGEST[kind], wanted))  # neither has a NaN
    # tf32 has the exponents of f32 and 10 bits of fraction: to nearest, ties away from zero.
    bits = x.view(np.uint32).astype(np.int64)
    exact = np.where(np.isnan(x) | np.isinf(x), bits, bits + 0x1000 & ~0x1FFF)
    np.testing.assert_array_equal(tf32[~np.isnan(x)], exact[~np.isnan(x)])
    assert np.isnan(tf32.view(np.float32)[np.isnan(x)]).all()


def test_16_to_8_bits(formats: sim_harness.Kernels) -> None:
    out = np.zeros((8, ALL), np.uint16)
    formats.run("half_to_fp8", 1, 256, out)
    rows = iter(out)
    for source in ("f16", "bf16"):
        x = ptx.values(source, np.arange(ALL))
        for kind in ("e4m3", "e5m2"):
            for saturate in (True, False):
                wanted = rounded(kind, x, "rn", saturate)
                same(kind, next(rows), np.where((wanted & 0x7F) == 0x7F, -1, wanted) if kind == "e4m3" else wanted)


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_functions_with_exact_results(formats: sim_harness.Kernels, kind: str) -> None:
    out = np.zeros((7, ALL), np.uint16)
    formats.run(f"{kind}_exact", 1, 256, out)
    x = ptx.values(kind, np.arange(ALL))
    with np.errstate(invalid="ignore"):
        wanted = [np.ceil(x), np.floor(x), np.trunc(x), np.rint(x), np.sqrt(x), np.abs(x), -x]
    for row, want in zip(out, wanted, strict=True):
        same(kind, row, rounded(kind, want))


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_functions_within_one_place(formats: sim_harness.Kernels, kind: str) -> None:
    """Results are at most one representable number away from the rounded exact one."""
    out = np.zeros((11, ALL), np.uint16)
    formats.run(f"{kind}_approximate", 1, 256, out)
    x = ptx.values(kind, np.arange(ALL))
    with np.errstate(all="ignore"):
        wanted = [
            np.exp(x),
            np.exp2(x),
            10.0**x,
            np.log(x),
            np.log2(x),
            np.log10(x),
            np.sin(x),
            np.cos(x),
            1 / x,
            1 / np.sqrt(x),
            np.tanh(x),
        ]
    for row, want in zip(out, wanted, strict=True):
        bits, found = rounded(kind, want), row.astype(np.int64)
        nan = bits == -1
        assert np.isnan(ptx.values(kind, found[nan])).all()
        ordered = [np.where(b & 0x8000, -(b & 0x7FFF), b) for b in (found[~nan], bits[~nan])]
        assert np.abs(ordered[0] - ordered[1]).max() <= 1


def operands(seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    a = np.arange(ALL, dtype=np.uint16)
    b, c = rng.permutation(ALL).astype(np.uint16), rng.permutation(ALL).astype(np.uint16)
    b[::7] = a[::7]
    return a, b, c


def fused(kind: str, a: Any, b: Any, c: Any) -> Any:
    """Bits of a * b + c rounded once: exact in f64, or with rational numbers for some of the others; -2 where not computed."""
    with np.errstate(all="ignore"):
        product = a * b
        total = product + c
        back = total - product
        exact = ~np.isfinite(total) | ((product - (total - back)) + (c - back) == 0)
    out = np.where(exact, rounded(kind, total), -2)
    table = ptx.values(kind, np.arange(LARGEST[kind] + 1))
    for i in np.flatnonzero(~exact)[:1500]:
        value = Fraction(float(a[i])) * Fraction(float(b[i])) + Fraction(float(c[i]))
        size, low = abs(value), int(np.searchsorted(table, abs(float(value)), side="right")) - 1
        low -= Fraction(float(table[low])) > size
        low += low < LARGEST[kind] and Fraction(float(table[low + 1])) <= size
        bottom = Fraction(float(table[low]))
        top = Fraction(float(table[low + 1])) if low < LARGEST[kind] else 2 * bottom - Fraction(float(table[low - 1]))
        middle = (bottom + top) / 2
        out[i] = (low + (size > middle or (size == middle and low % 2 == 1))) | (0x8000 if value < 0 else 0)
    return out


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_arithmetic_and_comparisons(formats: sim_harness.Kernels, kind: str) -> None:
    a, b, c = operands(1)
    out = np.zeros((26, ALL), np.uint16)
    formats.run(f"{kind}_arithmetic", 1, 256, a, b, c, out, ALL)
    x, y, z = (ptx.values(kind, bits) for bits in (a, b, c))
    either = np.isnan(x) | np.isnan(y)
    with np.errstate(all="ignore"):
        sums = {0: x + y, 1: x - y, 2: x * y, 3: x / y}
        fma = fused(kind, x, y, z)
        larger, smaller = np.fmax(x, y), np.fmin(x, y)
    for row, want in sums.items():
        same(kind, out[row], rounded(kind, want))
    known = fma != -2
    same(kind, out[4][known], fma[known])
    negative = (fma & 0x8000 != 0) & (fma >= 0)
    same(kind, out[5][known], np.where(negative, 0, fma)[known])
    one = rounded(kind, np.array([1.0]))[0]
    with np.errstate(invalid="ignore"):
        clipped = np.clip(np.nan_to_num(x + y, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
    same(kind, out[6], rounded(kind, clipped + 0.0))
    same(kind, out[7][known], np.where(negative | (fma == -1), 0, np.minimum(fma, one))[known])
    for row, want, joins in ((8, larger, False), (9, smaller, False), (10, larger, True), (11, smaller, True)):
        want = np.where(either & joins, np.nan, want)
        found = ptx.values(kind, out[row])
        np.testing.assert_array_equal(found, want)
    order = {12: x == y, 13: x != y, 14: x < y, 15: x <= y, 16: x > y, 17: x >= y}
    for row, truth in order.items():
        np.testing.assert_array_equal(out[row], truth & ~either)
        np.testing.assert_array_equal(out[row + 6], truth | either)
    np.testing.assert_array_equal(out[24], np.isnan(x))
    np.testing.assert_array_equal(out[25], np.isinf(x))


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_pairs_are_two_of_the_same(formats: sim_harness.Kernels, kind: str) -> None:
    a, b, c = operands(1)
    out, single = np.zeros((20, ALL), np.uint16), np.zeros((26, ALL), np.uint16)
    formats.run(f"{kind}_packed", 1, 256, a, b, c, out, ALL)
    formats.run(f"{kind}_arithmetic", 1, 256, a, b, c, single, ALL)
    one = int(rounded(kind, np.array([1.0]))[0])
    rows = [single[i].astype(np.int64) for i in (0, 1, 2, 3, 4, 5, 8, 9)] + [
        single[i].astype(np.int64) * one for i in (12, 14)
    ]
    for i, wanted in enumerate(rows):
        nan = np.isnan(ptx.values(kind, wanted))
        wanted = np.where(nan, -1, wanted)
        same(kind, out[2 * i], wanted)
        same(kind, out[2 * i + 1], wanted[::-1])


@pytest.mark.parametrize("kind", ["f16", "bf16"])
def test_conversions_to_integers(formats: sim_harness.Kernels, kind: str) -> None:
    out = np.zeros((24, ALL), np.int64)
    formats.run(f"{kind}_to_integers", 1, 256, out)
    x = ptx.values(kind, np.arange(ALL))
    limits = [
        (-(2**31), 2**31 - 1),
        (0, 2**32 - 1),
        (-(2**15), 2**15 - 1),
        (0, 2**16 - 1),
        (-(2**63), 2**63 - 1),
        (0, 2**64 - 1),
    ]
    rows = iter(out)
    for low, high in limits:
        for mode in (np.rint, np.trunc, np.ceil, np.floor):
            with np.errstate(invalid="ignore"):
                whole = mode(x)
            nan = 2**63 if high >= 2**63 - 1 else 0
            wanted = [
                nan if v != v else min(max(int(v), low), high) if abs(v) < 1e30 else (high if v > 0 else low)
                for v in whole
            ]
            found = next(rows).astype(np.uint64)
            np.testing.assert_array_equal(found, np.array([w % 2**64 for w in wanted], np.uint64))


def test_pairs_of_fp8(formats: sim_harness.Kernels) -> None:
    wide, back = np.zeros((2, ALL, 2), np.float32), np.zeros((2, ALL), np.uint16)
    formats.run("fp8_pairs", 1, 256, wide, back[0], back[1])
    pairs = np.arange(ALL, dtype=np.uint16).view(np.uint8).reshape(ALL, 2)
    for kind, x, bits in zip(("e4m3", "e5m2"), wide, back, strict=True):
        np.testing.assert_array_equal(x, ptx.values(kind, pairs))
        wanted = rounded(kind, x.astype(np.float64).ravel(), "rn", True)
        same(kind, bits.view(np.uint8), wanted)


def test_conversions_from_integers(formats: sim_harness.Kernels) -> None:
    powers = [2**k + d for k in range(63) for d in (-3, -1, 0, 1, 3)]
    middles = [((256 + f) * 2 + 1) * 2**k + d for f in range(0, 256, 5) for k in range(0, 52, 3) for d in (-1, 0, 1)]
    halves = [((1024 + f) * 2 + 1) * 2**k + d for f in range(0, 1024, 41) for k in range(6) for d in (-1, 0, 1)]
    numbers = np.array([s * v for v in (*powers, *middles, *halves, 65519, 65520, 65535) for s in (1, -1)], np.int64)
    f16, bf16 = np.zeros((12, len(numbers)), np.uint16), np.zeros((12, len(numbers)), np.uint16)
    formats.run("from_integers", 1, 256, numbers, f16, bf16, len(numbers))
    sources = [numbers.astype(np.int32), numbers.astype(np.uint32), numbers]
    for kind, out in (("f16", f16), ("bf16", bf16)):
        rows = iter(out)
        for source in sources:
            for mode in ("rn", "rz", "ru", "rd"):
                wanted = rounded(kind, source.astype(np.longdouble), mode)
                same(kind, next(rows), wanted)


def test_tensor_cores_take_every_pattern_for_its_value(formats: sim_harness.Kernels) -> None:
    pairs = {"mma_of_16_bits": ("f16", "bf16", ALL), "mma_of_8_bits": ("e4m3", "e5m2", 256)}
    for kernel, (first, second, count) in pairs.items():
        out = np.zeros((2, count), np.float32)
        formats.run(kernel, 1, 32, out[0], out[1])
        for kind, row in ((first, out[0]), (second, out[1])):
            np.testing.assert_array_equal(row, ptx.values(kind, np.arange(count)).astype(np.float32))
