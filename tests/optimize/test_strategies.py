"""Strategies on a recorded sweep: what they propose, and that they find what is there."""

from __future__ import annotations

import sys

import pytest
from recorded import BEST, SPACE, record, searched
from spak.errors import SpakError
from spak.optimize.space import Space
from spak.optimize.strategies import find, known
from spak.semantics.loops import STRATEGIES
from spak.semantics.program import Parameter

ALL = ("cartesian", "random", "tpe")


def test_the_language_knows_the_strategies_that_there_are() -> None:
    assert known() == tuple(sorted(STRATEGIES)) == ALL


@pytest.mark.parametrize("strategy", ALL)
def test_every_configuration_is_tried_once_and_none_that_constraints_exclude(strategy: str) -> None:
    swept = searched(strategy)
    tried = [tuple(trial.config.items()) for trial in swept.trials]
    assert len(set(tried)) == len(tried)
    assert {tuple(one.items()) for one in SPACE.every()} == set(tried)
    assert swept.best is not None
    assert swept.best.config == BEST


@pytest.mark.parametrize("strategy", ALL)
def test_the_same_seed_searches_the_same(strategy: str) -> None:
    first, second = (searched(strategy, trials=14, seed=3) for _ in range(2))
    assert [one.config for one in first.trials] == [one.config for one in second.trials]


@pytest.mark.parametrize("strategy", ("random", "tpe"))
def test_another_seed_searches_otherwise(strategy: str) -> None:
    assert [one.config for one in searched(strategy, 8, seed=1).trials] != [
        one.config for one in searched(strategy, 8, seed=2).trials
    ]


def test_tpe_learns() -> None:
    """Over ten seeds it comes nearer to the top within 24 trials than drawing at random does."""

    def gap(strategy: str) -> float:
        found = [searched(strategy, 24, seed=seed).best for seed in range(10)]
        return sum(100.0 - (one.value or 0.0) for one in found if one is not None)

    assert gap("tpe") < gap("random")


def test_cartesian_goes_in_the_order_of_the_file() -> None:
    configs = [one.config for one in searched("cartesian", 4).trials]
    assert [(one["TILE"], one["UNROLL"], one["KIND"]) for one in configs] == [
        (8, 1, "flat"), (8, 1, "packed"), (8, 1, "broken"), (8, 2, "flat"),
    ]  # fmt: skip


def test_random_draws_from_a_space_that_cannot_be_listed() -> None:
    axes = tuple(Parameter(name, tuple(range(1000))) for name in "ABCD")
    search = find("random")(Space(axes), 7, 8, "maximize")
    first = next(search)
    second = search.send([])
    assert len({tuple(one.items()) for one in (*first, *second)}) == 16


def test_an_unknown_strategy_is_named_with_the_nearest() -> None:
    with pytest.raises(SpakError, match=r"SPK652.*did you mean 'random'"):
        find("randm")


def test_a_strategy_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)  # as where it is not installed
    with pytest.raises(
        SpakError, match=r"SPK659: the search strategy 'tpe' needs optuna. hint: pip install 'spak\[tune\]'"
    ):
        find("tpe")
    find("random")


def test_optuna_is_loaded_for_nothing_else() -> None:
    from subprocess import run

    code = (
        "import sys, spak.optimize.sweep, spak.cli.tune; "
        "from spak.pipeline.measuring import command_trials, sweeping; "
        "from spak.optimize.strategies import find; find('random'); find('cartesian'); sys.exit('optuna' in sys.modules)"
    )
    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_configuration_outside_of_the_record_fails() -> None:
    from spak.optimize.runners.simulated import Simulated

    trial = Simulated(record()).run({"TILE": 3, "UNROLL": 1, "KIND": "flat"})
    assert (trial.state, trial.value) == ("failed", None)
