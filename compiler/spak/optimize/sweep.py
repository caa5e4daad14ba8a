"""A sweep: a strategy proposes, a runner carries out, a budget ends it. Knows neither kernels nor commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spak.optimize.choose import choose
from spak.optimize.runners import Runner
from spak.optimize.space import Config, Space
from spak.optimize.strategies import Objective, Strategy
from spak.optimize.trial import Trial

#: Configurations proposed at once. Fixed, so that what a strategy proposes does not depend on the machine.
BATCH = 4
#: Trials of a sweep without a budget.
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so many trials, or so many seconds; 0 is no limit. Seconds are what trials cost when they were made, so that a
    repeated sweep ends where the first one did.
    """

    trials: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Swept:
    """`tied` are the trials statistically as good as the best; `best` is one of them, None where nothing was measured."""

    trials: tuple[Trial, ...]
    best: Trial | None
    tied: tuple[Trial, ...]
    ended: str

    def count(self, state: str) -> int:
        return sum(one.state == state for one in self.trials)


def sweep(
    space: Space,
    strategy: Strategy,
    runner: Runner,
    *,
    objective: Objective = "maximize",
    budget: Budget = Budget(),
    seed: int = 0,
    default: Mapping[str, Any] | None = None,
    report: Callable[[Trial], None] = lambda trial: None,
) -> Swept:
    """Search to the end of the space or of the budget. Each trial is reported as it ends, in the order proposed."""
    most = budget.trials or MOST
    trials: list[Trial] = []
    search = strategy(space, seed, BATCH, objective)
    ended = "the strategy has no more to propose"
    told: list[Trial] | None = None
    spent = 0.0
    while True:
        if len(trials) >= most:
            ended = f"the budget of {most} trials is used up"
            break
        if budget.seconds and spent >= budget.seconds:
            ended = f"the budget of {budget.seconds:g} s is used up"
            break
        try:
            asked: list[Config] = next(search) if told is None else search.send(told)
        except StopIteration:
            break
        asked = asked[: most - len(trials)]
        runner.prepare(asked)
        told = []
        for config in asked:
            if budget.seconds and spent >= budget.seconds:
                break
            trial = replace(runner.run(config), number=len(trials) + 1)
            spent += trial.seconds
            trials.append(trial)
            told.append(trial)
            report(trial)
        if len(told) < len(asked):
            ended = f"the budget of {budget.seconds:g} s is used up"
            break
    search.close()
    best, tied = choose(trials, objective, default)
    return Swept(tuple(trials), best, tuple(tied), ended)
