"""Sampled runs of sizes beyond 2**31 elements in the simulator: 32-bit indices that wrap. Knows the arena not at all.

Inputs are one pattern of a prime number of pages, mapped over and over; results are sparse memory, of which only
what sampled blocks write exists. Slices of the large axis that were written are compared with the oracle on those
slices alone, which is right only for operations that are local along that axis: that is tried on a small shape first.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from spak.errors import SpakError
from spak.model.ir import Scalar, Tensor
from spak.verify.arena import PAGE
from spak.verify.dtypes import KINDS, Array, to_f64
from spak.verify.figures import judge
from spak.verify.problem import Layout
from spak.verify.rig import FORWARD, Case, Rig
from spak.verify.values import make

#: Elements of the input pattern: a prime number of pages of the widest element, so that no power of two is a
#: multiple of it.
PERIOD = 1021 * PAGE
BLOCKS = 24
SLICES = 24
STRETCH = 1 << 14  # bytes looked at, at either end of a written stretch
#: Bytes of results that a sampled run may leave behind before it is stopped.
TOUCHED = 1 << 29
SMALL_ELEMENTS = 1 << 22
#: Elements of an array that 32-bit indices, counting bytes even, can reach; and what sizes may differ by.
CONTROL = 1 << 28
STEPS = (105 << 16, 15 << 16, 1 << 16, 15 << 12, 1 << 12)

Verdict = Literal["passed", "failed", "unproved", "skipped"]


@dataclass(frozen=True, slots=True)
class Found:
    verdict: Verdict
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)


def check(rig: Rig, axes: dict[str, int], seed: int) -> Found:
    """Run one large shape with sampled blocks and compare what was written."""
    problem, scalars = rig.problem, rig.problem.default_scalars()
    wide = max(axes, key=lambda a: axes[a], default="")
    sizes = ", ".join(f"{k}={v}" for k, v in sorted(axes.items()))
    if not wide or not problem.admits(axes, scalars):
        return Found("skipped", f"{sizes}: not admitted by `require`")
    if any(t.layout == "strided" for t in (*problem.tensors, *problem.unit.signature.results)):
        return Found("skipped", f"{sizes}: strided arrays are not laid out at this size")
    local = _local(rig, wide)
    if local:
        return Found("unproved", f"{sizes}: {local}")
    found, unreached = _sampled(rig, axes, scalars, wide, sizes, seed)
    if found.verdict != "passed" or not unreached:
        return found
    few = _control(rig, axes, scalars, wide)
    if few and not _sampled(rig, {**axes, wide: few}, scalars, wide, sizes, seed)[1]:
        what = f"the last element along {wide} is never written, and it is where {wide} = {few}"
        return replace(found, verdict="failed", detail=f"{sizes}: an index wraps: {what}")
    return replace(found, detail=f"{found.detail}, none of which writes the last element along {wide}")


def _sampled(
    rig: Rig, axes: dict[str, int], scalars: dict[str, Any], wide: str, sizes: str, seed: int
) -> tuple[Found, bool]:
    """What a sampled run of a shape shows, and whether the last element along the axis was left unwritten."""
    with _Sparse(rig, rig.problem.layouts(axes, scalars)) as memory:
        patterns = memory.fill(seed)
        answer = memory.run(axes, scalars)
        if answer:
            return Found("failed" if answer[0] else "unproved", f"{sizes}: {answer[1]}"), True
        return _compare(rig, memory, patterns, axes, scalars, wide, sizes)


def _control(rig: Rig, axes: dict[str, int], scalars: dict[str, Any], wide: str) -> int:
    """A size of the axis at which no index can wrap and the same blocks have the same work; 0 if there is none.

    Which block writes the last element is the kernel's affair: it is the last one in a grid that grows with the axis,
    and any where blocks take turns in a grid that is bounded. So the blocks of the plan must grow by exactly as many a
    step from the small size to the large one as they do below it, and what is left over a step must be the same.
    """
    problem, size = rig.problem, axes[wide]
    most = max(layout.count for layout in problem.layouts(axes, scalars)) // size
    for step in STEPS:
        few = size % step + max(0, (CONTROL // most - size % step) // step) * step
        shapes = [{**axes, wide: n} for n in (few - step, few, size)]
        if few <= step or few >= size or not all(problem.admits(shape, scalars) for shape in shapes):
            continue
        before, here, large = (problem.blocks(shape, scalars) or 0 for shape in shapes)
        if before < here and large - here == (size - few) // step * (here - before):
            return few
    return 0


def _local(rig: Rig, axis: str) -> str:
    """'' if slices of the result along an axis depend on the same slices of the inputs alone; else why they are not
    known to.
    """
    problem = rig.problem
    shape = problem.nearest({a: 12 if a == axis else 5 for a in problem.unit.signature.axes}, 1e6)
    scalars = problem.default_scalars()
    if shape is None or shape[axis] < 4:
        return "no small shape to try it on"
    uses = [t.shape for t in (*problem.tensors, *problem.unit.signature.results)]
    if any(axis in text and axis != text for s in uses for text in s) or any(s.count(axis) > 1 for s in uses):
        return f"{axis} is part of a size"
    if any(axis not in r.shape for r in problem.unit.signature.results):
        return f"the result sums over {axis}: a sample of blocks tells nothing of it"
    layouts = {layout.name: layout for layout in problem.layouts(shape, scalars)}
    inputs = {t.name: make("normal", 7, i + 1, layouts[t.name].shape, t.dtype) for i, t in enumerate(problem.tensors)}
    index = np.array([0, shape[axis] // 2, shape[axis] - 1])
    try:
        whole = rig.expect(Case(shape, scalars, inputs))
        part = _expect_slices(rig, shape, scalars, inputs, axis, index)
    except (SpakError, ValueError):
        return "the reference cannot be evaluated on slices"
    for result in problem.unit.signature.results:
        at = result.shape.index(axis)
        if not np.allclose(
            np.take(whole[result.name].exact, index, axis=at), part[result.name].exact, rtol=1e-12, equal_nan=True
        ):
            return f"the result is not local along {axis}"
    return ""


def _expect_slices(
    rig: Rig, axes: dict[str, int], scalars: dict[str, Any], inputs: dict[str, Array], axis: str, index: Any
) -> Any:
    sliced = {
        t.name: np.take(inputs[t.name], index, axis=t.shape.index(axis)) if axis in t.shape else inputs[t.name]
        for t in rig.problem.tensors
    }
    return rig.expect(Case({**axes, axis: len(index)}, scalars, sliced))


class _Sparse:
    """Patterns in the rig's arena, results in a sparse file of their own, and a child that maps both."""

    def __init__(self, rig: Rig, layouts: tuple[Layout, ...]) -> None:
        self.rig, self.layouts = rig, layouts
        self.fd = os.memfd_create("results")
        self.offsets, total = {}, 0
        inputs = len(rig.problem.tensors)
        for layout in layouts[inputs:]:
            self.offsets[layout.name] = total
            total += -(-layout.nbytes // PAGE) * PAGE
        os.ftruncate(self.fd, max(total, PAGE))
        self.places = {layout.name: i * PERIOD * 8 for i, layout in enumerate(layouts[:inputs])}

    def __enter__(self) -> _Sparse:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)

    def fill(self, seed: int) -> dict[str, Array]:
        """Write each input's pattern; magnitudes from 1 to 2, so that nothing cancels to the zero that unwritten
        memory holds.
        """
        patterns = {}
        for salt, tensor in enumerate(self.rig.problem.tensors):
            fill = {"uniform": [1.0, 2.0]} if KINDS[tensor.dtype].floating else {"integers": [1, 3]}
            values = make(fill, seed, salt + 1, (PERIOD,), tensor.dtype)
            place = self.places[tensor.name]
            self.rig.arena.bytes[place : place + values.nbytes] = values.view(np.uint8)
            patterns[tensor.name] = values
        return patterns

    def run(self, axes: dict[str, int], scalars: dict[str, Any]) -> tuple[bool, str] | None:
        """Call the candidate; None if it returned, else whether that is its fault, and what happened."""
        by_name = {layout.name: layout for layout in self.layouts}

        def tensor(name: str) -> dict[str, Any]:
            layout = by_name[name]
            period = PERIOD * KINDS[layout.dtype].itemsize
            where = (
                {"pattern": self.places[name], "period": period}
                if name in self.places
                else {"sparse": self.offsets[name]}
            )
            return {
                "name": name,
                "dtype": layout.dtype,
                "shape": layout.shape,
                "strides": layout.strides,
                "nbytes": layout.nbytes,
                **where,
            }

        unit = self.rig.problem.unit
        job = {
            "module": self.rig.module, "unit": unit.name, "large": True, "device": "cpu",
            "params": [
                {"name": p.name, "value": scalars[p.name]} if isinstance(p, Scalar) else tensor(p.name)
                for p in unit.signature.params
            ],
            "results": [tensor(r.name) for r in unit.signature.results if isinstance(r, Tensor)],
            "perturb": 0xB6, "guards": [], "unset": [], "env": {**FORWARD, "SPAK_SIM_SAMPLE_BLOCKS": str(BLOCKS)},
        }  # fmt: skip
        answer = self.rig.run_large(job, self.fd, lambda: os.fstat(self.fd).st_blocks * 512 < TOUCHED)
        if answer.state == "died":
            return True, f"an index wraps: the kernel leaves its arrays at this size ({answer.how})"
        if answer.state == "hung":
            return False, f"the call {answer.how}: its blocks cannot be sampled"
        for kind in ("load", "raised"):
            if kind in answer.data:
                said = re.sub(r"<arena \d+>", "an address", str(answer.data[kind]))
                wraps = "an index wraps: the kernel leaves its arrays at this size: " if "memory" in said else ""
                return True, f"{wraps}the call raises {said}"
        return None

    def written(self, layout: Layout) -> list[tuple[int, int]]:
        """Byte ranges of a result that exist, relative to its start."""
        begin, found = self.offsets[layout.name], []
        at, stop = begin, begin + layout.nbytes
        while at < stop:
            try:
                at = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:  # no data after this
                break
            if at >= stop:
                break
            end = min(os.lseek(self.fd, at, os.SEEK_HOLE), stop)
            found.append((at - begin, end - begin))
            at = end
        return found

    def read(self, layout: Layout, first: int, count: int) -> Array:
        storage = np.dtype(KINDS[layout.dtype].storage)
        raw = os.pread(self.fd, count * storage.itemsize, self.offsets[layout.name] + first * storage.itemsize)
        return np.frombuffer(raw, storage)


def _compare(
    rig: Rig,
    memory: _Sparse,
    patterns: dict[str, Array],
    axes: dict[str, int],
    scalars: dict[str, Any],
    axis: str,
    sizes: str,
) -> tuple[Found, bool]:
    """Compare what was written with the oracle on slices, and see whether the last slice of every result is among it."""
    checked, unreached = 0, False
    for result, layout in zip(
        rig.problem.unit.signature.results, memory.layouts[len(rig.problem.tensors) :], strict=True
    ):
        at = result.shape.index(axis)
        index = _slices(memory, layout, at)
        if index.size == 0:
            return Found("failed", f"{sizes}: nothing of {result.name} was written", {}), True
        inputs: dict[str, Array] = {}
        for tensor, other in zip(rig.problem.tensors, memory.layouts, strict=False):
            flat = _positions(other, tensor.shape.index(axis) if axis in tensor.shape else None, index)
            if flat is None:
                return Found("unproved", f"{sizes}: slices of {tensor.name} are too large to compare"), True
            inputs[tensor.name] = patterns[tensor.name][flat % PERIOD]
        flat = _positions(layout, at, index)
        if flat is None:
            return Found("unproved", f"{sizes}: slices of {result.name} are too large to compare"), True
        stored = np.array([memory.read(layout, int(i), 1)[0] for i in flat.ravel()]).reshape(flat.shape)
        expected = rig.expect(Case({**axes, axis: index.size}, scalars, inputs))[result.name]
        judged = judge(result.name, stored, result.dtype, expected, rig.problem.unit.tolerance)
        cells = to_f64(stored, result.dtype) != 0
        checked += int(cells.sum())
        wrong = judged.wrong & cells
        if wrong.any():
            where = int(index[int(np.argwhere(wrong)[0][at])])
            what = f"an index wraps: {result.name} is wrong at {axis} = {where}"
            return Found("failed", f"{sizes}: {what}", {"cells": checked}), True
        unreached |= bool(index[-1] != layout.shape[at] - 1)
    return Found("passed", f"{sizes}; {BLOCKS} sampled blocks", {"cells": checked}), unreached


def _slices(memory: _Sparse, layout: Layout, at: int) -> Any:
    """Indices along the large axis where something was written: ends and middle of each stretch, spread over all."""
    itemsize = KINDS[layout.dtype].itemsize
    found: set[int] = set()
    stride, size = layout.strides[at], layout.shape[at]
    for begin, end in memory.written(layout):
        for start in {begin, max(begin, end - STRETCH)}:
            count = min(STRETCH, end - start) // itemsize
            cells = np.flatnonzero(memory.read(layout, start // itemsize, count))
            for position in cells[[0, cells.size // 2, -1]] if cells.size else ():
                found.add(int((start // itemsize + position) // stride % size))
    ordered = sorted(found)
    if len(ordered) > SLICES:
        ordered = sorted({ordered[round(i * (len(ordered) - 1) / (SLICES - 1))] for i in range(SLICES)})
    return np.array(ordered, dtype=np.int64)


def _positions(layout: Layout, at: int | None, index: Any) -> Any:
    """Flat positions of slices of an array along one axis (of all of it without one); None where that is too many."""
    counts = [index.size if i == at else n for i, n in enumerate(layout.shape)]
    if int(np.prod(counts, dtype=np.int64)) > SMALL_ELEMENTS:
        return None
    flat = np.zeros(counts, dtype=np.int64)
    for i, (count, stride) in enumerate(zip(counts, layout.strides, strict=True)):
        along = index if i == at else np.arange(count)
        flat += (along * stride).reshape([-1 if j == i else 1 for j in range(len(counts))])
    return flat
