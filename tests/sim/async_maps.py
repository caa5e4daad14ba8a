"""Tensor maps for tests: 128 bytes, aligned, made by the simulator's encoder. Knows nothing of what is copied with them."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import Any

import numpy as np
import sim_harness
from async_reference import Tensor

Array = np.ndarray[Any, Any]
# CUtensorMapDataType by NumPy's names; bf16 has none.
TYPES = {"uint8": 0, "uint16": 1, "uint32": 2, "int32": 3, "uint64": 4, "int64": 5, "float16": 6, "float32": 7, "float64": 8,
         "bfloat16": 9, "float32_ftz": 10, "tfloat32": 11, "16u4_align8b": 13}  # fmt: skip


class Map(ctypes.Structure):
    _fields_ = [("opaque", ctypes.c_ulonglong * 16)]


@functools.cache
def host() -> sim_harness.Kernels:
    return sim_harness.build(Path(__file__).parent / "kernels" / "async_host.cu")


def aligned(size: int, align: int = 128) -> Array:
    """Zeroed bytes at a multiple of `align`."""
    raw = np.zeros(size + align, np.uint8)
    start = -raw.ctypes.data % align
    return raw[start : start + size]


def encode(
    kind: str,
    base: int,
    dims: tuple[int, ...],
    strides: tuple[int, ...],
    box: tuple[int, ...],
    steps: tuple[int, ...] | None = None,
    *,
    swizzle: int = 0,
    nan: int = 0,
    interleave: int = 0,
    l2: int = 0,
    rank: int | None = None,
    at: int = 0,
) -> Map:
    """As cuTensorMapEncodeTiled; `at` shifts the map itself. Raises sim_harness.Fault."""
    memory = aligned(256)[at : at + 128]
    error = ctypes.create_string_buffer(4096)

    def array(kind: Any, values: tuple[int, ...]) -> Any:
        return (kind * max(len(values), 1))(*values)

    failed = host().library.encode(
        ctypes.c_void_p(memory.ctypes.data), TYPES.get(kind, 99), len(dims) if rank is None else rank, ctypes.c_void_p(base),
        array(ctypes.c_ulonglong, dims), array(ctypes.c_ulonglong, strides), array(ctypes.c_uint, box),
        array(ctypes.c_uint, steps or (1,) * len(dims)), interleave, swizzle, l2, nan, error, len(error),
    )  # fmt: skip
    if failed:
        raise sim_harness.Fault(*error.value.decode().split("\n", 1))
    return Map.from_buffer(memory.data)


def encode_tensor(tensor: Tensor, kind: str | None = None, nan: int = 0) -> Map:
    """The map of a tensor of the reference."""
    return encode(kind or tensor.dtype.name, tensor.buffer.ctypes.data, tensor.dims, tensor.strides, tensor.box, tensor.steps,
                  swizzle=tensor.mode, nan=nan)  # fmt: skip
