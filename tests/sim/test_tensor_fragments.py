"""ldmatrix, stmatrix, movmatrix and mma.sync against the tables of the PTX ISA: which lane's register holds which element."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
import tensor_reference as ptx

KERNELS = Path(__file__).parent / "kernels"
SHAPES = [("f16", 16), ("f16", 8), ("bf16", 16), ("bf16", 8), ("tf32", 8), ("tf32", 4), ("e4m3", 32), ("e5m2", 32),
          ("s8", 32), ("s8", 16), ("u8", 32), ("u8", 16)]  # fmt: skip


@pytest.fixture(scope="module")
def fragments() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "tensor_fragments.cu")


def scattered_rows(count: int, seed: int) -> np.ndarray[Any, Any]:
    """A distinct multiple of 16 for each lane whose address counts, and nonsense for the others."""
    rows = np.random.default_rng(seed).permutation(128)[:32].astype(np.int32) * 16
    rows[8 * count :] = -7
    return rows


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_ldmatrix(fragments: sim_harness.Kernels, count: int, transposed: bool) -> None:
    memory = np.arange(1024, dtype=np.uint16)
    rows = scattered_rows(count, count)
    out = np.zeros((32, count), np.uint32)
    fragments.run(f"ldmatrix_x{count}{'_trans' if transposed else ''}", 1, 32, memory, rows, out)
    for i in range(count):
        matrix = np.array([memory[rows[8 * i + r] // 2 :][:8] for r in range(8)])
        matrix = matrix.T if transposed else matrix
        for lane in range(32):
            assert list(out[lane, i : i + 1].view(np.uint16)) == list(matrix[lane // 4, 2 * (lane % 4) :][:2])


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("transposed", [False, True])
def test_stmatrix(fragments: sim_harness.Kernels, count: int, transposed: bool) -> None:
    registers = np.arange(1, 64 * count + 1, dtype=np.uint16).view(np.uint32).reshape(32, count)
    rows = scattered_rows(count, count + 10)
    out = np.zeros(1024, np.uint16)
    fragments.run(
        f"stmatrix_x{count}{'_trans' if transposed else ''}", 1, 32, np.ascontiguousarray(registers), rows, out
    )
    expected = np.zeros(1024, np.uint16)
    for i in range(count):
        matrix = np.zeros((8, 8), np.uint16)
        for lane in range(32):
            matrix[lane // 4, 2 * (lane % 4) :][:2] = registers[lane, i : i + 1].view(np.uint16)
        matrix = matrix.T if transposed else matrix
        for r in range(8):
            expected[rows[8 * i + r] // 2 :][:8] = matrix[r]
    np.testing.assert_array_equal(out, expected)


def test_movmatrix(fragments: sim_harness.Kernels) -> None:
    matrix = np.arange(64, dtype=np.uint16).reshape(8, 8)
    out = np.zeros(32, np.uint32)
    fragments.run("movmatrix_trans", 1, 32, matrix.view(np.uint32), out)
    np.testing.assert_array_equal(out.view(np.uint16).reshape(8, 8), matrix.T)


def one_hot(kind: str, shape: tuple[int, int], at: tuple[int, int]) -> np.ndarray[Any, Any]:
    one = {"f16": 0x3C00, "bf16": 0x3F80, "tf32": 0x3F800000, "e4m3": 0x38, "e5m2": 0x3C, "s8": 1, "u8": 1}[kind]
    out = np.zeros(shape, np.uint32)
    out[at] = one
    return out


def run_mma(kernels: sim_harness.Kernels, kind: str, k: int, a: Any, b: Any, c: Any) -> np.ndarray[Any, Any]:
    """D of bit patterns A, B and of numbers C, through the fragments and back."""
    places = ptx.fragment_c()
    d = np.ascontiguousarray(c[places[..., 0], places[..., 1]])
    kernels.run(
        f"mma_{kind}_k{k}",
        1,
        32,
        ptx.packed(a, kind, ptx.fragment_a(kind, k)),
        ptx.packed(b, kind, ptx.fragment_b(kind, k)),
        d,
    )
    out = np.zeros((16, 8), d.dtype)
    out[places[..., 0], places[..., 1]] = d
    return out


@pytest.mark.parametrize(("kind", "k"), SHAPES)
def test_mma_layouts(fragments: sim_harness.Kernels, kind: str, k: int) -> None:
    """Every element of A and of B is met alone: D = A B with a single one in A picks one row of B, and the reverse."""
    number = np.int32 if kind in ("s8", "u8") else np.float32
    ramp_b = (np.arange(k * 8) % 61 + 1).reshape(k, 8)
    ramp_a = (np.arange(16 * k) % 61 + 1).reshape(16, k)

    def bits(ramp: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Of the largest element that is not above each number: e5m2 has no 61."""
        if kind == "tf32":
            return ramp.astype(np.float32).view(np.uint32)
        known = ptx.values(kind, np.arange(128 if ptx.BITS[kind] == 8 else 0x7C00))
        return np.searchsorted(np.where(np.isnan(known), np.inf, known), ramp, side="right") - 1

    zero = np.zeros((16, 8), number)
    for column in range(k):
        row = column % 16
        d = run_mma(fragments, kind, k, one_hot(kind, (16, k), (row, column)), bits(ramp_b), zero)
        expected = zero.copy()
        expected[row] = ptx.values(kind, bits(ramp_b))[column]
        np.testing.assert_array_equal(d, expected)
    for row in range(k):
        column = row % 8
        d = run_mma(fragments, kind, k, bits(ramp_a), one_hot(kind, (k, 8), (row, column)), zero)
        expected = zero.copy()
        expected[:, column] = ptx.values(kind, bits(ramp_a))[:, row]
        np.testing.assert_array_equal(d, expected)


def random_bits(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Finite elements of moderate size; integers of all sizes."""
    if kind in ("s8", "u8"):
        return rng.integers(0, 256, shape)
    numbers = rng.standard_normal(shape).astype(np.float32)
    if kind == "tf32":
        return numbers.view(np.uint32) | 0x1FFF  # the low bits are to be ignored
    if kind == "bf16":
        return numbers.view(np.uint32) >> 16
    if kind == "f16":
        return numbers.astype(np.float16).view(np.uint16)
    return rng.integers(0, 128, shape) % (0x78 if kind == "e4m3" else 0x60) | rng.integers(0, 2, shape) << 7


@pytest.mark.parametrize(("kind", "k"), SHAPES)
def test_mma_values(fragments: sim_harness.Kernels, kind: str, k: int) -> None:
    """D is the exact C + A B rounded once."""
    rng = np.random.default_rng(k)
    a, b = random_bits(kind, (16, k), rng), random_bits(kind, (k, 8), rng)
    exact = ptx.values(kind, a).astype(np.longdouble) @ ptx.values(kind, b).astype(np.longdouble)
    if kind in ("s8", "u8"):
        c = rng.integers(-(2**31), 2**31, (16, 8), dtype=np.int64).astype(np.int32)
        c[0] = 2**31 - 1
        expected = (c.astype(np.int64) + exact.astype(np.int64)).astype(np.uint32).view(np.int32)
    else:
        c = rng.standard_normal((16, 8)).astype(np.float32)
        expected = (c + exact).astype(np.float32)
    np.testing.assert_array_equal(run_mma(fragments, kind, k, a, b, c), expected)


@pytest.mark.parametrize("k", [8, 16])
def test_mma_with_f16_accumulators(fragments: sim_harness.Kernels, k: int) -> None:
    rng = np.random.default_rng(k)
    a, b = random_bits("f16", (16, k), rng), random_bits("f16", (k, 8), rng)
    c = rng.standard_normal((16, 8)).astype(np.float16)
    places = ptx.fragment_c()
    d = np.ascontiguousarray(c[places[..., 0], places[..., 1]]).view(np.uint32)
    fragments.run(
        f"mma_f16_f16_k{k}",
        1,
        32,
        ptx.packed(a, "f16", ptx.fragment_a("f16", k)),
        ptx.packed(b, "f16", ptx.fragment_b("f16", k)),
        d,
    )
    out = np.zeros((16, 8), np.float16)
    out[places[..., 0], places[..., 1]] = d.view(np.float16)
    exact = ptx.values("f16", a) @ ptx.values("f16", b) + c.astype(np.float64)
    np.testing.assert_array_equal(out, exact.astype(np.float16))


def test_a_misaligned_row_is_refused(fragments: sim_harness.Kernels) -> None:
    rows = scattered_rows(4, 0)
    rows[5] += 8
    with pytest.raises(sim_harness.Fault, match="multiple of 16 bytes") as caught:
        fragments.run("ldmatrix_x4", 1, 32, np.zeros(512, np.uint32), rows, np.zeros((32, 4), np.uint32))
    assert caught.value.rule == "misaligned"


@pytest.mark.parametrize(("step", "wavefronts"), [(16, 4), (32, 8), (128, 32)])
def test_bank_conflicts_of_ldmatrix(step: int, wavefronts: int) -> None:
    """8 rows of 16 bytes fill the 32 banks once where they are neighbours; 128 bytes apart they all want the same four."""
    kernels = sim_harness.build(KERNELS / "tensor_fragments.cu", "instrumented")
    lanes = np.arange(32)
    rows = (lanes % 8 * step + lanes // 8 * (16 * 8 if step == 16 else 16 if step == 128 else 512)).astype(np.int32)
    kernels.run("ldmatrix_x4", 1, 32, np.zeros(512, np.uint32), rows, np.zeros((32, 4), np.uint32), mode="profile")
    (one,) = kernels.counters()
    assert one["counters"]["matrix_loads"] == 1
    assert one["counters"]["shared_load_requests"] == 1
    assert one["counters"]["shared_load_wavefronts"] == wavefronts
