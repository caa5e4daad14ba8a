"""One problem of a unit: its axes' sizes and scalars, and with them every array's shape and strides. Knows no values.

Shapes come from the expressions of the signature; `admits` asks every `require`, and what is unknown is not admitted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from spak.lang.expr import Expr, evaluate, parse_expr
from spak.model.ir import Scalar, Tensor, Unit
from spak.verify.dtypes import KINDS

#: How many assignments a search for an admissible shape may try.
SEARCH = 20_000


@dataclass(frozen=True, slots=True)
class Layout:
    """An array: its shape, strides in elements, and how many elements lie between its first and its last, inclusive."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def count(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def extent(self) -> int:
        """Elements of memory spanned; more than `count` where strides leave gaps."""
        return 1 + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)) if self.count else 0

    @property
    def nbytes(self) -> int:
        return self.extent * KINDS[self.dtype].itemsize


@dataclass(frozen=True, slots=True)
class Problem:
    """A unit together with one variant's extra conditions, the plan's compile-time parameters, and of its launches the grids,
    and the step and condition of each.
    """

    unit: Unit
    variant: str
    params: tuple[tuple[str, int], ...] = ()
    grids: tuple[tuple[str, ...], ...] = ()
    launches: tuple[tuple[str, str], ...] = ()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(p for p in self.unit.signature.params if isinstance(p, Tensor))

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        return tuple(p for p in self.unit.signature.params if isinstance(p, Scalar))

    @property
    def requires(self) -> tuple[str, ...]:
        own = [r.expr for v in self.unit.variants if v.name == self.variant for r in v.require]
        return (*(r.expr for r in self.unit.require), *own)

    def default_scalars(self) -> dict[str, float | int | bool]:
        """Every scalar's default, or one: the value that keeps an operation what it is."""
        return {s.name: s.default if s.default is not None else _one(s.dtype) for s in self.scalars}

    def env(self, axes: Mapping[str, int], scalars: Mapping[str, Any]) -> dict[str, Any]:
        return {**dict(self.params), **scalars, **axes}

    def admits(self, axes: Mapping[str, int], scalars: Mapping[str, Any] | None = None) -> bool:
        """Whether every axis is there and every condition is known to hold."""
        if any(axes.get(name, 0) < 1 for name in self.unit.signature.axes):
            return False
        env = self.env(axes, scalars if scalars is not None else self.default_scalars())
        return all(evaluate(_parsed(text), env) is True for text in self.requires) and self._possible(env)

    def _possible(self, env: Mapping[str, Any]) -> bool:
        """Strides that make an array's rows overlap, or a size below one, are no problem to pose."""
        try:
            return all(min(layout.shape, default=1) >= 1 and _disjoint(layout) for layout in self._layouts(env))
        except ValueError:
            return False

    def layouts(self, axes: Mapping[str, int], scalars: Mapping[str, Any]) -> tuple[Layout, ...]:
        """Every input's and every result's layout, in the order of the signature."""
        return self._layouts(self.env(axes, scalars))

    def _layouts(self, env: Mapping[str, Any]) -> tuple[Layout, ...]:
        return tuple(_layout(t, env) for t in (*self.tensors, *self.unit.signature.results))

    def blocks(self, axes: Mapping[str, int], scalars: Mapping[str, Any]) -> int | None:
        """How many blocks all launches have together; None where a grid is not known, or there is none."""
        env = self.env(axes, scalars)
        sizes = [[evaluate(parse_expr(text), env) for text in grid] for grid in self.grids]
        if not sizes or not all(isinstance(n, int) for grid in sizes for n in grid):
            return None
        return int(sum(math.prod(grid) for grid in sizes))

    def taken(self, axes: Mapping[str, int]) -> set[int]:
        """Which launches of the plan run at these sizes: of each step the first whose condition holds."""
        env = self.env(axes, self.default_scalars())
        found: dict[str, int] = {}
        for index, (step, when) in enumerate(self.launches):
            if step not in found and evaluate(_parsed(when), env) is True:
                found[step] = index
        return set(found.values())

    def cost(self, axes: Mapping[str, int]) -> float:
        """Operations and elements of a problem, to keep rounds affordable; unknown costs count as the elements
        alone.
        """
        scalars = self.default_scalars()
        env = self.env(axes, scalars)
        flops = evaluate(_parsed(self.unit.flops), env)
        elements = sum(layout.count for layout in self.layouts(axes, scalars))
        return elements + (float(flops) if isinstance(flops, int | float) else 0.0)

    def nearest(self, wished: Mapping[str, int], limit: float) -> dict[str, int] | None:
        """The admissible assignment nearest to a wished one that costs no more than `limit`; None if there is none
        near.
        """
        axes = self.unit.signature.axes
        wished = self._affordable(wished, limit)
        choices = [_around(wished[a]) for a in axes]
        scale = [max(1, wished[a]) for a in axes]
        tried: Iterable[tuple[int, ...]] = itertools.islice(_by_distance(choices, scale), SEARCH)
        for sizes in tried:
            found = dict(zip(axes, sizes, strict=True))
            if self.admits(found) and self.cost(found) <= limit:
                return found
        return None

    def _affordable(self, wished: Mapping[str, int], limit: float) -> Mapping[str, int]:
        """A wish within the budget: the longest axis is halved until it is, odd sizes staying odd."""
        while max(wished.values(), default=1) > 1 and self._too_much(wished, limit):
            longest = max(wished, key=lambda axis: wished[axis])
            wished = {**wished, longest: max(1, wished[longest] // 2 | wished[longest] & 1)}
        return wished

    def _too_much(self, axes: Mapping[str, int], limit: float) -> bool:
        try:
            return self.cost(axes) > limit
        except ValueError:  # a size that has no value here: the search around the wish finds one that has
            return False


@cache
def _parsed(text: str) -> Expr:
    """An expression of the spec; a search evaluates it thousands of times."""
    return parse_expr(text)


def _one(dtype: str) -> float | int | bool:
    return True if dtype == "bool" else 1.0 if KINDS[dtype].floating else 1


def _around(size: int) -> list[int]:
    """Sizes worth trying in the stead of one: itself, its neighbours, multiples of powers of two, small ones."""
    sizes = {size, *range(max(1, size - 8), size + 9), *range(1, 9)}
    for step in (8, 16, 32, 64, 128, 256):
        sizes |= {size // step * step, -(-size // step) * step, step}
    sizes |= {size // 2, size // 4, size // 8, size // 16}
    return sorted((s for s in sizes if s >= 1), key=lambda s: (abs(s - size), s))


def _by_distance(choices: Sequence[Sequence[int]], scale: Sequence[int]) -> Iterable[tuple[int, ...]]:
    """Combinations, those nearest to the first of each list first: by shells of the index, so that nothing is sorted
    whole.
    """
    longest = max((len(c) for c in choices), default=0)
    for shell in range(longest):
        near = [c[: shell + 1] for c in choices]
        for indices in itertools.product(*(range(len(c)) for c in near)):
            if max(indices, default=0) == shell or not indices:
                yield tuple(c[i] for c, i in zip(near, indices, strict=True))


def _layout(tensor: Tensor, env: Mapping[str, Any]) -> Layout:
    shape = tuple(_size(text, env) for text in tensor.shape)
    if tensor.layout == "strided":
        strides = tuple(_size(text, env) for text in tensor.strides)
    else:
        order = shape if tensor.layout == "col" else shape[::-1]
        steps = [1, *itertools.accumulate(order, lambda a, b: a * b)][: len(shape)]
        strides = tuple(steps if tensor.layout == "col" else steps[::-1])
    return Layout(tensor.name, tensor.dtype, shape, strides)


def _size(text: str, env: Mapping[str, Any]) -> int:
    value = evaluate(_parsed(str(text)), env)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(f"{text} has no value")
    return int(value)


def _disjoint(layout: Layout) -> bool:
    """Whether no two elements share memory, as far as nested strides can tell."""
    reach = 0
    for stride, size in sorted(zip(layout.strides, layout.shape, strict=True)):
        if size > 1 and stride <= reach:
            return False
        reach += (size - 1) * stride
    return True
