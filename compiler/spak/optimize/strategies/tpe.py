"""Optuna's tree-structured Parzen estimator, asked and told in memory. Nothing else imports Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spak.optimize.space import Config, Space
    from spak.optimize.strategies import Objective, Search

NEEDS = ("optuna", "tune")
#: Proposals in a row that were tried before, or that constraints exclude, after which the rest is drawn at random.
STALE = 50


def search(space: Space, seed: int, batch: int, better: Objective) -> Search:
    """Models what is good and proposes more of it; goes on at random where it only repeats itself."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(
        seed=seed, n_startup_trials=min(10, max(4, space.size // 8)), constant_liar=True
    )
    study = optuna.create_study(direction=better, sampler=sampler)
    values = {one.name: one.values for one in space.parameters}
    spread: dict[str, optuna.distributions.BaseDistribution] = {
        name: optuna.distributions.CategoricalDistribution(range(len(each))) for name, each in values.items()
    }
    tried: dict[str, float | None] = {}
    rest = _rest(space, seed)
    while True:
        asked = _ask(study, spread, values, space, tried, batch)
        if not asked:
            asked = [(None, config) for config in rest if _name(config) not in tried][:batch]
        if not asked:
            return
        trials = yield [config for _, config in asked]
        for (ours, config), trial in zip(asked, trials, strict=True):
            tried[_name(config)] = trial.score if trial.ok else None
            if ours is None:
                if trial.ok:  # what was drawn at random teaches as well
                    index = {name: values[name].index(value) for name, value in config.items()}
                    study.add_trial(optuna.trial.create_trial(params=index, distributions=spread, value=trial.score))
            elif trial.ok:
                study.tell(ours, trial.score)
            else:
                study.tell(ours, state=optuna.trial.TrialState.FAIL)


def _ask(
    study: Any, spread: dict[str, Any], values: dict[str, Any], space: Space, tried: dict[str, float | None], batch: int
) -> list[tuple[Any, Config]]:
    """New configurations that the constraints admit; a repeated one is answered from memory at once."""
    import optuna

    found: list[tuple[Any, Config]] = []
    stale = 0
    while len(found) < batch and stale < STALE:
        ours = study.ask(fixed_distributions=spread)
        config = {name: values[name][index] for name, index in ours.params.items()}
        config = {one.name: config[one.name] for one in space.parameters}
        name = _name(config)
        if any(name == _name(other) for _, other in found) or not space.admits(config) or tried.get(name, 0.0) is None:
            study.tell(ours, state=optuna.trial.TrialState.FAIL)
            stale += 1
        elif name in tried:
            study.tell(ours, tried[name])
            stale += 1
        else:
            found.append((ours, config))
            stale = 0
    return found


def _rest(space: Space, seed: int) -> list[Config]:
    """What to go through when the model has nothing new: the first part of the space at random."""
    from spak.optimize.strategies.random import search as at_random

    found: list[Config] = []
    for chunk in at_random(space, seed, 256, "maximize"):
        found += chunk
        if len(found) >= 10_000:
            break
    return found


def _name(config: Config) -> str:
    return repr(sorted(config.items()))
