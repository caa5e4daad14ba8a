"""What is timed: arrays in memory that parent and child share, and who says whether a result is right. Knows no module.

Results have many buffers, used in turn: each timed call writes into one of its own, so that every call's result is there to be
checked afterwards, and none finds the last one's in a cache.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PAGE = 4096
STAGGER = 320  # bytes between the starts of arrays modulo a page, as arrays at equal offsets evict each other
MOST_BUFFERS = 256
BUFFER_BYTES = 32 << 20  # of all buffers of the results
POISON = 0xFF  # a NaN in every float format


@dataclass(frozen=True, slots=True)
class Shape:
    """An array's form: `storage` is NumPy's name of the stored element, strides count elements."""

    name: str
    dtype: str
    storage: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        if not all(self.shape):
            return 0
        extent = 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        return extent * np.dtype(self.storage).itemsize

    def to_json(self, at: int) -> dict[str, Any]:
        return {"at": at, "dtype": self.dtype, "shape": list(self.shape), "strides": list(self.strides)}


@dataclass(frozen=True)
class Workload:
    """One call's arguments. `params` are in call order: the name of an input, or a scalar's value.

    `judge` says what is wrong with results, '' if nothing; `exact` that every call gives the same bits. `text` names the
    workload: sizes, distribution, seed.
    """

    unit: str
    params: tuple[str | dict[str, Any], ...]
    inputs: Mapping[str, tuple[Shape, Array]]
    results: tuple[Shape, ...]
    judge: Callable[[Mapping[str, Array]], str]
    exact: bool
    text: str


class Shared:
    """The shared memory, laid out for a workload. Close it."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self._places: dict[str, int] = {}
        cursor = PAGE
        for shape, _ in workload.inputs.values():
            cursor = self._place(shape.name, shape.nbytes, cursor)
        size = sum(max(one.nbytes, 1) for one in workload.results)
        self.buffers = max(1, min(MOST_BUFFERS, BUFFER_BYTES // size))
        for number in range(self.buffers):
            for shape in workload.results:
                cursor = self._place(f"{number}:{shape.name}", shape.nbytes, cursor)
        self.fd = os.memfd_create("measure")
        os.ftruncate(self.fd, cursor + PAGE)
        self._map = mmap.mmap(self.fd, cursor + PAGE)
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        for shape, values in workload.inputs.values():
            self._view(shape, self._places[shape.name])[...] = values

    def _place(self, name: str, nbytes: int, cursor: int) -> int:
        at = -(-cursor // PAGE) * PAGE + STAGGER * (len(self._places) % 12)
        self._places[name] = at // 64 * 64
        return self._places[name] + nbytes

    def close(self) -> None:
        self.bytes = np.empty(0, np.uint8)
        with suppress(BufferError):  # an array still looks into it; it goes with the last of them
            self._map.close()
        os.close(self.fd)

    def params(self) -> list[dict[str, Any]]:
        """The arguments as the child takes them."""
        found: list[dict[str, Any]] = []
        for one in self.workload.params:
            if isinstance(one, str):
                found.append(self.workload.inputs[one][0].to_json(self._places[one]))
            else:
                found.append(one)
        return found

    def outs(self) -> list[list[dict[str, Any]]]:
        """Every buffer of the results."""
        return [
            [one.to_json(self._places[f"{number}:{one.name}"]) for one in self.workload.results]
            for number in range(self.buffers)
        ]

    def spans(self, count: int) -> list[tuple[int, int]]:
        """(begin, bytes) of every result in the first so many buffers."""
        return [(span.start, span.stop - span.start) for span in self._spans(count)]

    def poison(self, count: int) -> None:
        """Make the first so many buffers hold what no call leaves."""
        for span in self._spans(count):
            self.bytes[span] = POISON

    def results(self, number: int) -> dict[str, Array]:
        """Copies of the results in a buffer."""
        return {one.name: self._view(one, self._places[f"{number}:{one.name}"]).copy() for one in self.workload.results}

    def differing(self, count: int, accepted: Sequence[npt.NDArray[np.uint8]]) -> list[int]:
        """Buffers among the first so many that are not, bit for bit, what was accepted."""
        here = list(self._spans(count))
        each = len(self.workload.results)
        return [
            number
            for number in range(count)
            if any(not np.array_equal(self.bytes[here[number * each + i]], accepted[i]) for i in range(each))
        ]

    def image(self, number: int) -> list[npt.NDArray[np.uint8]]:
        """The bytes of a buffer's results."""
        each = len(self.workload.results)
        return [self.bytes[span].copy() for span in list(self._spans(number + 1))[-each:]]

    def inputs_intact(self) -> bool:
        """Whether the inputs still hold what they were given."""
        return all(
            np.array_equal(_bits(self._view(shape, self._places[shape.name])), _bits(np.ascontiguousarray(values)))
            for shape, values in self.workload.inputs.values()
        )

    def _spans(self, count: int) -> list[slice]:
        names = [(f"{number}:{one.name}", one.nbytes) for number in range(count) for one in self.workload.results]
        return [slice(self._places[name], self._places[name] + nbytes) for name, nbytes in names]

    def _view(self, shape: Shape, at: int) -> Array:
        storage = np.dtype(shape.storage)
        flat = self.bytes[at : at + shape.nbytes].view(storage)
        strides = tuple(step * storage.itemsize for step in shape.strides)
        return np.lib.stride_tricks.as_strided(flat, shape.shape, strides)


def _bits(values: Array) -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(values).view(np.uint8)
