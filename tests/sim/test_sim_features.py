"""Every primitive of the simulator, in small kernels, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import sim_harness

ORDERS = [{"order": "forward"}, {"order": "reverse"}, {"seed": 1}, {"seed": 2}, {"seed": 77, "threads": 1}]
RNG = np.random.default_rng(7)


@pytest.fixture(params=ORDERS, ids=str)
def order(request: pytest.FixtureRequest) -> dict[str, object]:
    return request.param  # type: ignore[no-any-return]


def test_indices(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    grid, block = (3, 2, 2), (4, 3, 5)
    out = np.full((12, 60, 6), -1, np.int32)
    features.run("indices", grid, block, out, 60, **order)
    want = [
        [(tx, ty, tz, bx, by, bz) for tz in range(5) for ty in range(3) for tx in range(4)]
        for bz in range(2) for by in range(2) for bx in range(3)
    ]  # fmt: skip
    assert np.array_equal(out, want)


def test_barriers(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    out = np.zeros((100, 3), np.int32)
    features.run("barriers", 1, 100, out, **order)
    assert (out == [34, 0, 1 + 2 + 0]).all()


def test_shuffles(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    n = 64
    x = RNG.standard_normal(n).astype(np.float32)
    out = np.zeros((9, n), np.float32)
    features.run("shuffles", 1, n, x, out, **order)
    t = np.arange(n)
    lane, base = t % 32, t // 32 * 32

    def up(delta: int, width: int) -> np.ndarray:
        return np.where(lane % width >= delta, t - delta, t)

    def down(delta: int, width: int) -> np.ndarray:
        return np.where(lane % width + delta < width, t + delta, t)

    sources = [base + 5, base + 1, t // 8 * 8 + 3, up(3, 32), up(2, 16), down(7, 32), down(1, 4), t ^ 9]
    sources.append(np.where((lane ^ 16) < (lane // 16 + 1) * 16, t ^ 16, t))
    for row, source in zip(out, sources, strict=True):
        assert np.array_equal(row, x[source])


def test_shuffle_types(features: sim_harness.Kernels) -> None:
    t = np.arange(32)
    f64, i64, u32 = (
        RNG.standard_normal(32),
        RNG.integers(-(1 << 60), 1 << 60, 32),
        RNG.integers(0, 1 << 32, 32, np.uint32),
    )
    f16, bf16, pair = (
        RNG.standard_normal(32).astype(np.float16),
        RNG.integers(0, 1 << 15, 32, np.uint16),
        RNG.integers(0, 1 << 32, 32, np.uint32),
    )
    arrays = [f64, i64, u32, f16, bf16, pair]
    wanted = [array[t ^ step] for array, step in zip(arrays, [1, 2, 4, 8, 16, 31], strict=True)]
    features.run("shuffle_types", 1, 32, *arrays)
    for array, want in zip(arrays, wanted, strict=True):
        assert np.array_equal(array.view(np.uint8), want.view(np.uint8))


def test_half_warps_with_their_own_masks(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    out = np.zeros(32, np.int32)
    features.run("half_warps", 1, 32, out, **order)
    assert np.array_equal(out, [*range(15, -1, -1), *[sum(range(16, 32))] * 16])


def test_votes(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    x = RNG.integers(0, 10, 32).astype(np.int32)
    x[3] = 9
    out = np.zeros((13, 32), np.uint32)
    features.run("votes", 1, 32, x, out, **order)
    ones = 0xFFFFFFFF

    def mask(which: np.ndarray) -> int:
        return sum(1 << i for i in np.flatnonzero(which))

    v = x.astype(np.int64)
    assert (out[0] == mask(x > 4)).all() and (out[1] == 1).all() and (out[2] == 1).all()
    assert [int(m) for m in out[3]] == [mask(x == k) for k in x]
    assert (out[4] == 0).all() and (out[5] == (ones - 2)).all()
    assert (
        (out[6] == v.sum()).all()
        and (out[7] == (v - 5).min() & ones).all()
        and (out[8] == ((v - 5) & ones).max()).all()
    )
    assert (out[9] == np.bitwise_and.reduce(x | 64)).all() and (out[10] == np.bitwise_or.reduce(x)).all()
    assert (out[11] == np.bitwise_xor.reduce(x)).all()
    assert all(int(m) >> t & 1 for t, m in enumerate(out[12]))


def test_atomics(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    blocks, block = 6, 96
    n = blocks * block
    i = np.zeros(8 + n, np.int32)
    i[4] = -1
    u, l64 = np.zeros(3, np.uint32), np.zeros(2, np.uint64)
    f, d, h, h2, b = (
        np.zeros(1, np.float32),
        np.zeros(1),
        np.zeros(1, np.float16),
        np.zeros(2, np.float16),
        np.zeros(1, np.uint16),
    )
    features.run("atomics", blocks, block, i, u, l64, f, d, h, h2, b, **order)
    t = np.arange(n)
    assert (i[0], i[1], i[2], i[3]) == (t.sum(), -t.sum(), 1 - n, n - 1)
    assert (i[4], i[5]) == (-(1 << 31), (1 << 31) - 1)
    assert i[6] == np.bitwise_xor.reduce(1 << (t % 31)) and (i[8:] == 1).all() and i[7] > 0
    down = 0
    for _ in range(n):
        down = 9 if down == 0 or down > 9 else down - 1
    assert (u[0], u[1], u[2]) == (n % 10, down, 5)
    assert l64[0] == n << 33 and l64[1] == (n - 1) << 40
    assert f[0] == n / 2 and d[0] == n / 4 and h[0] == n and tuple(h2) == (n, 2 * n)
    assert b[0] == np.float32(256.0).view(np.uint32) >> 16  # bf16 stops at 256 in steps of one


def test_bits(features: sim_harness.Kernels) -> None:
    x = np.array([0, 1, -1, 2, 1 << 30, -(1 << 31), *RNG.integers(-(1 << 31), 1 << 31, 50)], np.int32)
    out = np.zeros((len(x), 8), np.int32)
    features.run("bits", 1, 32, x, out, len(x))
    for value, row in zip(x.tolist(), out.astype(np.uint32).tolist(), strict=True):
        u, inverse = value & 0xFFFFFFFF, ~value & 0xFFFFFFFF
        text = f"{u:032b}"
        ffs = 0 if u == 0 else (u & -u).bit_length()
        funnel = (((inverse << 32 | u) << 5) >> 32) & 0xFFFFFFFF
        perm = (u & 0x00FFFFFF) | (inverse & 0xFF000000)
        high = ((value * 12345678) >> 32) & 0xFFFFFFFF
        want = [
            text.count("1"),
            32 - u.bit_length(),
            ffs,
            int(text[::-1], 2),
            high,
            (u * 3000000000) >> 32,
            perm,
            funnel,
        ]
        assert row == want, value


def test_conversions_saturate(features: sim_harness.Kernels) -> None:
    x = np.array([0.5, 1.5, -0.5, -1.5, 2.7, -2.7, 3e9, -3e9, np.inf, -np.inf, np.nan, 2147483520.0], np.float32)
    out = np.zeros((len(x), 5), np.int32)
    features.run("conversions", 1, 32, x, out, len(x))
    lo, hi = -(1 << 31), (1 << 31) - 1
    for column, rounding in enumerate([np.rint, np.trunc, np.ceil, np.floor]):
        want = [0 if np.isnan(v) else int(np.clip(rounding(np.float64(v)), lo, hi)) for v in x]
        assert out[:, column].tolist() == want
    assert np.array_equal(out[:, 4].view(np.float32), x, equal_nan=True)


def test_math(features: sim_harness.Kernels) -> None:
    from math import erf

    x = np.abs(RNG.standard_normal(40)).astype(np.float32) + np.float32(0.01)
    out = np.zeros((len(x), 12), np.float32)
    features.run("math", 1, 32, x, out, len(x))
    v = x.astype(np.float64)
    gelu = 0.5 * v * (1 + np.array([erf(a / np.sqrt(2)) for a in v]))
    want = [
        np.exp(v),
        np.log(v),
        1 / np.sqrt(v),
        v / 3,
        np.clip(v, 0, 1),
        v * v - 1,
        np.maximum(v, 1.5),
        np.full_like(v, 1.25),
    ]
    want += [1 / (1 + np.exp(-v)), gelu, v**1.5, 1 / v + np.sqrt(v)]
    np.testing.assert_allclose(out, np.stack(want, 1), rtol=2e-6, atol=1e-6)


def test_half_math(features: sim_harness.Kernels) -> None:
    x, y = (RNG.standard_normal(64).astype(np.float16) + np.float16(0.1) for _ in range(2))
    out = np.zeros((64, 8), np.float16)
    features.run("half_math", 1, 32, x, y, out, 64)
    a, b = x.astype(np.float64), y.astype(np.float64)
    pair = np.maximum((2 * a + b).astype(np.float16), (3 * b).astype(np.float16))
    exact = [a + b, a * b, a - b, a / b, a * b + a]
    for column, want in enumerate(exact):
        assert np.array_equal(out[:, column], want.astype(np.float16)), column
    np.testing.assert_allclose(out[:, 5].astype(float), np.exp(a), rtol=1e-3)
    np.testing.assert_allclose(out[:, 6].astype(float), np.sqrt(np.abs(a)), rtol=1e-3)
    assert np.array_equal(out[:, 7], pair)


def bf16(x: np.ndarray) -> np.ndarray:
    """Float64 to the nearest bf16 (ties to even), as its bits. Exact for these inputs, which are short."""
    bits = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def test_bf16_math(features: sim_harness.Kernels) -> None:
    x, y = (bf16(RNG.standard_normal(64)) for _ in range(2))
    out = np.zeros((64, 6), np.uint16)
    features.run("bf16_math", 1, 32, x, y, out, 64)
    a, b = ((v.astype(np.uint32) << 16).view(np.float32).astype(np.float64) for v in (x, y))
    for column, want in [(0, a + b), (1, a * b), (2, a * b + a), (3, 3 * a), (5, 2 * a)]:
        assert np.array_equal(out[:, column], bf16(want)), column
    np.testing.assert_allclose((out[:, 4].astype(np.uint32) << 16).view(np.float32), np.tanh(a), rtol=1e-2)


def test_vectors(features: sim_harness.Kernels) -> None:
    x, out = RNG.standard_normal((32, 4)).astype(np.float32), np.zeros((32, 4), np.float32)
    h, g = RNG.standard_normal(256).astype(np.float16), np.zeros(256, np.float16)
    if any(array.ctypes.data % 16 for array in (x, out, h, g)):
        pytest.skip("NumPy gave memory that is not 16-byte aligned")
    features.run("vectors", 1, 32, x, out, h, g)
    want = np.stack([x[:, 3] * 2, x[:, 2], x[:, 1], x[:, 0] + 1], 1)
    assert np.array_equal(out, want) and np.array_equal(g, h + h)


def test_shared_declarations(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    out, sizes = np.zeros(32, np.float32), np.zeros(4, np.int64)
    features.run("shared_forms", 2, 64, out, sizes, smem=256, **order)
    assert np.array_equal(out, 118.0 + np.arange(32)) and sizes.tolist() == [128, 24, 0, 0]


def test_shared_memory_is_poisoned_for_each_block(features: sim_harness.Kernels) -> None:
    for _ in range(3):
        out = np.zeros(64, np.float32)
        features.run("poison", 4, 32, out, smem=128, threads=1)
        assert np.isnan(out).all()


def test_reductions(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    n = 160
    x = RNG.integers(-50, 50, n).astype(np.float32)
    out, scan = np.zeros((8, n), np.float32), np.zeros(n, np.int32)
    features.run("reductions", 1, n, x, out, scan, **order)
    warps = x.reshape(-1, 32)
    want = [
        x.sum(),
        x.max(),
        x.min(),
        x[33],
        np.repeat(x.reshape(-1, 8).sum(1), 8),
        np.repeat(warps.max(1), 32),
        np.repeat(warps[:, 9], 32),
        x.sum(),
    ]
    for row, value in zip(out, want, strict=True):
        assert np.array_equal(row, np.broadcast_to(value, n))
    assert np.array_equal(scan.reshape(-1, 32), np.arange(n).reshape(-1, 32).cumsum(1))


def test_count_before_an_early_return(features: sim_harness.Kernels, order: dict[str, object]) -> None:
    out = np.zeros(100, np.int32)
    features.run("early_finish", 2, 64, out, 100, **order)
    assert out.tolist() == [64] * 64 + [36] * 36
