"""Sweeps on a recorded sweep: budgets, failures, ties, the order of reports; and spaces that cannot be searched."""

from __future__ import annotations

import random

import pytest
from recorded import BEST, SPACE, record, searched
from spak.errors import SpakError
from spak.lang.expr import parse_expr
from spak.optimize.choose import choose
from spak.optimize.runners.simulated import Simulated
from spak.optimize.space import Space
from spak.optimize.strategies import find
from spak.optimize.sweep import Budget, sweep
from spak.optimize.trial import Trial
from spak.semantics.program import Parameter


def test_the_budget_of_trials_ends_it() -> None:
    swept = searched("cartesian", trials=7)
    assert len(swept.trials) == 7
    assert swept.ended == "the budget of 7 trials is used up"


def test_the_budget_of_seconds_counts_what_trials_cost_when_they_were_made() -> None:
    swept = searched("cartesian", seconds=6.0)
    assert [one.seconds for one in swept.trials] == [1.0, 1.0, 2.0, 1.0, 1.0]
    assert swept.ended == "the budget of 6 s is used up"


def test_failures_are_data() -> None:
    swept = searched("cartesian")
    assert swept.count("failed") == sum(one.config["KIND"] == "broken" for one in swept.trials) > 0
    assert all(one.why for one in swept.trials if one.state == "failed")


def test_trials_are_reported_as_they_end() -> None:
    seen: list[int] = []
    sweep(SPACE, find("random"), Simulated(record()), budget=Budget(5), report=lambda trial: seen.append(trial.number))
    assert seen == [1, 2, 3, 4, 5]


def test_nothing_measured_has_no_winner() -> None:
    space = Space((*SPACE.parameters[:2], Parameter("KIND", ("broken",))))
    swept = sweep(space, find("cartesian"), Simulated(record()))
    assert (swept.best, swept.tied) == (None, ())


def test_minimising_turns_it_round() -> None:
    swept = sweep(SPACE, find("cartesian"), Simulated(record()), objective="minimize")
    assert swept.best is not None
    assert swept.best.value == min(one.value for one in swept.trials if one.value is not None)


def tied(name: int, shift: float = 0.0) -> Trial:
    samples = tuple(50.0 + shift + 0.1 * ((i * 7) % 5 - 2) for i in range(9))
    return Trial({"X": name}, "measured", sorted(samples)[4], samples)


def test_among_tied_trials_the_order_of_trying_decides_nothing() -> None:
    """The values differ in the last digits, and shuffling changes which came first: the winner is the same."""
    trials = [tied(name, 0.001 * name) for name in range(6)] + [tied(99, -8.0)]
    winners = []
    for seed in range(12):
        random.Random(seed).shuffle(trials)
        best, equal = choose(trials, "maximize")
        assert best is not None
        winners.append(best.config)
        assert {one.config["X"] for one in equal} == {0, 1, 2, 3, 4, 5}
    assert all(one == winners[0] for one in winners)


def test_what_is_in_force_stays_while_it_is_tied_and_only_then() -> None:
    trials = [tied(name, 0.001 * name) for name in range(6)]
    for name in range(6):
        best, _ = choose(trials, "maximize", {"X": name})
        assert best is not None
        assert best.config == {"X": name}
    better = [*trials, tied(7, 5.0)]
    best, equal = choose(better, "maximize", {"X": 3})
    assert best is not None
    assert (best.config, len(equal)) == ({"X": 7}, 1)


def test_fewer_registers_then_less_shared_memory() -> None:
    trials = [
        Trial({"X": i}, "measured", 50.0, tied(0).samples, {"registers": r, "shared_bytes": s})
        for i, (r, s) in enumerate([(96, 0), (64, 4096), (64, 1024), (128, 0)])
    ]
    best, _ = choose(trials, "maximize")
    assert best is not None
    assert best.config == {"X": 2}


def test_noisy_trials_win_nothing() -> None:
    best, _ = choose([Trial({"X": 1}, "noisy", 99.0, (99.0,)), Trial({"X": 2}, "measured", 1.0, (1.0,))], "maximize")
    assert best is not None
    assert best.config == {"X": 2}


@pytest.mark.parametrize(
    ("space", "code"),
    [
        (Space(()), "SPK650"),
        (Space((Parameter("A", ()),)), "SPK650"),
        (Space((Parameter("A", (1, 1)),)), "SPK650"),
        (Space((Parameter("A", (1, 2)),), (parse_expr("A > 2"),)), "SPK650"),
        (Space((Parameter("A", (1, 2)),), (parse_expr("A > B"),)), "SPK651"),
    ],
)
def test_what_cannot_be_searched(space: Space, code: str) -> None:
    with pytest.raises(SpakError, match=code):
        space.require()


def test_the_number_of_a_configuration() -> None:
    space = Space((Parameter("A", (1, 2)), Parameter("B", ("x", "y", "z"))))
    assert [space.at(i) for i in range(space.size)] == list(space.every())


def test_the_best_of_the_record_is_found() -> None:
    best = searched("cartesian").best
    assert best is not None
    assert best.config == BEST
