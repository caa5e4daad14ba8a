"""Two ways a program went, held against each other: what is worse, and whether it may take the other's place. Knows traces, not
programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.traces.direction import lower_is_better
from spak.traces.event import Event


@dataclass(slots=True)
class Outcome:
    """What one run came to. `steps` and `laws` hold the worst that was seen of each; None is unknown."""

    run: str = ""
    status: str = "unfinished"
    success: bool | None = None
    steps: dict[str, str] = field(default_factory=dict)
    laws: dict[str, bool | None] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the comparison. `verdict`: better, same, worse, fails, gone, new, changed."""

    what: str
    name: str
    before: str
    after: str
    verdict: str

    @property
    def refuses(self) -> bool:
        return self.verdict in {"worse", "fails", "gone"}


WORST = ("done", "manual", "skipped", "failed")  # a step that is done once and fails once has failed


def outcome(events: Iterable[Event]) -> Outcome:
    """What a trace says of its run."""
    found = Outcome()
    for event in events:
        data = event.data
        found.run = found.run or event.run
        if event.kind == "step":
            known, status = found.steps.get(event.step, "done"), str(data.get("status"))
            found.steps[event.step] = max(known, status, key=lambda one: WORST.index(one) if one in WORST else 0)
        elif event.kind == "invariant":
            name, value = str(data.get("invariant")), data.get("value")
            kept = found.laws.get(name, value)
            found.laws[name] = False if kept is False or value is False else value
        elif event.kind == "metric":
            found.metrics[str(data.get("metric"))] = data.get("value")
        elif event.kind == "end":
            found.status = str(data.get("status") or "unfinished")
            found.success = data.get("success")
            metrics = data.get("metrics")
            found.metrics.update(metrics if isinstance(metrics, Mapping) else {})
    return found


def compare(before: Sequence[Outcome], after: Outcome) -> list[Row]:
    """How the new run stands against those of the program as it is. With several of them, a metric is not worse where it is
    within what they showed themselves: their spread is the noise.
    """
    rows = [_ran(before, after)]
    successes = [one.success for one in before]
    if any(one is not None for one in successes):
        rows.append(_truth("success", "", all(one is True for one in successes if one is not None), after.success))
    for name in _names(one.metrics for one in before):
        values = [one.metrics[name] for one in before if name in one.metrics]
        rows.append(_metric(name, values, after.metrics.get(name), name in after.metrics))
    rows += [
        Row("metric", name, "", _text(after.metrics[name]), "new")
        for name in after.metrics
        if not _in(name, before, "metrics")
    ]
    for name in _names(one.laws for one in before):
        values = [one.laws[name] for one in before if name in one.laws]
        if name in after.laws:
            rows.append(_truth("invariant", name, all(one is True for one in values), after.laws[name]))
        else:
            rows.append(Row("invariant", name, _text(values[-1]), "", "gone" if True in values else "same"))
    for name in _names(one.steps for one in before):
        passed = all(one.steps.get(name, "done") == "done" for one in before)
        now = after.steps.get(name, "")
        verdict = "same" if now == before[-1].steps.get(name) else "changed"
        if passed and now == "failed":
            verdict = "fails"
        elif not passed and now == "done":
            verdict = "better"
        rows.append(Row("step", name, before[-1].steps.get(name, ""), now, verdict))
    return rows


def _ran(before: Sequence[Outcome], after: Outcome) -> Row:
    then = before[-1].status
    if then == after.status:
        return Row("run", "", then, after.status, "same")
    return Row("run", "", then, after.status, "better" if after.status == "succeeded" else "fails")


def _names(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table))


def _in(name: str, outcomes: Sequence[Outcome], table: str) -> bool:
    return any(name in getattr(one, table) for one in outcomes)


def _truth(what: str, name: str, before: bool, after: Any) -> Row:
    if before and after is not True:
        return Row(what, name, "true", _text(after), "fails")
    return Row(what, name, _text(before), _text(after), "better" if after is True and not before else "same")


def _metric(name: str, values: list[Any], after: Any, there: bool) -> Row:
    shown = _text(values[-1]) if len(values) == 1 else f"{_text(values[-1])} of {len(values)} runs"
    if not there or (after is None and values[-1] is not None):
        return Row("metric", name, shown, "not measured", "gone")
    if all(isinstance(one, bool) for one in [*values, after]):
        return _truth("metric", name, all(values), after)
    if all(_number(one) for one in [*values, after]):
        lower = lower_is_better(name)
        worst, best = (max(values), min(values)) if lower else (min(values), max(values))
        worse = after > worst if lower else after < worst
        better = after < best if lower else after > best
        return Row("metric", name, shown, _text(after), "worse" if worse else "better" if better else "same")
    if after in values:
        return Row("metric", name, shown, _text(after), "same")
    kinds = {type(one) for one in values}
    return Row("metric", name, shown, _text(after), "changed" if type(after) in kinds else "worse")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    text = f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= 60 else flat[:57] + "..."


def table(rows: Sequence[Row]) -> list[str]:
    """The comparison as lines of text in columns."""
    cells = [("", "before", "after", ""), *((f"{r.what} {r.name}".strip(), r.before, r.after, r.verdict) for r in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    return ["  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]).rstrip() for row in cells]
