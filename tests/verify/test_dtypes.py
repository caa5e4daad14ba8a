"""Conversions are exact one way and correctly rounded the other."""

from __future__ import annotations

import numpy as np
import pytest
from spak.verify.dtypes import KINDS, from_f64, quantise, to_f64, ulp

ml_dtypes = pytest.importorskip("ml_dtypes")
RNG = np.random.Generator(np.random.Philox(key=[5, 6]))


def spread(low: int, high: int, count: int = 20_000) -> np.ndarray:
    return RNG.standard_normal(count) * np.exp2(RNG.integers(low, high, count))


def test_every_bf16_survives_the_way_there_and_back() -> None:
    words = np.arange(65536, dtype=np.uint32).astype(np.uint16)
    wide = to_f64(words, "bf16")
    numbers = ~np.isnan(wide)
    assert np.array_equal(from_f64(wide, "bf16")[numbers], words[numbers])
    assert np.isnan(to_f64(from_f64(wide, "bf16"), "bf16"))[~numbers].all()


@pytest.mark.parametrize("name, low, high", [("bf16", -140, 130), ("f16", -30, 17), ("f32", -155, 130)])
def test_rounding_is_to_nearest_even(name: str, low: int, high: int) -> None:
    values = spread(low, high)
    with np.errstate(over="ignore"):
        other = {"bf16": ml_dtypes.bfloat16, "f16": np.float16, "f32": np.float32}[name]
        # ml_dtypes goes through f32 and so rounds twice: feed it what f32 holds exactly.
        values = values.astype(np.float32).astype(np.float64) if name == "bf16" else values
        expected = values.astype(other).astype(np.float64)
    assert np.array_equal(to_f64(from_f64(values, name), name), expected)


def test_rounding_happens_once() -> None:
    """Just above a tie of bf16, by less than f32 can hold: through f32 it would fall on the tie, and then down to
    even.
    """
    value = 1 + 2.0**-8 + 2.0**-40
    assert to_f64(from_f64([value], "bf16"), "bf16")[0] == 1 + 2.0**-7
    assert float(np.float32(value)) == 1 + 2.0**-8


def test_ties_overflow_and_subnormals() -> None:
    kind = KINDS["f16"]
    assert quantise(np.array([65519.99, 65520.0, -70000.0, 2.0**-25, 2.0**-25 * 1.01]), kind).tolist() == [
        65504.0,
        np.inf,
        -np.inf,
        0.0,
        2.0**-24,
    ]


def test_tf32_is_stored_in_f32_with_eleven_bits() -> None:
    stored = from_f64([1 + 2.0**-11, 1 + 3 * 2.0**-11], "tf32")
    assert stored.dtype == np.float32
    assert stored.tolist() == [1.0, 1 + 2.0**-9]


def test_integers_saturate_and_bools_are_truth() -> None:
    assert from_f64([300.0, -300.0, 2.5, np.nan], "i8").tolist() == [127, -128, 2, 0]
    assert from_f64([0.0, 0.1, -3.0], "bool").tolist() == [0, 1, 1]


@pytest.mark.parametrize("name", ["f16", "bf16", "f32", "f64"])
def test_ulp_is_the_gap_to_the_next_number(name: str) -> None:
    kind = KINDS[name]
    gaps = ulp(np.array([1.0, 1.5, 2.0, 0.0, kind.smallest]), kind)
    assert gaps.tolist() == [2.0 ** (1 - kind.bits)] * 2 + [2.0 ** (2 - kind.bits), kind.smallest, kind.smallest]
