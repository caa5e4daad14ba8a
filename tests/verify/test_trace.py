"""The traced evaluation: its plain part is what a naive kernel computes, its bound holds and is not loose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from spak.verify.trace import Traced, Untraceable, arithmetic

RNG = np.random.Generator(np.random.Philox(key=[7, 8]))
F32 = arithmetic("f32")


def given(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32).astype(np.float64)


def test_plain_sums_are_sequential_both_ways() -> None:
    x = given(1000)
    total = np.float32(0)
    for value in x.astype(np.float32):
        total += value
    back = np.float32(0)
    for value in x.astype(np.float32)[::-1]:
        back += value
    traced = Traced.of(x, F32).sum()
    assert (traced.plain[0], traced.plain[1]) == (total, back)
    assert traced.plain[0] != x.astype(np.float32).sum()  # NumPy's own is pairwise


def test_plain_products_of_matrices_are_sequential() -> None:
    a, b = given(3, 65), given(65, 2)
    expected = np.zeros((3, 2), np.float32)
    for k in range(65):
        expected += a.astype(np.float32)[:, k, None] * b.astype(np.float32)[None, k, :]
    traced = Traced.of(a, F32) @ Traced.of(b, F32)
    assert np.array_equal(traced.plain[0], expected)
    assert np.array_equal(traced.exact, a @ b)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "polynomial": lambda x: 3 * x * x - 2 * x + 0.1,
    "exp of a difference": lambda x: np.exp(x - x.max(axis=1, keepdims=True)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "rmsnorm": lambda x: x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6),
    "layernorm": lambda x: (x - x.mean(axis=1, keepdims=True)) / np.sqrt(np.var(x, axis=1, keepdims=True) + 1e-5),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))),
    "gram": lambda x: x.T @ x,
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "where": lambda x: np.where(x > 0, x, 0.01 * x),
    "joined": lambda x: np.concatenate([x, np.abs(x)], axis=1).sum(axis=0),
    "clip and cumsum": lambda x: np.cumsum(np.clip(x, -1, 1), axis=1),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "norm": lambda x: np.sqrt((x**2).sum(axis=1)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_bound_holds_for_numpys_own_float32(name: str) -> None:
    """NumPy in float32 is an honest kernel: pairwise sums, its own exp. It must be within 4 bounds, and not far
    below.
    """
    function, x = FUNCTIONS[name], given(20, 70)
    traced = function(Traced.of(x, F32))
    assert np.allclose(traced.exact, function(x), rtol=1e-12)
    for values in (function(x.astype(np.float32)), traced.plain[0], traced.plain[1]):
        error = np.abs(np.asarray(values, np.float64) - traced.exact)
        assert (error <= 4 * traced.error).all()
        assert error.max() > traced.error.max() / 200  # not so loose that anything passes


def test_narrow_accumulators_round_after_every_step() -> None:
    x = given(400)
    half = Traced.of(x, arithmetic("f16")).sum().plain[0]
    total = np.float16(0)
    for value in x.astype(np.float16):
        total = np.float16(total + value)
    assert half == total


def test_constants_bring_their_own_error() -> None:
    assert Traced.of(np.array([0.1]), F32).error[0] == pytest.approx(abs(0.1 - float(np.float32(0.1))))
    assert Traced.of(np.array([0.5]), F32).error[0] == 0


@pytest.mark.parametrize("call", [np.linalg.inv, np.sort, np.fft.fft, lambda x: x.argmax()])
def test_what_has_no_rule_says_so(call: Callable[[Any], Any]) -> None:
    with pytest.raises(Untraceable):
        call(Traced.of(given(3, 3), F32))
