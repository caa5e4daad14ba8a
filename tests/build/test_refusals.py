# ruff: noqa: E501 -- sources and messages stay in one line
"""What kernels refuse, and in which words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from spak.runtime.raw import RawTensor

Kernels = Callable[..., Any]
F32 = np.float32
SIGNATURE = "signature: matmul(a: f32[M, K], b: f32[K, N], alpha: f32 = 1.0) -> c: f32[M, N]"


def ones(*shape: int, dtype: Any = F32) -> Any:
    return np.ones(shape, dtype)


def misaligned() -> Any:
    return np.frombuffer(bytearray(4 * 6 + 1), np.uint8)[1:].view(F32).reshape(2, 3)


def readonly(*shape: int) -> Any:
    array = ones(*shape)
    array.flags.writeable = False
    return array


def overlapping() -> tuple[Any, Any, Any]:
    block = ones(20)
    return block[:6].reshape(2, 3), ones(3, 2), block[4:8].reshape(2, 2)


CASES: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "shape": (lambda f: f(ones(2, 3), ones(4, 5)), ValueError, "b has shape (4, 5), but axis K is 3 from a"),
    "rank": (lambda f: f(ones(2, 3), ones(3)), ValueError, "b has shape (3,), but must be f32[K, N]"),
    "0-d": (lambda f: f(np.float32(1).reshape(()), ones(3, 2)), ValueError, "a has shape (), but must be f32[M, K]"),
    "dtype": (lambda f: f(ones(2, 3), ones(3, 2, dtype=np.float64)), TypeError, "b is f64, but must be f32[K, N] (nothing is converted)"),
    "odd dtype": (lambda f: f(ones(2, 3, dtype=np.complex64), ones(3, 2)), TypeError, "a is complex64, but must be f32[M, K]"),
    "big-endian": (lambda f: f(ones(2, 3).astype(">f4"), ones(3, 2)), TypeError, "a is >f4, but must be f32[M, K]"),
    "objects": (lambda f: f(ones(2, 3, dtype=object), ones(3, 2)), TypeError, "a is object, but must be f32[M, K]"),
    "transposed": (
        lambda f: f(ones(3, 2).T, ones(3, 2)), ValueError,
        "a has shape (2, 3) and strides (1, 2), but must be dense and row-major (C order): np.ascontiguousarray makes such a copy",
    ),
    "sliced": (lambda f: f(ones(2, 6)[:, ::2], ones(3, 2)), ValueError, "a has shape (2, 3) and strides (6, 2), but must be dense"),
    "negative strides": (lambda f: f(ones(2, 3)[::-1], ones(3, 2)), ValueError, "a has shape (2, 3) and strides (-3, 1), but must be dense"),
    "broadcast": (lambda f: f(np.broadcast_to(F32(1), (2, 3)), ones(3, 2)), ValueError, "strides (0, 0), but must be dense"),
    "misaligned": (lambda f: f(misaligned(), ones(3, 2)), ValueError, "a is misaligned: its address is no multiple of 4 bytes"),
    "none": (lambda f: f(None, ones(3, 2)), TypeError, "a is None, but an array is needed (f32[M, K])"),
    "list": (lambda f: f([[1.0]], ones(3, 2)), TypeError, "a is of type 'list', but an array is needed"),
    "bytes": (lambda f: f(b"abcd", ones(3, 2)), TypeError, "a is u8, but must be f32[M, K]"),
    "masked": (lambda f: f(np.ma.masked_array(ones(2, 3), mask=True), ones(3, 2)), TypeError, "a is a masked array"),
    "require": (lambda f: f(ones(2, 5), ones(5, 2)), ValueError, "requires K % 2 == 0 || K in [1, 3], but M = 2, K = 5, N = 2"),
    "zero size": (lambda f: f(ones(0, 3), ones(3, 2)), ValueError, "requires M >= 1 && N >= 1 && K >= 1, but M = 0, K = 3, N = 2"),
    "missing": (lambda f: f(ones(2, 3)), TypeError, "argument 'b' is missing"),
    "none at all": (lambda f: f(), TypeError, "argument 'a' is missing"),
    "too many": (lambda f: f(1, 2, 3, 4), TypeError, "takes 3 positional arguments, but 4 were given (out= is passed by name)"),
    "unknown": (lambda f: f(ones(2, 3), ones(3, 2), beta=1.0), TypeError, "got an unexpected argument 'beta'"),
    "stream on the host": (lambda f: f(ones(2, 3), ones(3, 2), stream=0), TypeError, "got an unexpected argument 'stream'"),
    "twice": (lambda f: f(ones(2, 3), ones(3, 2), a=ones(2, 3)), TypeError, "got more than one value for argument 'a'"),
    "scalar type": (lambda f: f(ones(2, 3), ones(3, 2), "x"), TypeError, "alpha is of type 'str', but a number is needed (f32)"),
    "scalar none": (lambda f: f(ones(2, 3), ones(3, 2), None), TypeError, "alpha is None, but a number is needed (f32)"),
    "scalar range": (lambda f: f(ones(2, 3), ones(3, 2), 1e300), ValueError, "alpha is too large for f32"),
    "out shape": (lambda f: f(ones(2, 3), ones(3, 2), out=ones(2, 3)), ValueError, "out has shape (2, 3), but axis N is 2 from b"),
    "out dtype": (lambda f: f(ones(2, 3), ones(3, 2), out=ones(2, 2, dtype=np.float16)), TypeError, "out is f16, but must be f32[M, N]"),
    "out read-only": (lambda f: f(ones(2, 3), ones(3, 2), out=readonly(2, 2)), ValueError, "out is read-only"),
    "out list": (lambda f: f(ones(2, 3), ones(3, 2), out=[]), TypeError, "out is of type 'list', but an array is needed"),
    "out strided": (lambda f: f(ones(2, 3), ones(3, 2), out=ones(2, 4)[:, ::2]), ValueError, "out has shape (2, 2) and strides (4, 2)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_matmul_refuses(kernels: Kernels, case: str) -> None:
    call, error, words = CASES[case]
    with pytest.raises(error) as raised:
        call(kernels("matmul"))
    assert type(raised.value) is error
    assert str(raised.value).startswith("matmul: ")
    assert words in str(raised.value)
    assert str(raised.value).endswith(SIGNATURE)


def test_results_must_not_overlap_inputs_or_each_other(kernels: Kernels) -> None:
    a, b, out = overlapping()
    with pytest.raises(ValueError, match="matmul: out overlaps a in memory"):
        kernels("matmul")(a, b, out=out)
    block = np.zeros(10)
    doubled = block.view(F32)[:8]
    with pytest.raises(ValueError, match="doubled overlaps total in memory"):
        kernels("moments")(ones(4), out=(block[:1], doubled))
    beside = np.zeros(10)
    kernels("moments")(ones(4), out=(beside[9:], beside.view(F32)[:8]))


def test_inputs_may_be_one_array(kernels: Kernels) -> None:
    a = ones(2, 2)
    np.testing.assert_array_equal(kernels("matmul")(a, a), a @ a)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (np.zeros(1), "out must be a tuple of 2 arrays"),
        ((np.zeros(1),), "out has 1 arrays, but there are 2 results"),
        ((np.zeros(2), np.zeros(8, F32)), "total has shape (2,), but its dimension 0 (1) must be 1"),
        ((np.zeros(1), np.zeros(7, F32)), "doubled has shape (7,), but its dimension 0 (2 * n) must be 8"),
    ],
)
def test_several_results_are_checked_each(kernels: Kernels, out: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        kernels("moments")(ones(4), out=out)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shift": 2**31}, "shift is 2147483648, which does not fit i32"),
        ({"shift": 2**100}, "shift is 1267650600228229401496703205376, which does not fit i32"),
        ({"shift": 1.5}, "shift is of type 'float', but an integer is needed (i32)"),
        ({"keep": 2}, "keep is 2, which does not fit bool"),
        ({"half": 1e6}, "half is too large for f16"),
    ],
)
def test_scalars_must_fit(kernels: Kernels, given: dict[str, Any], words: str) -> None:
    arrays = [ones(2, dtype=d) for d in (np.float16, np.int8, np.uint8, bool, np.int32)]
    bf = np.zeros(2, np.uint16)
    with pytest.raises((TypeError, ValueError), match=re.escape(words)):
        kernels("narrow")(RawTensor(bf.ctypes.data, (2,), "bf16"), *arrays, 1.0, **given)


def test_layouts_are_checked(kernels: Kernels) -> None:
    layouts, row = kernels("layouts"), ones(3, 4)
    column = np.asfortranarray(row)
    with pytest.raises(
        ValueError, match=r"a has shape \(3, 4\) and strides \(4, 1\), but must be dense and column-major"
    ):
        layouts(row, row)
    with pytest.raises(ValueError, match=r"b has strides \(8, 2\), but its stride 1 \(1\) must be 1"):
        layouts(column, ones(3, 8)[:, ::2])


def test_a_dimension_of_one_element_has_any_stride(kernels: Kernels) -> None:
    a = np.lib.stride_tricks.as_strided(ones(4), (1, 2), (999 * 4, 4))
    np.testing.assert_array_equal(kernels("matmul")(a, ones(2, 1)), [[2]])


def test_a_readonly_input_is_fine(kernels: Kernels) -> None:
    np.testing.assert_array_equal(kernels("matmul")(readonly(1, 2), readonly(2, 1)), [[2]])


def test_a_readonly_dlpack_result_is_refused(kernels: Kernels) -> None:
    c = ones(2, 2)
    with pytest.raises(ValueError, match="out is read-only"):
        kernels("matmul")(ones(2, 3), ones(3, 2), out=RawTensor(c.ctypes.data, (2, 2), "f32", readonly=True))


def test_a_device_array_is_refused_before_it_is_exported(kernels: Kernels) -> None:
    class OnDevice:
        def __dlpack_device__(self) -> tuple[int, int]:
            return (2, 0)

        def __dlpack__(self, **_: Any) -> Any:
            raise AssertionError("must not be asked")

    with pytest.raises(ValueError, match="a is on a CUDA device, but matmul_cpu runs on the host"):
        kernels("matmul")(OnDevice(), ones(3, 2))


def test_the_producers_own_error_is_kept(kernels: Kernels) -> None:
    class Refuses:
        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

        def __dlpack__(self, **_: Any) -> Any:
            raise BufferError("detach it first")

    with pytest.raises(BufferError, match="detach it first"):
        kernels("matmul")(Refuses(), ones(3, 2))
