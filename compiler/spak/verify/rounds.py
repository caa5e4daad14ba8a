"""Which rounds a verification runs: names, shapes, fills, seeds. Knows nothing of how they are run or judged.

The list follows from the unit, the plan's parameters, the target's budget and, for shapes that nobody can foresee, the
digests of source and spec; so a round's name and seed are all that is needed to repeat it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from spak.model.ir import Tensor
from spak.verify.dtypes import KINDS
from spak.verify.problem import Problem
from spak.verify.rig import Case
from spak.verify.values import generator, make

#: Fills of rounds at the base shape, by the kind of round.
RANDOM = ("normal", "normal-2", "normal-3", "uniform", "positive")
STRUCTURAL = ("zeros", "ones", "ramp")
ADVERSARIAL = ("denormal", "huge", "extreme", "tiny", "wide", "cancel")
PRIMES = (13, 7, 11, 5, 3, 17, 19, 23)
MEDIUM = {1: 5003, 2: 83, 3: 37}
POWERS = {1: 1024, 2: 64, 3: 32}
LONG = {1: 40_961, 2: 1031, 3: 1031}


@dataclass(frozen=True, slots=True)
class Round:
    """One round. `exact`: inputs are small integers and the result must be bit for bit right, where sums are exact."""

    name: str
    kind: str
    axes: dict[str, int]
    fills: dict[str, Any]
    scalars: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    expect: dict[str, Any] = field(default_factory=dict)
    exact: bool = False

    @property
    def words(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self.axes.items())
        fills = sorted({fill if isinstance(fill, str) else "given" for fill in self.fills.values()})
        return f"{sizes}; {', '.join(fills)}"


def seed_of(base: str, name: str) -> int:
    """A round's seed: fixed by the source's and the spec's digests, so code cannot have been fitted to it."""
    return int.from_bytes(hashlib.sha256(f"{base}\n{name}".encode()).digest()[:6], "big")


def case_of(problem: Problem, round_: Round) -> Case:
    """The round's inputs. Raises ValueError for a test vector whose values do not fit."""
    scalars = {**problem.default_scalars(), **round_.scalars}
    layouts = {layout.name: layout for layout in problem.layouts(round_.axes, scalars)}
    inputs = {}
    for salt, tensor in enumerate(problem.tensors):
        fill = round_.fills.get(tensor.name, "normal")
        try:
            inputs[tensor.name] = make(fill, round_.seed, salt + 1, layouts[tensor.name].shape, tensor.dtype)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{round_.name}: {tensor.name}: {error}") from None
    return Case(dict(round_.axes), scalars, inputs)


def plan_rounds(problem: Problem, base: str, *, limit: float) -> tuple[Round, ...]:
    """Every round, in order, seeds set. `limit` is what a round may cost (operations + elements)."""
    rounds = [
        *_of_values(problem, limit),
        *_of_shapes(problem, base, limit),
        *_of_spec(problem),
        *_exact(problem, limit),
    ]
    return tuple(_with_scalars(problem, replace(r, seed=seed_of(base, r.name))) for r in rounds)


def _every(problem: Problem, fill: Any) -> dict[str, Any]:
    return {tensor.name: fill for tensor in problem.tensors}


def _first_only(problem: Problem, name: str, fill: str) -> dict[str, Any]:
    return {**_every(problem, "normal"), name: fill}


def base_shape(problem: Problem, limit: float) -> dict[str, int] | None:
    """A middling shape, no multiple of anything where `require` allows."""
    axes = problem.unit.signature.axes
    size = MEDIUM.get(len(axes), 9)
    return problem.nearest({axis: size - 6 * i if size > 40 else size - 2 * i for i, axis in enumerate(axes)}, limit)


def _of_values(problem: Problem, limit: float) -> Iterator[Round]:
    shape = base_shape(problem, limit)
    if shape is None:
        return
    for name in RANDOM:
        yield Round(name, "random", shape, _every(problem, name.partition("-")[0]))
    for name in STRUCTURAL:
        yield Round(name, "structural", shape, _every(problem, name))
    for tensor in problem.tensors[:3]:
        yield Round(f"identity-{tensor.name}", "structural", shape, _first_only(problem, tensor.name, "identity"))
        yield Round(f"one-hot-{tensor.name}", "structural", shape, _first_only(problem, tensor.name, "one_hot"))
    for name in ADVERSARIAL:
        yield Round(name, "adversarial", shape, _every(problem, name))
    floating = [t for t in problem.tensors if KINDS[t.dtype].floating]
    for tensor in floating[:3]:
        for fill in ("nan", "inf", "neg_inf"):
            yield Round(
                f"{fill}-{tensor.name}".replace("_", "-"), "adversarial", shape, _first_only(problem, tensor.name, fill)
            )


def _of_shapes(problem: Problem, base: str, limit: float) -> Iterator[Round]:
    """Odd sizes. A wish that `require` or the budget forbids becomes the nearest that they allow; one met already is
    left out.
    """
    axes = problem.unit.signature.axes
    seen: list[dict[str, int]] = []
    for name, wish in [*wishes(problem), *_unforeseen(problem, base)]:
        if not axes:
            return
        shape = problem.nearest(wish, limit)
        if shape is None or shape in seen:
            continue
        seen.append(shape)
        yield Round(f"odd-{name}", "odd", shape, _every(problem, "normal"))


def wishes(problem: Problem) -> Iterator[tuple[str, dict[str, int]]]:
    """Odd sizes that one would like to try, whether or not they are admitted."""
    axes = problem.unit.signature.axes
    power = POWERS.get(len(axes), 8)
    long = LONG.get(len(axes), 257)
    tiles = {axis: _tile(problem, axis) for axis in axes}
    yield "ones", dict.fromkeys(axes, 1)
    yield "primes", {axis: PRIMES[i % len(PRIMES)] for i, axis in enumerate(axes)}
    yield "power-1", dict.fromkeys(axes, power - 1)
    yield "power", dict.fromkeys(axes, power)
    yield "power+1", dict.fromkeys(axes, power + 1)
    yield "tile-1", {axis: max(1, tiles[axis] - 1) for axis in axes}
    yield "tile", dict(tiles)
    yield "tile+1", {axis: tiles[axis] + 1 for axis in axes}
    yield "two-tiles+1", {axis: 2 * tiles[axis] + 1 for axis in axes}
    for axis in axes[:4]:
        yield f"long-{axis}", {a: long if a == axis else 3 + 2 * i for i, a in enumerate(axes)}
        if len(axes) > 1:
            yield f"one-{axis}", {a: 1 if a == axis else power // 2 + 1 + 2 * i for i, a in enumerate(axes)}


def _unforeseen(problem: Problem, base: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Shapes that code cannot have been fitted to: its own digest picks them, small ones as likely as large ones."""
    axes = problem.unit.signature.axes
    largest = 4 * MEDIUM.get(len(axes), 9)
    for number in (1, 2, 3):
        rng = generator(seed_of(base, f"shape {number}"))
        yield f"random-{number}", {axis: int(largest ** rng.uniform(0, 1)) for axis in axes}


def _tile(problem: Problem, axis: str) -> int:
    """The plan's parameter that names the axis (BM, TILE_M), else its largest within reason, else 32."""
    named = [v for name, v in problem.params if name.upper().endswith(axis.upper()) and 1 < v <= 4096]
    anything = [v for _, v in problem.params if 1 < v <= 1024]
    return max(named or anything or [32])


def _of_spec(problem: Problem) -> Iterator[Round]:
    for i, shape in enumerate(problem.unit.shapes):
        axes = {k: v for k, v in shape.items() if k in problem.unit.signature.axes}
        scalars = {k: v for k, v in shape.items() if k not in axes}
        if problem.admits(axes, {**problem.default_scalars(), **scalars}):
            yield Round(f"shape-{i + 1}", "spec", axes, _every(problem, "normal"), scalars)
    tensors = {t.name for t in problem.unit.signature.params if isinstance(t, Tensor)}
    for vector in problem.unit.vectors:
        fills = {k: v for k, v in vector.inputs.items() if k in tensors}
        scalars = {k: v for k, v in vector.inputs.items() if k not in tensors}
        axes = {k: v for k, v in vector.shape.items() if k in problem.unit.signature.axes}
        scalars |= {k: v for k, v in vector.shape.items() if k not in axes}
        if problem.admits(axes, {**problem.default_scalars(), **scalars}):
            yield Round(f"vector-{vector.name}", "vector", axes, fills, scalars, expect=dict(vector.expect))


def unmet(problem: Problem) -> tuple[str, ...]:
    """Shapes and vectors of the tests that this variant's conditions exclude."""
    names = {r.name for r in _of_spec(problem)}
    shapes = [f"shape-{i + 1}" for i in range(len(problem.unit.shapes))]
    vectors = [f"vector-{v.name}" for v in problem.unit.vectors]
    return tuple(name for name in [*shapes, *vectors] if name not in names)


def _exact(problem: Problem, limit: float) -> Iterator[Round]:
    axes = problem.unit.signature.axes
    if not problem.unit.linear_in or not axes:
        return
    tiles = {axis: _tile(problem, axis) + 1 for axis in axes}
    long = {axis: LONG.get(len(axes), 257) if axis == axes[-1] else 5 for axis in axes}
    primes = {axis: PRIMES[i % len(PRIMES)] for i, axis in enumerate(axes)}
    scalars = {s.name: 2 if not KINDS[s.dtype].floating else 2.0 for s in problem.scalars if s.dtype != "bool"}
    for name, wish in (
        ("exact-1", base_shape(problem, limit)),
        ("exact-2", tiles),
        ("exact-3", long),
        ("exact-4", primes),
    ):
        shape = problem.nearest(wish, limit) if wish else None
        if shape is not None:
            chosen = scalars if problem.admits(shape, {**problem.default_scalars(), **scalars}) else {}
            yield Round(name, "exact", shape, _every(problem, "integers"), chosen, exact=True)


def _with_scalars(problem: Problem, round_: Round) -> Round:
    """Scalars that a random or odd round does not fix are drawn from its seed, where `require` admits the draw."""
    free = [s for s in problem.scalars if s.name not in round_.scalars and KINDS[s.dtype].floating]
    if not free or round_.kind not in ("random", "odd") or round_.name == "normal":
        return round_
    rng = generator(round_.seed)
    drawn = {s.name: _draw(s.default, rng) for s in free}
    scalars = {**round_.scalars, **drawn}
    admitted = problem.admits(round_.axes, {**problem.default_scalars(), **scalars})
    return replace(round_, scalars=scalars) if admitted else round_


def _draw(default: Any, rng: Any) -> float:
    """Within a factor of two of the default, which may be an epsilon or a temperature; else between -2 and 2."""
    value = float(default) * rng.uniform(0.5, 2.0) if default else rng.uniform(-2.0, 2.0)
    return float(f"{value:.4g}")
