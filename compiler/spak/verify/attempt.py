"""One case tried on the candidate, and everything that is wrong with what came out. Names symptoms, not causes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from spak.verify.arena import bits, nearly, unwritten
from spak.verify.figures import Judged, judge, plain_is_exact
from spak.verify.rig import FORWARD, HERE, Case, Expected, Place, Ran, Rig

REVERSE = {"SPAK_SIM_ORDER": "reverse", "SPAK_SIM_SEED": "0", "SPAK_SIM_COMPLETION": "lazy"}
SHUFFLED = tuple(
    {"SPAK_SIM_ORDER": "random", "SPAK_SIM_SEED": str(seed), "SPAK_SIM_COMPLETION": "random"} for seed in (1, 2)
)

#: Symptoms, the ones that explain the others first.
ORDER = (
    "load",
    "raised",
    "crashed",
    "hung",
    "redzone",
    "input",
    "unwritten",
    "schedule",
    "repeat",
    "value",
    "moved",
    "stale",
)

_AMONG = 1040  # bytes of red zone on either side, at least, of an array that abuts no guard page


@dataclass(frozen=True, slots=True)
class Setup:
    """How a case is tried: places, schedules (of the simulator; one entry a run), whether at other
    addresses too.
    """

    at: Place = HERE
    schedules: tuple[Mapping[str, str], ...] = (FORWARD, FORWARD)
    moved: bool = False
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """`symptoms` is empty when all is well. `missing` marks elements that neither run wrote."""

    case: Case
    setup: Setup
    runs: tuple[Ran, ...]
    symptoms: tuple[str, ...] = ()
    judged: dict[str, Judged] = field(default_factory=dict)
    expected: dict[str, Expected] = field(default_factory=dict)
    missing: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    exact_held: bool = True

    @property
    def ok(self) -> bool:
        return not self.symptoms

    @property
    def worst(self) -> str:
        return min(self.symptoms, key=ORDER.index)


def attempt(rig: Rig, case: Case, setup: Setup) -> Attempt:
    """Run the candidate as often as the setup says, then ask the oracle, then compare. Raises SpakError for a bad
    reference.
    """
    runs: list[Ran] = []
    for number, schedule in enumerate(setup.schedules):
        runs.append(rig.run(case, at=setup.at, run=number, env=schedule))
        if runs[-1].failure:
            return Attempt(case, setup, tuple(runs), (runs[-1].failure,))
    if setup.moved:
        runs.append(rig.run(case, at=replace(setup.at, ends=not setup.at.ends), run=0, env=setup.schedules[0]))
        if runs[-1].failure:
            return Attempt(case, setup, tuple(runs), (runs[-1].failure,))
        # As in real use: away from any page's edge, and over an earlier result that is nearly right. Code that computes only
        # where it finds poison, or where its arrays lie as they do in a verification, is wrong here.
        left = {name: nearly(array) for name, array in runs[0].outputs.items()}
        runs.append(rig.run(case, at=replace(setup.at, margin=_AMONG), run=0, env=setup.schedules[0], stale=left))
        if runs[-1].failure:
            return Attempt(case, setup, tuple(runs), (runs[-1].failure,))
    return _compare(rig, case, setup, runs)


def _compare(rig: Rig, case: Case, setup: Setup, runs: list[Ran]) -> Attempt:
    unit = rig.problem.unit
    expected = rig.expect(case)
    symptoms = {"redzone" for run in runs if run.damage} | {"input" for run in runs if run.changed}
    held = not setup.exact or all(plain_is_exact(e) for e in expected.values())
    judged, missing = {}, {}
    for result in unit.signature.results:
        outputs = [run.outputs[result.name] for run in runs]
        same = outputs[: len(setup.schedules)]
        if len(same) > 1:
            missing[result.name] = unwritten(same[0], same[1], result.dtype)
            symptoms |= {"unwritten"} if missing[result.name].any() else set()
            symptoms |= _differences(rig, setup, same, missing[result.name])
        judged[result.name] = judge(
            result.name, outputs[0], result.dtype, expected[result.name], unit.tolerance, setup.exact and held
        )
        symptoms |= set() if judged[result.name].ok else {"value"}
        for number, other in enumerate(outputs[1:], 1):
            # What is the same bit for bit need not be judged again.
            if np.array_equal(bits(other), bits(outputs[0])):
                continue
            again = judge(result.name, other, result.dtype, expected[result.name], unit.tolerance, setup.exact and held)
            if not again.ok and judged[result.name].ok:
                judged[result.name] = again
                symptoms.add(("value", "moved", "stale")[max(0, number - len(setup.schedules) + 1)])
    ordered = tuple(sorted(symptoms, key=ORDER.index))
    return Attempt(case, setup, tuple(runs), ordered, judged, expected, missing, held)


def _differences(
    rig: Rig, setup: Setup, outputs: list[npt.NDArray[np.generic]], missing: npt.NDArray[np.bool_]
) -> set[str]:
    """Runs on the same input at the same place must be equal bit for bit, unless the spec says otherwise."""
    if not rig.problem.unit.deterministic:
        return set()
    first = bits(outputs[0])
    found = set()
    for schedule, output in zip(setup.schedules[1:], outputs[1:], strict=True):
        if ((bits(output) != first) & ~missing).any():
            found.add("repeat" if schedule == setup.schedules[0] else "schedule")
    return found
