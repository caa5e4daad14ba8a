"""The heat map of a sweep: the best figure at each value of two parameters. Knows trials, not pages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spak.report.figures import MISSING, count, cut, number, show
from spak.report.view import RunView, Trial
from spak.traces.direction import lower_is_better

MOST_VALUES = 24  # rows or columns


@dataclass(frozen=True, slots=True)
class Cell:
    """`heat` runs from 0 for the worst to 1 for the best, None where there is no figure; `count` is of trials."""

    text: str
    heat: float | None
    count: int
    best: bool = False


@dataclass(frozen=True, slots=True)
class HeatMap:
    """One sweep. With one parameter there is one row, named ''."""

    loop: str
    metric: str
    objective: str
    across: str
    down: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    left_out: int
    sentences: tuple[str, ...]


def heat_maps(run: RunView) -> list[HeatMap]:
    """One for each engineering loop that ran."""
    return [_heat_map(name, trials) for name, trials in run.loops.items()]


def metric_of(trials: list[Trial]) -> str:
    """What the sweep is about: as its trials say, or else the first number that one of them has."""
    stated = next((one.metric for one in trials if one.metric), "")
    names = [name for one in trials for name, value in one.metrics.items() if number(value) is not None]
    return stated or next(iter(names), "")


def minimizes(trials: list[Trial], metric: str) -> bool:
    """Whether less is better: as the trials say, or else by the metric's name."""
    stated = next((one.objective for one in trials if one.objective), "")
    return stated == "minimize" if stated else lower_is_better(metric)


def _heat_map(loop: str, trials: list[Trial]) -> HeatMap:
    metric = metric_of(trials)
    lower = minimizes(trials, metric)
    values: dict[str, list[Any]] = {}
    for trial in trials:
        for name, value in trial.params.items():
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    axes = sorted(values, key=lambda name: -len(values[name]))[:2]
    across = axes[0] if axes else ""
    down = axes[1] if len(axes) > 1 and len(values[axes[1]]) > 1 else ""
    columns = _ordered(values.get(across, [None]))
    rows = _ordered(values[down]) if down else [None]
    cells: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        cells.setdefault((_key(trial.params.get(down)), _key(trial.params.get(across))), []).append(trial)
    figures = {key: _best(found, metric, lower) for key, found in cells.items()}
    known_figures = [value for value in figures.values() if value is not None]
    low, high = min(known_figures, default=0.0), max(known_figures, default=0.0)
    top = (low if lower else high) if known_figures else None

    def cell(row: Any, column: Any) -> Cell:
        key = (_key(row), _key(column))
        found, value = cells.get(key, []), figures.get(key)
        if value is None:
            return Cell(_failure(found) if found else MISSING, None, len(found))
        spread = high - low
        heat = (value - low) / spread if 0 < spread < math.inf else 1.0
        return Cell(show(value), 1 - heat if lower and spread > 0 else heat, len(found), value == top)

    shown_rows, shown_columns = rows[:MOST_VALUES], columns[:MOST_VALUES]
    return HeatMap(
        loop=loop,
        metric=cut(metric, 80),
        objective="minimize" if lower else "maximize",
        across=cut(across, 80),
        down=cut(down, 80),
        columns=tuple(show(value) if value is not None else "" for value in shown_columns),
        rows=tuple(
            (show(row) if row is not None else "", tuple(cell(row, column) for column in shown_columns))
            for row in shown_rows
        ),
        left_out=len(rows) * len(columns) - len(shown_rows) * len(shown_columns),
        sentences=_sentences(trials, metric, lower),
    )


def _ordered(values: list[Any]) -> list[Any]:
    """Numbers by size, all else in the order of the trace."""
    return sorted(values, key=lambda v: number(v) or 0.0) if all(number(v) is not None for v in values) else values


def _key(value: Any) -> str:
    return show(value) if value is not None else ""


def _best(trials: list[Trial], metric: str, lower: bool) -> float | None:
    found = [value for one in trials if (value := number(one.metrics.get(metric))) is not None and _ok(one)]
    return (min(found) if lower else max(found)) if found else None


def _ok(trial: Trial) -> bool:
    return trial.status in {"", "ok", "done", "passed", "measured"}


def _failure(trials: list[Trial]) -> str:
    failed = sorted({one.status for one in trials if not _ok(one)})
    return show(", ".join(failed)) if failed else MISSING


def _sentences(trials: list[Trial], metric: str, lower: bool) -> tuple[str, ...]:
    cached = sum(one.cached for one in trials)
    states: dict[str, int] = {}
    for one in trials:
        state = "measured" if _ok(one) and number(one.metrics.get(metric)) is not None else cut(one.status, 40)
        states[state or "without a figure"] = states.get(state or "without a figure", 0) + 1
    counted = ", ".join(f"{many} {state}" for state, many in sorted(states.items()))
    found = [f"{count(len(trials), 'trial')}: {counted}; {cached} taken from the cache of earlier measurements."]
    measured = [one for one in trials if _ok(one) and number(one.metrics.get(metric)) is not None]
    if not metric or not measured:
        return (*found, f"Best configuration: {MISSING}.")
    best = (min if lower else max)(measured, key=lambda one: number(one.metrics[metric]) or 0.0)
    params = ", ".join(f"{cut(name, 80)} = {show(value)}" for name, value in best.params.items())
    word = "least" if lower else "greatest"
    found.append(
        f"The {word} {cut(metric, 80)} is {show(best.metrics[metric])}, with {params or 'no parameters'} (trace {best.seq})."
    )
    return tuple(found)
