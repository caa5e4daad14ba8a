"""The candidate's side of a large sampled run: huge arrays over little memory. Knows neither what is right nor why.

An input is a pattern mapped again and again; a result is a sparse file. Wide inaccessible ranges lie on both sides,
so that an index that wrapped to something negative cannot land in another array.
"""

from __future__ import annotations

import ctypes
from typing import Any

_PROT_NONE, _PROT_READ, _PROT_RW = 0, 1, 3
_MAP_SHARED, _MAP_PRIVATE, _MAP_FIXED, _MAP_ANONYMOUS, _MAP_NORESERVE = 0x1, 0x2, 0x10, 0x20, 0x4000
_GUARD = 40 << 30  # more than 2**32 elements of 8 bytes
_FAILED = ctypes.c_void_p(-1).value


def call_large(function: Any, job: dict[str, Any], libc: ctypes.CDLL, patterns: int, results: int) -> None:
    """Map the arrays and call. Raises what the module raises, and OSError where mapping fails."""
    from spak.runtime.raw import RawTensor

    def tensor(arg: dict[str, Any]) -> RawTensor:
        return RawTensor(
            _map(libc, arg, patterns, results), tuple(arg["shape"]), arg["dtype"], strides=tuple(arg["strides"])
        )

    values = [arg["value"] if "value" in arg else tensor(arg) for arg in job["params"]]
    outs = tuple(tensor(arg) for arg in job["results"])
    function(*values, out=outs if len(outs) > 1 else outs[0])


def _map(libc: ctypes.CDLL, arg: dict[str, Any], patterns: int, results: int) -> int:
    length = -(-arg["nbytes"] // 4096) * 4096
    reserve = _MAP_PRIVATE | _MAP_ANONYMOUS | _MAP_NORESERVE
    base = _checked(libc.mmap(None, length + 2 * _GUARD, _PROT_NONE, reserve, -1, 0)) + _GUARD
    if "sparse" in arg:
        _checked(libc.mmap(base, length, _PROT_RW, _MAP_SHARED | _MAP_FIXED, results, arg["sparse"]))
        return base
    for start in range(0, length, arg["period"]):
        part = min(arg["period"], length - start)
        _checked(libc.mmap(base + start, part, _PROT_READ, _MAP_SHARED | _MAP_FIXED, patterns, arg["pattern"]))
    return base


def _checked(address: int | None) -> int:
    if address is None or address == _FAILED:
        raise OSError(ctypes.get_errno(), "memory cannot be mapped")
    return address
