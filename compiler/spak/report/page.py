"""What a report says, before it has a format: titles, tables, charts and sentences. Knows neither HTML nor Markdown.

Everything is bounded here, so that a trace of any length makes a page that can be read, and says what it leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spak.report import grounds
from spak.report.figures import MISSING, count, cut, show
from spak.report.heatmap import HeatMap, heat_maps, metric_of, minimizes
from spak.report.ladder import Ladder, ladders
from spak.report.roofline import Roofline, roofline
from spak.report.view import Recorded, RunView, Sample, Trial, view
from spak.traces.event import Event

MOST_ROWS = 200
MOST_COLUMNS = 16
MOST_CHARTS = 12
MOST_RUNS = 20
MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text; `left_out` is the number of rows that are not shown."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class RunPage:
    """One run's part of the report."""

    id: str
    sentences: tuple[str, ...]
    ladders: tuple[Ladder, ...]
    roofline: Roofline | None
    heat_maps: tuple[HeatMap, ...]
    fact_sentences: tuple[str, ...]
    facts: Table
    rules: tuple[grounds.RuleRow, ...]
    rules_left_out: int
    invariants: Table
    environments: Table
    metrics: Table
    steps: Table
    traces: tuple[Table, ...]
    trials: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    overview: Table
    runs: tuple[RunPage, ...]
    left_out: int


def page(runs: Sequence[Recorded], title: str = "") -> Page:
    """The report of these runs, in the order given."""
    views = [view(recorded) for recorded in runs[:MOST_RUNS]]
    names = ", ".join(one.id for one in views)
    head = ("run", "program", "status", "success", "steps", "traces", "rules fired", "questions", "cost in US dollars")
    rows = [
        (
            show(one.id), show(one.program), one.status, show(one.success), show(len(one.steps)), show(len(one.samples)),
            show(len(one.rules)), show(one.queries), show(one.cost),
        )
        for one in views
    ]  # fmt: skip
    return Page(
        title or f"Report of {cut(names, 200) or 'no run'}",
        Table("Runs", head, tuple(rows), len(runs) - len(views)),
        tuple(_run_page(one) for one in views),
        len(runs) - len(views),
    )


def _run_page(run: RunView) -> RunPage:
    fired = grounds.rules(run)
    fact_rows = [(r.fact, r.value, r.on, r.numbers, r.why) for r in grounds.facts(run)]
    laws = [(r.name, r.value, r.numbers, r.why) for r in grounds.invariants(run)]
    return RunPage(
        id=cut(run.id, 80),
        sentences=_summary(run),
        ladders=tuple(ladders(run)[:MOST_CHARTS]),
        roofline=roofline(run),
        heat_maps=tuple(heat_maps(run)[:MOST_CHARTS]),
        fact_sentences=tuple(grounds.fact_sentences(run)[:MOST_ROWS]),
        facts=Table(
            "Facts and the numbers they stand on",
            ("fact", "value", "on", "numbers", "why"),
            tuple(fact_rows),
            len(run.facts) - len(fact_rows),
        ),
        rules=tuple(fired),
        rules_left_out=len(run.rules) - len(fired),
        invariants=table("Invariants", ("invariant", "value", "numbers", "why"), laws),
        environments=_environments(run),
        metrics=table("Metrics", ("metric", "value"), [(show(k), show(v)) for k, v in run.metrics.items()]),
        steps=table(
            "Steps",
            ("step", "title", "round", "status", "seconds", "exit code", "why"),
            [_step(one) for one in run.steps],
        ),
        traces=tuple(_traces(case, found) for case, found in list(run.of_case().items())[:MOST_CHARTS]),
        trials=tuple(_trials(name, found) for name, found in list(run.loops.items())[:MOST_CHARTS]),
    )


def _environments(run: RunView) -> Table:
    """The machines that the run's own measurements were made on: one, unless it was moved."""
    found = list({show(one.environment): one.environment for one in run.measured if one.environment}.values())
    names = sorted({name for one in found for name in one})
    head = ("what", *(f"environment {i + 1}" if len(found) > 1 else "value" for i in range(len(found[:MOST_COLUMNS]))))
    return table(
        "Measured on",
        head,
        [(show(name), *(show(one.get(name, "")) for one in found[:MOST_COLUMNS])) for name in names],
    )


def table(caption: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    """A table that is cut where it is long."""
    return Table(caption, head, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS))


def _summary(run: RunView) -> tuple[str, ...]:
    done = sum(one.data.get("status") == "done" for one in run.steps)
    failed = [one.step for one in run.steps if one.data.get("status") == "failed"]
    manual = [one.step for one in run.steps if one.data.get("status") == "manual"]
    what = f"`{cut(run.procedure, 80)}`" if run.procedure else "The run"
    said = [
        f"{what} {'has not ended' if run.status == 'unfinished' else cut(run.status, 40)}: {count(done, 'step')} done, "
        f"{len(failed)} failed, {count(len(run.samples), 'trace')}, {count(len(run.rules), 'rule')} fired."
    ]
    said += [f"{one}." for one in reasons(run.why)]
    if failed:
        said.append(f"Failed: {cut(', '.join(failed))}.")
    if manual:
        said.append(f"To be done by hand: {cut(', '.join(manual))}.")
    if run.queries:
        asked = "question was" if run.queries == 1 else "questions were"
        said.append(
            f"{run.queries} {asked} asked. Tokens in: {show(run.tokens_in)}; out: {show(run.tokens_out)}; "
            f"cost: {show(run.cost, 'US dollars' if run.cost is not None else '')}."
        )
    if not run.samples and not run.loops:
        said.append(f"Performance: {MISSING}.")
    return tuple(said)


def _step(event: Event) -> tuple[str, ...]:
    data = event.data
    code = show(event.exit_code) if event.exit_code is not None else ""
    seconds = show(event.duration) if event.duration is not None else ""
    why = "; ".join(reasons(data.get("why")))
    round_ = show(data["round"]) if data.get("round") else ""
    return (show(event.step), show(data.get("title") or ""), round_, show(data.get("status") or ""), seconds, code, why)


def reasons(why: object) -> list[str]:
    """Diagnostics of an event as lines: what is wrong, without the hint."""
    found = [one for one in why if isinstance(one, dict | str)] if isinstance(why, list) else []
    return [
        cut(one if isinstance(one, str) else f"{one.get('code', '')}: {one.get('message', '')}".removeprefix(": "), 200)
        for one in found[:MOST_REASONS]
    ]


def _traces(case: str, samples: list[Sample]) -> Table:
    names = list(dict.fromkeys(name for one in samples for name in one.fields))[:MOST_COLUMNS]
    rows = [
        (str(one.seq), show(one.step), *(show(one.fields.get(name)) for name in names)) for one in samples[:MOST_ROWS]
    ]
    head = ("trace", "step", *(show(name) for name in names))
    return Table(f"Traces of {cut(case, 80) or 'no case'}", head, tuple(rows), max(0, len(samples) - MOST_ROWS))


def _trials(loop: str, trials: list[Trial]) -> Table:
    params = list(dict.fromkeys(name for one in trials for name in one.params))[:MOST_COLUMNS]
    figures = list(dict.fromkeys(name for one in trials for name in one.metrics))[:MOST_COLUMNS]
    rows = [
        (
            str(one.seq),
            *(show(one.params.get(name)) if name in one.params else "" for name in params),
            show(one.status or ""),
            cut(one.why),
            *(show(one.metrics.get(name)) for name in figures),
            "yes" if one.cached else "no",
        )
        for one in trials[:MOST_ROWS]
    ]
    aim = (
        f", to {'minimize' if minimizes(trials, metric_of(trials)) else 'maximize'} {metric_of(trials)}"
        if figures
        else ""
    )
    head = ("trace", *map(show, params), "status", "why", *map(show, figures), "cached")
    return Table(f"Trials of {cut(loop, 80)}{cut(aim, 120)}", head, tuple(rows), max(0, len(trials) - MOST_ROWS))
