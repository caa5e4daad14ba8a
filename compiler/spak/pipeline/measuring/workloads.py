"""A unit's call of one size, ready to be timed: random inputs as the spec has them, the oracle's word on results, its cost. Knows
neither timing nor searching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.lang.expr import evaluate, parse_expr
from spak.measure.peaks import Roofline
from spak.measure.workload import Array, Shape, Workload
from spak.model.ir import Unit
from spak.semantics.suggest import near
from spak.verify.dtypes import KINDS
from spak.verify.figures import judge
from spak.verify.problem import Layout, Problem
from spak.verify.rig import Case, Expected, Rig
from spak.verify.rounds import Round, case_of, seed_of

#: Distributions that say nothing special: inputs of a measurement are of the first that the spec's tests use, else normal.
PLAIN = ("normal", "uniform", "positive", "integers")
#: Operations and elements of a call where no shape is asked for.
COST = 3e7
#: Sizes of the axes then, by their number, as far as the cost allows.
SIZES = {1: 1 << 20, 2: 1024, 3: 256}


@dataclass(frozen=True, slots=True)
class Posed:
    """A workload with its sizes and its cost."""

    axes: dict[str, int]
    workload: Workload
    roofline: Roofline

    @property
    def operations(self) -> float:
        return self.roofline.operations

    @property
    def moved(self) -> float:
        return self.roofline.moved


def pose(unit: Unit, variant: str, params: Mapping[str, int], axes: Mapping[str, int], seed: int, cores: int) -> Posed:
    """The call of a size. Raises SpakError: SPK663 for a size that the unit does not take, SPK604 for a bad reference."""
    problem = Problem(unit, variant, tuple(sorted(params.items())))
    sizes = admitted(problem, axes)
    round_ = Round("measure", "random", sizes, distributions(unit), {}, seed_of(unit.name, f"measure {seed}"))
    case = case_of(problem, round_)
    layouts = problem.layouts(case.axes, case.scalars)
    inputs: dict[str, tuple[Shape, Array]] = {
        one.name: (form(one), case.inputs[one.name]) for one in layouts[: len(problem.tensors)]
    }
    call = tuple(p.name if p.name in inputs else {"value": case.scalars[p.name]} for p in unit.signature.params)
    results = tuple(form(one) for one in layouts[len(inputs) :])
    expected = _expected(problem, case)
    fills = ", ".join(f"{name} {fill}" for name, fill in sorted(round_.fills.items()))
    text = f"{' '.join(f'{k}={v}' for k, v in sizes.items())}; {fills}; seed {seed}"
    workload = Workload(unit.name, call, inputs, results, _judge(unit, expected), unit.deterministic, text)
    return Posed(dict(sizes), workload, _roofline(problem, case, layouts, cores))


def admitted(problem: Problem, axes: Mapping[str, int]) -> dict[str, int]:
    """The sizes in the order of the unit's axes. Raises SpakError (SPK663) unless the unit takes them; none are chosen for it."""
    own = problem.unit.signature.axes
    if not axes:
        wish = {axis: SIZES.get(len(own), 64) for axis in own}
        found = problem.nearest(wish, COST)
        if found is None:
            raise _bad(problem.unit, axes, "no size of moderate cost is allowed by `require`", "state one with --shape")
        return found
    for name in axes:
        if name not in own:
            raise _bad(problem.unit, axes, f"the unit has no axis {name!r}", near(name, own, "its axes are"))
    missing = [name for name in own if name not in axes]
    if missing:
        raise _bad(problem.unit, axes, f"it gives {', '.join(missing)} no size", f"axes are: {', '.join(own)}")
    if not problem.admits(axes):
        words = "; ".join(one.words or one.expr for one in problem.unit.require) or "sizes are at least 1"
        raise _bad(problem.unit, axes, "the unit does not take it", f"it requires: {words}")
    return {name: axes[name] for name in own}


def distributions(unit: Unit) -> dict[str, Any]:
    """What each input is filled with: the first plain distribution that a test vector names for it."""
    from spak.model.ir import Tensor

    found: dict[str, Any] = {}
    for tensor in (p for p in unit.signature.params if isinstance(p, Tensor)):
        named = [vector.inputs[tensor.name] for vector in unit.vectors if tensor.name in vector.inputs]
        found[tensor.name] = next((one for one in named if _plain(one)), "normal")
    return found


def form(layout: Layout) -> Shape:
    return Shape(layout.name, layout.dtype, KINDS[layout.dtype].storage, layout.shape, layout.strides)


def _plain(fill: Any) -> bool:
    if isinstance(fill, dict):
        return len(fill) == 1 and next(iter(fill)) in (*PLAIN, "randint")
    return isinstance(fill, str) and fill in PLAIN


def _expected(problem: Problem, case: Case) -> dict[str, Expected]:
    with Rig(problem, "", device="cpu", call_seconds=60.0, reference_file=problem.unit.reference.file) as rig:
        return rig.expect(case)


def _judge(unit: Unit, expected: Mapping[str, Expected]) -> Any:
    """As verification judges: every element, by the derived bound."""

    def say(results: Mapping[str, Array]) -> str:
        for result in unit.signature.results:
            judged = judge(result.name, results[result.name], result.dtype, expected[result.name], unit.tolerance)
            if not judged.ok:
                return f"{int(judged.wrong.sum())} of {judged.wrong.size} elements of {result.name} are outside of the bound"
        return ""

    return say


def _roofline(problem: Problem, case: Case, layouts: tuple[Layout, ...], cores: int) -> Roofline:
    env = problem.env(case.axes, case.scalars)
    working_set = float(sum(layout.nbytes for layout in layouts))
    operations, moved = (_cost(text, env) for text in (problem.unit.flops, problem.unit.bytes))
    return Roofline(operations, moved, working_set, problem.unit.accumulate, cores)


def _cost(text: str, env: Mapping[str, Any]) -> float:
    """A cost that the spec states; 0 where it has no value."""
    value = evaluate(parse_expr(text), env)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _bad(unit: Unit, axes: Mapping[str, int], why: str, hint: str) -> SpakError:
    shown = ", ".join(f"{name}={size}" for name, size in axes.items()) or "no shape"
    return SpakError(Diagnostic("SPK663", f"{shown} is no shape of {unit.name}: {why}", None, hint))
