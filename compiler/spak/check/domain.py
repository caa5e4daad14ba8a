"""The shapes a spec admits: their bounds, their conditions, samples of them. Knows no claim about them.

Samples are structured (one, primes, powers of two and their neighbours, limits and multiples of the plan's tiles) and
then random; the same plan always gives the same ones.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from spak.check.bounds import Interval, axis_bounds, conjuncts, memory_bytes
from spak.check.scope import names_in, parts
from spak.lang.expr import UNKNOWN, Binary, Expr, Name, Num, evaluate

if TYPE_CHECKING:
    from spak.check.subject import Subject

Shape = dict[str, int]

_SMALL = (
    0,
    1,
    2,
    3,
    5,
    7,
    8,
    15,
    16,
    17,
    31,
    32,
    33,
    63,
    64,
    65,
    100,
    127,
    128,
    129,
    255,
    256,
    257,
    1000,
    1023,
    1024,
    1025,
)
_LIMITS = (65535, 2**31 - 1, 2**31, 2**32)
STRUCTURED = 600
RANDOM = 2400


@dataclass(frozen=True)
class Domain:
    """`names` are the axes and integer scalars; `sizes` pairs each tensor's dimensions with its element's bytes."""

    names: tuple[str, ...]
    bounds: dict[str, Interval]
    constants: dict[str, int]
    conditions: tuple[Expr, ...]
    sizes: tuple[tuple[tuple[Expr, ...], int], ...]
    memory: int

    @classmethod
    def of(cls, subject: Subject, constants: dict[str, int]) -> Domain:
        bounds = axis_bounds(subject)
        sizes = tuple((dims, subject.itemsizes[tensor]) for tensor, dims in subject.dims.items())
        conditions = tuple(part for condition in subject.requirements for part in conjuncts(condition))
        return cls(tuple(bounds), bounds, constants, conditions, sizes, memory_bytes(subject))

    @property
    def env(self) -> dict[str, Interval]:
        """Bounds of everything an expression may name."""
        return {**{name: Interval(value, value) for name, value in self.constants.items()}, **self.bounds}

    def admits(self, shape: Shape) -> bool:
        """Whether a shape meets every bound and condition; a condition on what is no integer does not count against
        it.
        """
        if any(not self.bounds[name].low <= shape[name] <= self.bounds[name].high for name in self.names):
            return False
        env = {**self.constants, **shape}
        if any(evaluate(condition, env) is False for condition in self.conditions):
            return False
        total = 0
        for dims, itemsize in self.sizes:
            elements = 1
            for dim in dims:
                value = evaluate(dim, env)
                if value is UNKNOWN or not isinstance(value, int):
                    return False
                elements *= value
            total += elements * itemsize
        return total <= self.memory

    @cached_property
    def base(self) -> Shape | None:
        """A smallest admitted shape, None when none was found."""
        for size in (3, 6, 12, 27, 60):
            choices = [self._values(name)[:size] for name in self.names]
            for values in itertools.islice(itertools.product(*choices), 20000):
                shape = self._repair(dict(zip(self.names, values, strict=True)))
                if self.admits(shape):
                    return shape
        return None

    @cached_property
    def structured(self) -> list[Shape]:
        """Admitted shapes that vary one axis at a time, then pairs of extremes."""
        return list(itertools.islice(self._distinct(self._structured()), STRUCTURED))

    @cached_property
    def random(self) -> list[Shape]:
        """Further admitted shapes, log-uniform in every axis, from a fixed seed."""
        return list(itertools.islice(self._distinct(self._random()), RANDOM))

    def _structured(self) -> Iterator[Shape]:
        if self.base is None:
            return
        yield self.base
        for name in self.names:
            for value in self._values(name):
                yield self._repair({**self.base, name: value}, keep=name)
        for a, b in itertools.combinations(self.names, 2):
            for x, y in itertools.product(self._values(a)[::7], self._values(b)[::7]):
                yield self._repair({**self.base, a: x, b: y}, keep=a)

    def _random(self) -> Iterator[Shape]:
        generator = random.Random(0)
        for _ in range(4 * RANDOM if self.base is not None else 0):
            shape = {}
            for name in self.names:
                low, high = self.bounds[name].low, self.bounds[name].high
                span = high - low
                shape[name] = low + (
                    generator.randrange(0, 1 << generator.randint(0, max(span.bit_length(), 1))) % (span + 1)
                )
            yield self._repair(shape)

    def _distinct(self, shapes: Iterator[Shape]) -> Iterator[Shape]:
        seen = set()
        for shape in shapes:
            key = tuple(shape.values())
            if key not in seen and self.admits(shape):
                yield shape
            seen.add(key)

    def _values(self, name: str) -> list[int]:
        low, high = self.bounds[name].low, self.bounds[name].high
        powers = (2**k + d for k in range(11, 41) for d in (-1, 0, 1))
        tiles = sorted({abs(value) for value in self.constants.values() if 1 < abs(value) <= 65536})
        limits = (tile * limit + d for tile in [1, *tiles] for limit in _LIMITS for d in (0, 1))
        near = (tile + d for tile in tiles for d in (-1, 0, 1))
        everything = {low, low + 1, high, high - 1, *_SMALL, *powers, *limits, *near, *(-v for v in _SMALL if low < 0)}
        for modulus in self._moduli:
            everything |= {v - v % modulus for v in everything} | {v - v % modulus + modulus for v in everything}
        return sorted((v for v in everything if low <= v <= high), key=abs)

    @cached_property
    def _moduli(self) -> list[int]:
        found = set()
        for condition in self.conditions:
            for part in parts(condition):
                if (
                    isinstance(part, Binary)
                    and part.op == "%"
                    and isinstance(part.right, Num)
                    and int(part.right.value) > 1
                ):
                    found.add(int(part.right.value))
        return sorted(found)

    def _repair(self, shape: Shape, keep: str = "") -> Shape:
        """Make `A == expr` conditions true by setting the side that is a bare name, so that such shapes are found at
        all.
        """
        shape = dict(shape)
        for condition in self.conditions:
            if not (isinstance(condition, Binary) and condition.op == "=="):
                continue
            for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(side, Name) and side.id in shape and side.id != keep and side.id not in names_in(other):
                    value = evaluate(other, {**self.constants, **shape})
                    if isinstance(value, int):
                        shape[side.id] = value
                        break
        return shape
