"""From symptoms to a cause in words: repeats a failed case with one thing changed at a time. Knows no rounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spak.errors import SpakError
from spak.sim import findings
from spak.verify.arena import Damage
from spak.verify.attempt import Attempt
from spak.verify.figures import judge
from spak.verify.hypotheses import Cause, explain
from spak.verify.patterns import describe, tail_of
from spak.verify.rig import Ran, Rig

#: Red zone, in bytes, with which a crash is repeated without guard pages to see where the writes go.
MARGIN = 1 << 16


def diagnose(rig: Rig, tried: Attempt) -> Cause:
    """The cause of a failed attempt, as far as it can be told; what is merely seen where it cannot."""
    return _CAUSES[tried.worst](rig, tried)


def _load(rig: Rig, tried: Attempt) -> Cause:
    return Cause("SPK602", f"the module cannot be loaded: {tried.runs[-1].how}", "build it again")


def _raised(rig: Rig, tried: Attempt) -> Cause:
    """The simulator turns a fault into an exception: an access outside memory is traced to its array like any other."""
    how = tried.runs[-1].how
    if any(word in how for word in ("SIGSEGV", "SIGBUS", "memory", "bounds")):
        found = _overrun(rig, tried, how)
        if found:
            return found
    if named := _named(tried):
        return named
    hint = "arguments were within every `require`; a fault that the simulator names is the kernel's"
    return Cause("SPK613", f"the call raises {how}", hint)


def _named(tried: Attempt) -> Cause | None:
    """What the simulator itself says of the fault that ended the run, at the lines that calls of primitives know."""
    try:
        (one, *_) = findings.read(tried.runs[-1].findings, None)
    except (SpakError, ValueError):  # the candidate may say anything
        return None
    lines = [f"{party} (line {party.place.span.line})" for party in one.parties if party.place]
    return Cause(one.code, "; ".join([one.sentence, *lines]), one.hint)


def _hung(rig: Rig, tried: Attempt) -> Cause:
    how = tried.runs[-1].how
    hint = "look for a loop that never ends (an index too narrow for its bound), or a barrier that some threads skip"
    return Cause("SPK612", f"the call {how} within its limit", hint)


def _crashed(rig: Rig, tried: Attempt) -> Cause:
    how = tried.runs[-1].how
    if how not in ("signal SIGSEGV", "signal SIGBUS"):
        hint = "the kernel aborts or executes an instruction that this CPU lacks"
        return Cause("SPK611", f"the call ends with {how}", hint)
    where = f"the kernel reads or writes outside its arrays ({how})"
    return _overrun(rig, tried, how) or Cause("SPK611", where, "check every index against its bounds")


def _overrun(rig: Rig, tried: Attempt, how: str) -> Cause | None:
    """Which array is overrun: once more without guard pages shows writes, once more with one array's shows reads."""
    case, at = tried.case, tried.setup.at
    loose = rig.run(case, at=replace(at, margin=MARGIN, guarded=()))
    if not loose.failure and loose.damage:
        return _redzone_cause(rig, loose.damage)
    if loose.failure:
        hint = "check index arithmetic for overflow and for wrong strides"
        return Cause("SPK611", f"the kernel reads or writes far outside every array ({how})", hint)
    names = [layout.name for layout in rig.problem.layouts(case.axes, case.scalars)]
    for ends in (True, False):
        for name in names:
            if rig.run(case, at=replace(at, ends=ends, guarded=(name,))).failure:
                side = "past the end" if ends else "before the beginning"
                return Cause("SPK611", f"the kernel reads {side} of {name} ({how})", _bounds_hint(rig, name))
    return None


def _bounds_hint(rig: Rig, name: str) -> str:
    tensors = (*rig.problem.tensors, *rig.problem.unit.signature.results)
    shape = next(", ".join(t.shape) for t in tensors if t.name == name)
    return f"check every index into {name}[{shape}] against its bounds, in the last, partial tile above all"


def _redzone(rig: Rig, tried: Attempt) -> Cause:
    return _redzone_cause(rig, next(run.damage for run in tried.runs if run.damage))


def _redzone_cause(rig: Rig, damage: tuple[Damage, ...]) -> Cause:
    said = []
    for hit in damage:
        if hit.after:
            said.append(f"{hit.after} bytes after the end of {hit.name} (up to {hit.farthest} bytes beyond it)")
        if hit.before:
            said.append(f"{hit.before} bytes before the beginning of {hit.name}")
        if hit.gaps:
            said.append(f"{hit.gaps} bytes between the rows of {hit.name}")
    return Cause(
        "SPK614", f"the kernel writes outside its arrays: {', '.join(said)}", _bounds_hint(rig, damage[0].name)
    )


def _input(rig: Rig, tried: Attempt) -> Cause:
    changed = next(run.changed for run in tried.runs if run.changed)
    what = ", ".join(f"{count} elements of {name}" for name, count in sorted(changed.items()))
    name = min(changed)
    return Cause(
        "SPK615",
        f"the kernel writes to an input: {what} changed",
        f"{name} is read-only: keep intermediates in registers or a workspace",
    )


def _unwritten(rig: Rig, tried: Attempt) -> Cause:
    uninitialised = _reads_result(rig, tried)  # what is added to a NaN is that NaN, and looks untouched
    if uninitialised:
        return uninitialised
    name = next(n for n, mask in tried.missing.items() if mask.any())
    mask = tried.missing[name]
    result = next(r for r in rig.problem.unit.signature.results if r.name == name)
    tiles = [v for _, v in rig.problem.params]
    words = describe(mask, result.shape, tiles)
    stride = explain(rig, tried) if "value" in tried.symptoms and not mask.all() else None
    if stride and stride.code in ("SPK620", "SPK621"):
        return replace(stride, what=f"{stride.what}; {words} of {name} are never written")
    tail = tail_of(mask, tiles)
    if tail and mask.shape[tail[0]] - tail[1] == 1 and not tail[2]:
        return Cause(
            "SPK622",
            f"a bound is wrong: {words} of {name} are never written",
            f"the range over {result.shape[tail[0]]} stops one short",
        )
    if tail:
        return Cause(
            "SPK616",
            f"the tail is skipped: {words} of {name} are never written",
            "cover the last, partial tile: round the grid up and check bounds",
        )
    return Cause("SPK616", f"{words} of {name} are never written", "see that grid and loops cover the whole result")


def _schedule(rig: Rig, tried: Attempt) -> Cause:
    """Another order of blocks and threads, another result. The same order twice tells a race from uninitialised
    memory.
    """
    base = tried.setup.schedules[0]
    uninitialised = _reads_result(rig, tried) or _unsteady(rig, tried, base)
    if uninitialised:
        return uninitialised
    return Cause(
        "SPK618",
        f"the result depends on the order in which threads and blocks run: {_which(rig, tried)}; a barrier is "
        "missing, or blocks race",
        "put __syncthreads() between writing shared memory and reading what another thread wrote, and before it is "
        "overwritten",
    )


def _unsteady(rig: Rig, tried: Attempt, env: object) -> Cause | None:
    schedule = tried.setup.schedules[0]
    one = rig.run(tried.case, at=tried.setup.at, run=0, env=schedule)
    two = rig.run(tried.case, at=tried.setup.at, run=1, env=schedule)
    if _same(one, two):
        return None
    return _repeat_cause(rig, tried)


def _same(one: Ran, two: Ran) -> bool:
    return all(np.array_equal(one.outputs[n].view(np.uint8), two.outputs[n].view(np.uint8)) for n in one.outputs)


def _repeat(rig: Rig, tried: Attempt) -> Cause:
    return _reads_result(rig, tried) or _repeat_cause(rig, tried)


def _repeat_cause(rig: Rig, tried: Attempt) -> Cause:
    return Cause(
        "SPK617",
        f"a second run on the same input gives another result: {_which(rig, tried)}; an accumulator or workspace "
        "is not initialised, or threads race",
        "set what is accumulated into to zero first (`zero = true` of a workspace in the plan), or order the writes",
    )


def _which(rig: Rig, tried: Attempt) -> str:
    for result in rig.problem.unit.signature.results:
        first = tried.runs[0].outputs[result.name]
        for other in tried.runs[1 : len(tried.setup.schedules)]:
            differs = first.view(np.uint8) != other.outputs[result.name].view(np.uint8)
            mask = differs.reshape(*first.shape, -1).any(axis=-1)
            if mask.any():
                return f"{describe(mask, result.shape)} of {result.name} differ"
    return "elements differ"


def _reads_result(rig: Rig, tried: Attempt) -> Cause | None:
    """Right when the results are zeroed beforehand, wrong when they hold anything else: it adds to what it finds."""
    zeroed = [
        rig.run(tried.case, at=replace(tried.setup.at, zeroed=True), run=number, env=schedule)
        for number, schedule in enumerate(tried.setup.schedules)
    ]
    if tried.ok or any(run.failure for run in zeroed):
        return None
    for result in rig.problem.unit.signature.results:
        expected = tried.expected[result.name]
        tolerance = rig.problem.unit.tolerance
        again = [judge(result.name, run.outputs[result.name], result.dtype, expected, tolerance) for run in zeroed]
        before = tried.judged[result.name]
        if all(j.ok for j in again) and (not before.ok or "repeat" in tried.symptoms) and expected.exact.any():
            return Cause(
                "SPK619",
                f"{result.name} is accumulated into without being initialised: the result is right only if "
                f"{result.name} held zeros before",
                f"store the first term, or zero {result.name} before adding to it: results arrive with anything in "
                "them",
            )
    return None


def _value(rig: Rig, tried: Attempt) -> Cause:
    name = next(n for n, j in tried.judged.items() if not j.ok)
    judged = tried.judged[name]
    result = next(r for r in rig.problem.unit.signature.results if r.name == name)
    which = describe(judged.wrong, result.shape, [v for _, v in rig.problem.params])
    words = f"{which} of {name} {'is' if judged.wrong.sum() == 1 else 'are'} wrong"
    cause = _reads_result(rig, tried) or explain(rig, tried)
    if cause:
        return replace(cause, what=f"{cause.what} ({words})")
    if (np.isnan(judged.exact) != np.isnan(judged.got))[judged.wrong].all() and not np.isfinite(judged.exact).all():
        return Cause(
            "SPK625",
            f"{words}: NaN or infinity does not propagate as in the reference",
            "see how comparisons and max treat NaN",
        )
    error = judged.figures["max_abs_error"]
    return Cause(
        "SPK610",
        f"{words}: the error is up to {error}, the bound {judged.figures['max_bound']}",
        _value_hint(rig, tried),
    )


def _value_hint(rig: Rig, tried: Attempt) -> str:
    if tried.setup.exact and tried.exact_held:
        return (
            "on small integers this operation is exact in the accumulator, so that the result must be right bit for bit"
        )
    return "compare with the smallest failing input in the evidence"


def _moved(rig: Rig, tried: Attempt) -> Cause:
    return Cause(
        "SPK628",
        "the same input at another address gives a wrong result",
        "the code may not depend on pointers, nor remember anything between calls",
    )


def _stale(rig: Rig, tried: Attempt) -> Cause:
    return Cause(
        "SPK628",
        "over an earlier result, and away from the edge of a page, the same input gives a wrong result",
        "results arrive with anything in them: compute and store every element, whatever is there",
    )


_CAUSES = {
    "load": _load, "raised": _raised, "hung": _hung, "crashed": _crashed, "redzone": _redzone, "input": _input,
    "unwritten": _unwritten, "schedule": _schedule, "repeat": _repeat, "value": _value, "moved": _moved,
    "stale": _stale,
}  # fmt: skip
