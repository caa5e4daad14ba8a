"""Where a candidate's arrays lie: shared memory with red zones, guard pages and poison. Knows nothing of processes
or verdicts.

Each array has a region of its own: a guard page, whole pages that end (or begin) with the array, a guard page. What
the array does not fill is red zone with a known pattern. The parent writes and reads this memory; the candidate only
computes in it, with its guard pages made inaccessible, so that no finding depends on what the candidate says.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spak.verify.dtypes import KINDS, Array
from spak.verify.problem import Layout

PAGE = mmap.PAGESIZE
CAPACITY = 1 << 31  # sparse: only what rounds touch is there
RED_INPUT, RED_OTHER = (
    0xFF,
    0xA5,
)  # all ones is a NaN in every float format: what reads it shows, and is no other red zone
POISONS = (0xFF, 0xFD), (0xA5, 0x5A)  # for floats, for integers: of the first run and of the second


@dataclass(frozen=True, slots=True)
class Slot:
    """One array's place: the region [begin, end) holds it at `at`; a guard page lies on either side."""

    layout: Layout
    output: bool
    begin: int
    end: int
    at: int


@dataclass(frozen=True, slots=True)
class Damage:
    """What a run did where it must not: bytes changed before and after an array, or in the gaps between its rows."""

    name: str
    before: int = 0
    after: int = 0
    gaps: int = 0
    farthest: int = 0  # bytes past the array's end that were written, at most


def place(layouts: Sequence[Layout], inputs: int, *, ends: bool, align: int, margin: int = 0) -> tuple[Slot, ...]:
    """Lay arrays out one after the other. `ends`: each abuts the guard page after it, as far as `align` allows; else it
    begins right behind the one before it. `margin`: instead, so many bytes of red zone on both sides."""
    slots, cursor = [], PAGE
    for i, layout in enumerate(layouts):
        room = -(-max(layout.nbytes, 1) // PAGE) * PAGE + 2 * (-(-margin // PAGE) * PAGE)
        begin, end = cursor, cursor + room
        if margin:
            at = begin + room // 2 - layout.nbytes // 2
            at -= at % max(align, 64)
        else:
            at = (end - layout.nbytes) // align * align if ends else begin
        slots.append(Slot(layout, i >= inputs, begin, end, at))
        cursor = end + PAGE
    if cursor > CAPACITY:
        raise MemoryError("a round's arrays exceed the verification's memory")
    return tuple(slots)


def guards(slots: Sequence[Slot]) -> list[tuple[int, int]]:
    """The ranges that a candidate must not be able to touch."""
    return [(edge, PAGE) for slot in slots for edge in (slot.begin - PAGE, slot.end)]


class Arena:
    """The shared memory itself."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("arena")
        os.ftruncate(self.fd, CAPACITY)
        self._map = mmap.mmap(self.fd, CAPACITY)
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)

    def close(self) -> None:
        self.bytes = np.empty(0, np.uint8)
        with suppress(BufferError):  # an array still looks into it; it goes with the last of them
            self._map.close()
        os.close(self.fd)

    def view(self, slot: Slot) -> Array:
        """The array as the candidate sees it, strides and all."""
        storage = np.dtype(KINDS[slot.layout.dtype].storage)
        flat = self.bytes[slot.at : slot.at + slot.layout.nbytes].view(storage)
        strides = tuple(s * storage.itemsize for s in slot.layout.strides)
        return np.lib.stride_tricks.as_strided(flat, slot.layout.shape, strides)

    def prepare(
        self,
        slots: Sequence[Slot],
        inputs: Mapping[str, Array],
        run: int,
        zeroed: bool = False,
        stale: Mapping[str, Array] | None = None,
    ) -> None:
        """Red zones, inputs, and outputs poisoned as of the run's number (or zeroed, for a diagnosis; or as given)."""
        for slot in slots:
            self.bytes[slot.begin : slot.end] = _red(slot)
            if slot.output and stale:
                self.view(slot)[...] = stale[slot.layout.name]
            elif slot.output:
                self.view(slot)[...] = _poison(slot.layout.dtype, run) if not zeroed else 0
            else:
                self.view(slot)[...] = inputs[slot.layout.name]

    def outputs(self, slots: Sequence[Slot]) -> dict[str, Array]:
        """Copies of the results."""
        return {slot.layout.name: self.view(slot).copy() for slot in slots if slot.output}

    def damage(self, slots: Sequence[Slot]) -> list[Damage]:
        """Every red zone that has changed."""
        found = []
        for slot in slots:
            red = _red(slot)
            stop = slot.at + slot.layout.nbytes
            before = int(np.count_nonzero(self.bytes[slot.begin : slot.at] != red))
            changed = np.flatnonzero(self.bytes[stop : slot.end] != red)
            gaps = self._gaps(slot, red) if slot.layout.extent != slot.layout.count else 0
            if before or changed.size or gaps:
                farthest = int(changed[-1]) + 1 if changed.size else 0
                found.append(Damage(slot.layout.name, before, int(changed.size), gaps, farthest))
        return found

    def _gaps(self, slot: Slot, red: int) -> int:
        """Changed bytes between the rows of a strided array."""
        copy = self.bytes[slot.at : slot.at + slot.layout.nbytes].copy()
        storage = np.dtype(KINDS[slot.layout.dtype].storage)
        strides = tuple(s * storage.itemsize for s in slot.layout.strides)
        inside = np.lib.stride_tricks.as_strided(copy.view(storage), slot.layout.shape, strides)
        inside[...] = np.array([red] * storage.itemsize, np.uint8).view(storage)[0]
        return int(np.count_nonzero(copy != red))

    def changed_inputs(self, slots: Sequence[Slot], inputs: Mapping[str, Array]) -> dict[str, int]:
        """Inputs that no longer hold what they were given, and in how many elements."""
        found = {}
        for slot in slots:
            if not slot.output:
                count = int(np.count_nonzero(bits(self.view(slot)) != bits(inputs[slot.layout.name])))
                if count:
                    found[slot.layout.name] = count
        return found


def name_offsets(text: str, slots: Sequence[Slot]) -> str:
    """A message whose `<arena N>` say which array is meant: '8 bytes past the end of c'."""

    def words(match: re.Match[str]) -> str:
        offset = int(match.group(1))
        for slot in slots:
            stop = slot.at + slot.layout.nbytes
            if slot.at <= offset < stop:
                return f"byte {offset - slot.at} of {slot.layout.name}"
            if stop <= offset < slot.end + PAGE:
                return f"{offset - stop} bytes past the end of {slot.layout.name}"
            if slot.begin - PAGE <= offset < slot.at:
                return f"{slot.at - offset} bytes before {slot.layout.name}"
        return "an address"

    return re.sub(r"<arena (\d+)>", words, text)


def _red(slot: Slot) -> int:
    return RED_INPUT if KINDS[slot.layout.dtype].floating and not slot.output else RED_OTHER


def bits(values: Array) -> npt.NDArray[Any]:
    """The elements' bits, so that NaN equals itself and -0 differs from 0."""
    unsigned = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[values.dtype.itemsize]
    return np.ascontiguousarray(values).view(unsigned)


def _poison(dtype: str, run: int) -> Any:
    """The element that outputs hold before a run: two NaNs (or two numbers) no arithmetic gives, one a run."""
    kind = KINDS[dtype]
    pattern = POISONS[0 if kind.floating else 1][run % 2]
    raw = [0xFF] * kind.itemsize
    if kind.floating:
        raw[0] = pattern  # little-endian: the payload's low byte
    else:
        raw = [pattern] * kind.itemsize
    return np.array(raw, np.uint8).view(kind.storage)[0]


def nearly(result: Array) -> Array:
    """A result with about one element in ten made wrong, and at least one: what an earlier call on other inputs may have left."""
    wrong = np.random.Generator(np.random.Philox(key=[5, result.size])).random(result.shape) < 0.1
    wrong.flat[result.size // 2 : result.size // 2 + 1] = True
    words = bits(result)
    top = 1 << {1: 0, 2: 6, 4: 22, 8: 51}[words.dtype.itemsize]  # of the fraction: the number stays finite
    one = bits(np.ones(1, result.dtype))[0]
    return np.where(wrong, np.where(words << 1 == 0, one, words ^ words.dtype.type(top)), words).view(result.dtype)


def unwritten(first: Array, second: Array, dtype: str) -> npt.NDArray[np.bool_]:
    """Elements that still hold the poison after both runs."""
    one = np.broadcast_to(bits(np.array(_poison(dtype, 0))), first.shape)
    two = np.broadcast_to(bits(np.array(_poison(dtype, 1))), second.shape)
    untouched: npt.NDArray[np.bool_] = (bits(first) == one) & (bits(second) == two)
    return untouched
