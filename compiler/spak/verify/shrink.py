"""The smallest failing input: sizes and values made smaller, greedily, as long as the failure stays. Knows no
causes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from spak.verify.attempt import Attempt, Setup, attempt
from spak.verify.dtypes import Array, to_f64
from spak.verify.problem import Problem
from spak.verify.rig import Case, Rig
from spak.verify.rounds import Round, case_of

#: How often a failing kernel is run to make its input smaller; a run that crashes costs a new process.
TRIES, CRASHES = 60, 8
#: Arrays up to this many elements are written out.
SHOWN = 64


class _Budget:
    """Counts runs, and dear ones tenfold."""

    def __init__(self) -> None:
        self.left = TRIES

    def spend(self, tried: Attempt) -> None:
        self.left -= TRIES // CRASHES if tried.worst in ("crashed", "hung") else 1


def shrink(rig: Rig, round_: Round, tried: Attempt) -> tuple[Round, Attempt]:
    """The smallest failing attempt that the budget finds, and the round as it then is."""
    budget = _Budget()
    round_, tried = _smaller_shape(rig, round_, tried, budget)
    for case in _simpler_values(tried.case, rig.problem):
        if budget.left <= 0:
            break
        again = _fails(rig, case, tried.setup, budget)
        if again:
            tried = again
    return round_, _fewer_values(rig, tried, budget)


def _fails(rig: Rig, case: Case, setup: Setup, budget: _Budget) -> Attempt | None:
    tried = attempt(rig, case, replace(setup, exact=False))
    if tried.ok:
        budget.left -= 1
        return None
    budget.spend(tried)
    return tried


def _smaller_shape(rig: Rig, round_: Round, tried: Attempt, budget: _Budget) -> tuple[Round, Attempt]:
    shrunk = True
    while shrunk and budget.left > 0 and not round_.expect and _by_name(round_):
        shrunk = False
        for axis, size in round_.axes.items():
            for less in sorted({1, 2, size // 2, size - size // 4, size - 1} - {0, size}):
                smaller = replace(round_, axes={**round_.axes, axis: less})
                if less >= size or budget.left <= 0 or not rig.problem.admits(smaller.axes, tried.case.scalars):
                    continue
                again = _fails(rig, case_of(rig.problem, smaller), tried.setup, budget)
                if again:
                    round_, tried, shrunk = smaller, again, True
                    break
    return round_, tried


def _by_name(round_: Round) -> bool:
    """Whether every fill is a distribution, which fits any shape."""
    return all(
        not isinstance(fill, list) and not (isinstance(fill, dict) and "values" in fill)
        for fill in round_.fills.values()
    )


def _simpler_values(case: Case, problem: Problem) -> Iterator[Case]:
    for tensor in problem.tensors:
        for value in (0, 1):
            plain = case.inputs[tensor.name].copy()
            one = np.uint16(0x3F80) if tensor.dtype == "bf16" else 1
            plain[...] = one if value else 0
            yield replace(case, inputs={**case.inputs, tensor.name: plain})


def _fewer_values(rig: Rig, tried: Attempt, budget: _Budget) -> Attempt:
    """Zero half, a quarter, ... of each input, where it is small enough to be read by a person."""
    for tensor in rig.problem.tensors:
        size = tried.case.inputs[tensor.name].size
        step = size // 2 if size <= SHOWN else 0
        while step and budget.left > 0:
            for start in range(0, size, step):
                part = tried.case.inputs[tensor.name].copy()
                part.reshape(-1)[start : start + step] = 0
                if budget.left <= 0 or np.array_equal(part, tried.case.inputs[tensor.name]):
                    continue
                again = _fails(
                    rig, replace(tried.case, inputs={**tried.case.inputs, tensor.name: part}), tried.setup, budget
                )
                tried = again or tried
            step //= 2
    return tried


def report(round_: Round, tried: Attempt, problem: Problem, replay: str) -> dict[str, Any]:
    """The failing input as plain data for the evidence; arrays of more than SHOWN elements are told by their seed."""
    found: dict[str, Any] = {
        "round": round_.name, "axes": dict(tried.case.axes), "scalars": dict(tried.case.scalars),
        "symptom": tried.worst,
        "seed": round_.seed, "replay": replay,
    }  # fmt: skip
    found["inputs"] = {
        tensor.name: listed(tried.case.inputs[tensor.name], tensor.dtype, str(round_.fills.get(tensor.name, "normal")))
        for tensor in problem.tensors
    }
    for name, judged in tried.judged.items():
        if not judged.ok:
            index = tuple(int(i) for i in np.argwhere(judged.wrong)[0])
            found["wrong"] = {
                "result": name, "index": list(index), "count": int(judged.wrong.sum()),
                "got": plain(judged.got[index]), "expected": plain(judged.exact[index]),
                "bound": plain(judged.bound[index]),
            }  # fmt: skip
            break
    return found


def listed(values: Array, dtype: str, fill: str) -> Any:
    if values.size > SHOWN:
        return f"{values.size} elements, {fill} of the seed"
    return _nested(to_f64(values, dtype).tolist())


def _nested(value: Any) -> Any:
    return [_nested(v) for v in value] if isinstance(value, list) else plain(value)


def plain(value: Any) -> Any:
    """A number that JSON has; NaN and infinities as text."""
    number = float(value)
    if not np.isfinite(number):
        return str(number)
    return int(number) if number == int(number) and abs(number) < 2**53 else number
