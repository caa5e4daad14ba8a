"""What asynchronous copies and barriers do, as the PTX ISA and the driver's documentation define it, in NumPy. Knows nothing of
the simulator: it is what the simulator is compared with.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NONE, B32, B64, B128 = range(4)
PHASE_0, PHASE_1 = 1, 2


def swizzle(offset: int, mode: int) -> int:
    """Swizzle<B, 4, 3>: bits 7 to 7 + B - 1 are XORed into bits 4 to 4 + B - 1; B is 0, 1, 2, 3."""
    rows = (offset >> 7) & ((1 << mode) - 1)
    return offset ^ (rows << 4)


@dataclass(frozen=True)
class Tensor:
    """An array in a buffer with byte strides (innermost dimension first and dense), and the box that is cut from it."""

    buffer: Array  # of bytes
    dtype: np.dtype[Any]
    dims: tuple[int, ...]
    strides: tuple[int, ...]  # of dimensions 1 and up
    box: tuple[int, ...]
    steps: tuple[int, ...]
    mode: int = NONE

    @property
    def counts(self) -> tuple[int, ...]:
        """Elements of the box along each dimension, as they lie in shared memory."""
        return (self.box[0], *(-(-b // s) for b, s in zip(self.box[1:], self.steps[1:], strict=True)))

    @property
    def words(self) -> int:
        return int(np.prod(self.counts)) * self.dtype.itemsize // 4

    def elements(self, at: tuple[int, ...]) -> list[tuple[int, int | None]]:
        """(byte in shared memory, byte in the tensor or None where it is outside) of each element of the box."""
        out = []
        size = self.dtype.itemsize
        steps = (1, *self.steps[1:])
        for number, index in enumerate(itertools.product(*(range(n) for n in reversed(self.counts)))):
            place = [c + k * s for c, k, s in zip(at, reversed(index), steps, strict=True)]
            inside = all(0 <= x < d for x, d in zip(place, self.dims, strict=True))
            where = sum(x * s for x, s in zip(place, (size, *self.strides), strict=True))
            byte = number * size
            out.append((swizzle(byte & ~15, self.mode) | byte & 15, where if inside else None))
        return out

    def load(self, at: tuple[int, ...], fill: bytes) -> Array:
        """The bytes of shared memory after a load."""
        size = self.dtype.itemsize
        out = np.zeros(self.words * 4, np.uint8)
        for shared, where in self.elements(at):
            out[shared : shared + size] = (
                np.frombuffer(fill, np.uint8) if where is None else self.buffer[where : where + size]
            )
        return out

    def store(self, at: tuple[int, ...], shared: Array) -> Array:
        """The buffer after a store of these bytes of shared memory."""
        size = self.dtype.itemsize
        out = self.buffer.copy()
        for byte, where in self.elements(at):
            if where is not None:
                out[where : where + size] = shared[byte : byte + size]
        return out


@dataclass
class Mbarrier:
    """The state machine of an mbarrier. A method raises ValueError where PTX leaves the result undefined."""

    expected: int
    pending: int = field(init=False)
    bytes: int = 0
    phase: int = 0

    def __post_init__(self) -> None:
        self.pending = self.expected

    def arrive(self, count: int, drop: bool = False, expect: int = 0) -> None:
        if not 1 <= count <= self.pending or self.bytes + expect > 2**20 - 1:
            raise ValueError
        self.bytes += expect
        self.pending -= count
        self.expected -= count if drop else 0
        self._settle()

    def expect(self, count: int) -> None:
        if self.bytes + count > 2**20 - 1:
            raise ValueError
        self.bytes += count
        self._settle()

    def complete(self, count: int) -> None:
        if self.bytes - count < -(2**20 - 1):
            raise ValueError
        self.bytes -= count
        self._settle()

    def _settle(self) -> None:
        if self.pending == 0 and self.bytes == 0:
            self.phase += 1
            self.pending = self.expected

    def seen(self) -> int:
        """What waits for either parity say: that of the phase before is complete."""
        return PHASE_1 if self.phase % 2 == 0 else PHASE_0
