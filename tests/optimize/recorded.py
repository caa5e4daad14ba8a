"""A recorded sweep with a known optimum, and ways to search it. Knows no clock."""

from __future__ import annotations

import itertools

from spak.lang.expr import parse_expr
from spak.optimize.record import Record
from spak.optimize.runners.simulated import Simulated
from spak.optimize.space import Config, Space
from spak.optimize.strategies import find
from spak.optimize.sweep import Budget, Swept, sweep
from spak.optimize.trial import Trial
from spak.semantics.program import Parameter

TILES = (8, 16, 32, 64, 128, 256)
UNROLLS = (1, 2, 4, 8)
KINDS = ("flat", "packed", "broken")
SPACE = Space(
    (Parameter("TILE", TILES), Parameter("UNROLL", UNROLLS), Parameter("KIND", KINDS)),
    (parse_expr("TILE * UNROLL <= 1024"),),
)
BEST = {"TILE": 64, "UNROLL": 4, "KIND": "packed"}


def value(config: Config) -> float:
    """A hill with its top at `BEST`."""
    tile = TILES.index(int(config["TILE"])) - TILES.index(64)
    unroll = UNROLLS.index(int(config["UNROLL"])) - UNROLLS.index(4)
    return 100.0 - 9 * tile**2 - 5 * unroll**2 - (20 if config["KIND"] == "flat" else 0)


def made(config: Config) -> Trial:
    if config["KIND"] == "broken":
        return Trial(config, "failed", why="compile fails: no such kind", seconds=2.0)
    top = value(config)
    return Trial(config, "measured", top, (top - 0.2, top, top + 0.2), seconds=1.0)


def record(metric: str = "score") -> Record:
    configs = [
        dict(zip(("TILE", "UNROLL", "KIND"), one, strict=True)) for one in itertools.product(TILES, UNROLLS, KINDS)
    ]
    return Record({"name": "hill", "metric": metric, "objective": "maximize"}, tuple(made(one) for one in configs))


def searched(strategy: str, trials: int = 0, seconds: float = 0.0, seed: int = 0, space: Space = SPACE) -> Swept:
    return sweep(space, find(strategy), Simulated(record()), budget=Budget(trials, seconds), seed=seed)
