"""The simulator's check mode on small shapes: which, under which schedules, and what the evidence says. Knows no rule that
the simulator checks.

The instrumented module is slow and sees everything: every access, every order between threads. Small shapes that have a
partial tile and several blocks exercise what a kernel does; schedules and completions show what one of them hides. Lines
are looked up here, in the parent, with the module's line table: nothing of that happens in the candidate.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.model.evidence import Check
from spak.sim import findings
from spak.sim.ran import words as schedule_words
from spak.verify.attempt import Attempt, Setup, attempt
from spak.verify.diagnose import diagnose
from spak.verify.problem import Problem
from spak.verify.rig import Case, Place, Ran, Rig
from spak.verify.rounds import Round, case_of, seed_of, wishes

#: Operations and elements of a checked round.
LIMIT = 2e6
#: Rounds at most; sizes of a tile at most; what the other axes are while one is long, the best first.
ROUNDS, TILE = 9, 8192
OTHERS = ((3, 5, 7, 2), (2, 3, 2, 1), (1, 1, 1, 1))
#: No guard pages: an access outside an array is a finding, and the kernel goes on.
LOOSE = Place(margin=4096, guarded=())
#: Findings that are worth showing.
MOST = 8


def _schedule(order: str, seed: int, completion: str, mode: str = "check") -> dict[str, str]:
    return {
        "SPAK_SIM_MODE": mode,
        "SPAK_SIM_ORDER": order,
        "SPAK_SIM_SEED": str(seed),
        "SPAK_SIM_COMPLETION": completion,
    }


#: Orders of blocks and threads, and when asynchronous operations complete. The first two are enough for a larger shape.
SCHEDULES = (
    _schedule("forward", 0, "lazy"),
    _schedule("random", 1, "eager"),
    _schedule("reverse", 0, "eager"),
    _schedule("random", 2, "lazy"),
)
PROFILE = _schedule("forward", 0, "eager", "profile")


def words(schedule: Mapping[str, str]) -> str:
    """`random order, seed 1, eager completion`."""
    return schedule_words(schedule["SPAK_SIM_ORDER"], schedule["SPAK_SIM_SEED"], schedule["SPAK_SIM_COMPLETION"])


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one round: a line of the evidence, and what is wrong."""

    check: Check
    diagnostics: tuple[Diagnostic, ...] = ()


def plan(problem: Problem, base: str) -> tuple[Round, ...]:
    """The rounds, a small one first; `base` seeds them.

    Small odd sizes; powers of two, which take what vector accesses there are; one more than a tile everywhere; for each
    axis more than two of the largest tile that the plan names; and, for each launch that none of these takes, a shape on
    the other side of its condition. What `require` and the budget forbid becomes the nearest that they allow, or is left
    out.
    """
    axes = problem.unit.signature.axes
    fills = {tensor.name: "normal" for tensor in problem.tensors}
    shapes: dict[str, dict[str, int]] = {}
    for name, shape in _shapes(problem) if axes else (("only", {}),):
        if shape not in shapes.values() and len(shapes) < ROUNDS:
            shapes[name] = shape
    for name, shape in _of_conditions(problem, list(shapes.values())):
        if len(shapes) < ROUNDS:
            shapes[name] = shape
    return tuple(
        Round(f"check-{name}", "check", shape, fills, seed=seed_of(base, f"check-{name}"))
        for name, shape in shapes.items()
    )


def _shapes(problem: Problem) -> Iterator[tuple[str, dict[str, int]]]:
    wished = dict(wishes(problem))
    for name in ("primes", "power", "tile+1"):
        shape = problem.nearest(wished[name], LIMIT)
        if shape is not None:
            yield name, shape
    written = [int(n) for grid in problem.grids for text in grid for n in re.findall(r"\d+", text)]
    tiles = sorted({v for v in (*(n for _, n in problem.params), *written) if 1 < v <= TILE} | {32}, reverse=True)
    for axis in problem.unit.signature.axes:
        shape = _long(problem, axis, [size for tile in tiles for size in (2 * tile + 1, tile + 1)])
        if shape is not None:
            yield f"long-{axis}", shape


def _long(problem: Problem, axis: str, sizes: Sequence[int]) -> dict[str, int] | None:
    """The first size of an axis that some small sizes of the others make affordable."""
    axes = problem.unit.signature.axes
    for size in sizes:
        for others in OTHERS:
            shape = {one: size if one == axis else others[i % len(others)] for i, one in enumerate(axes)}
            if problem.admits(shape) and problem.cost(shape) <= LIMIT:
                return shape
    return None


def _of_conditions(problem: Problem, shapes: list[dict[str, int]]) -> Iterator[tuple[str, dict[str, int]]]:
    """Shapes that take launches which no shape takes so far: on either side of a number in a launch's condition."""
    taken = {index for shape in shapes for index in problem.taken(shape)}
    for index in range(len(problem.launches)):
        for axis in problem.unit.signature.axes:
            for number in re.findall(r"\d+", " ".join(text for _, text in problem.launches)):
                shape = _long(problem, axis, (int(number) + 1,)) or {}
                if index in taken or not shape or index not in problem.taken(shape):
                    continue
                taken |= problem.taken(shape)
                yield f"launch-{index + 1}", shape


#: A rule and the lines that are involved: what makes two findings the same.
Seen = set[tuple[str, frozenset[Span]]]


def run(
    rig: Rig, module: str, round_: Round, replay: str, source: str, seen: Seen, *, every: bool, explain: bool
) -> Checked:
    """One round on the instrumented `module`, under all schedules or the first two. Findings lie in `source`; those that
    other rounds have `seen` fail this one as well, and are not said again. `explain` asks why results are wrong where nothing
    was found: plain rounds that failed have said so already.
    """
    case = case_of(rig.problem, round_)
    schedules = SCHEDULES if every else SCHEDULES[:2]
    plain, rig.module = rig.module, module
    try:
        tried = attempt(rig, case, Setup(LOOSE, schedules))
        said = any(ran.findings for ran in tried.runs)
        found = list(of_runs(tried.runs, schedules, module, source, seen))
        if explain and not said and not tried.ok:
            found.append(_symptom(rig, round_, tried))
    finally:
        rig.module = plain
    ran = [words(schedule) for schedule in schedules[: len(tried.runs)]]
    detail = f"{round_.words}; {'; '.join(ran)}" + f"; {_counted(tried, found)}"
    check = Check(
        name=f"check mode {round_.name.removeprefix('check-')}",
        verdict="failed" if said or not tried.ok else "passed",
        detail=detail,
        figures={"schedules": ran},
        seed=round_.seed,
        replay=replay,
    )
    return Checked(check, tuple(found[:MOST]))


def _counted(tried: Attempt, found: Sequence[Diagnostic]) -> str:
    if any(ran.findings for ran in tried.runs):
        return ", ".join(dict.fromkeys(one.code for one in found)) or "the same findings as before"
    return "no finding" if tried.ok else f"no finding, but {tried.worst}"


def of_runs(
    runs: Sequence[Ran], schedules: Sequence[Mapping[str, str]], module: str, source: str, seen: Seen
) -> Iterator[Diagnostic]:
    """What the simulator found in runs, each thing once, the first schedule that shows it named."""
    for ran, schedule in zip(runs, schedules, strict=False):
        if not ran.findings:
            continue
        names = {Path(source).name: source}
        try:
            found = findings.read(ran.findings, Path(module) if module else None, names, schedule=words(schedule))
        except (SpakError, ValueError, TypeError, KeyError, AttributeError):  # the candidate may say anything
            yield Diagnostic("SPK586", "what the module says that it found cannot be read", hint=_FORGED)
            return
        for one in found:
            key = (one.rule, frozenset(party.place.span for party in one.parties if party.place))
            if key not in seen:
                seen.add(key)
                yield one.diagnostic()


_FORGED = "device code computes; it has no business with the simulator's report"


def _number(value: Any) -> int | float:
    """Raises ValueError for what is none that evidence can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return value


def _symptom(rig: Rig, round_: Round, tried: Attempt) -> Diagnostic:
    """What is wrong with the results though nothing was found."""
    cause = diagnose(rig, tried)
    return Diagnostic(cause.code, f"check mode, round {round_.name}: {cause.what}", hint=cause.hint)


def count(rig: Rig, module: str, round_: Round) -> list[dict[str, Any]]:
    """The counters of each launch of one round in mode profile; empty where the module says nothing that can be read."""
    case: Case = case_of(rig.problem, round_)
    plain, rig.module = rig.module, module
    try:
        ran = rig.run(case, at=replace(LOOSE), env=PROFILE)
    finally:
        rig.module = plain
    try:
        rows = json.loads(ran.counters or "[]")
        return [
            {
                "kernel": str(row["kernel"]),
                "grid": [int(n) for n in row["grid"]],
                "block": [int(n) for n in row["block"]],
                "counters": {str(name): _number(value) for name, value in row["counters"].items()},
            }
            for row in rows
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
