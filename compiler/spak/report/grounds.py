"""What the traces proved: facts with their numbers, rules with what changed after them, invariants. Knows events, not pages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from spak.report.figures import MISSING, UNITS, count, cut, rounded, show
from spak.report.view import RunView, Sample, Trial, main_figure
from spak.traces.event import Event

MOST_ROWS = 200
MOST_CHANGES = 12

UNCHECKED = "UNCHECKED"

T = TypeVar("T", Event, Trial)


@dataclass(frozen=True, slots=True)
class FactRow:
    """One value of a fact. `value` is `held`, `did not hold` or `unknown`, with the reason where it is out of scope."""

    fact: str
    value: str
    on: str
    numbers: str
    why: str
    seq: int


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule that fired, why, what it says to do, and what came next."""

    rule: str
    kind: str
    seq: int
    because: str
    apply: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InvariantRow:
    name: str
    value: str
    numbers: str
    why: str


def facts(run: RunView) -> list[FactRow]:
    """The values that facts took, as many as are shown."""
    return [
        FactRow(
            fact=show(event.data.get("fact") or ""),
            value=_truth(event.data.get("value"), "held", "did not hold"),
            on=_traces(event.data.get("on")),
            numbers=numbers(event.data.get("numbers")),
            why=_why(event.data),
            seq=event.seq,
        )
        for event in run.facts[:MOST_ROWS]
    ]


def fact_sentences(run: RunView) -> list[str]:
    """One for each fact: on how many traces it held."""
    counts: dict[str, list[Any]] = {}
    for event in run.facts:
        counts.setdefault(show(event.data.get("fact") or ""), []).append(event.data.get("value"))
    said = []
    for name, values in counts.items():
        unknown = sum(value is not True and value is not False for value in values)
        tail = f"; on {unknown} it is unknown" if unknown else ""
        said.append(f"`{name}` held on {sum(v is True for v in values)} of {len(values)} evaluations{tail}.")
    return said


def rules(run: RunView) -> list[RuleRow]:
    """The firings, as many as are shown."""
    return [_rule(run, event) for event in run.rules[:MOST_ROWS]]


def _rule(run: RunView, event: Event) -> RuleRow:
    data = event.data
    because = [
        f"{cut(str(name), 80)} {_truth(value, 'held', 'did not hold')}"
        for name, value in list(_map(data.get("facts")).items())[:40]
    ]
    advice = [show(one) for one in _list(data.get("apply"))]
    advice += [" ".join(show(part) for part in one) for one in _list(data.get("recommend")) if isinstance(one, list)]
    on = _traces(data.get("on"))
    return RuleRow(
        rule=show(data.get("rule") or ""),
        kind=show(data.get("kind") or "rule"),
        seq=event.seq,
        because=", ".join([*because, *([f"on {on}"] if on else [])]),
        apply=tuple(advice[:MOST_CHANGES]),
        changed=_changes(run, event),
    )


def _changes(run: RunView, event: Event) -> tuple[str, ...]:
    """What is on record between a firing and the next measurement of the case it fired on, and that measurement."""
    on = {seq for seq in _list(event.data.get("on")) if isinstance(seq, int)}
    at = bisect_right(run.samples, event.seq, key=_seq)
    earlier = (_at(run.samples, seq) for seq in sorted(on, reverse=True)[:MOST_CHANGES])
    before = next((one for one in earlier if one is not None), None)
    after = next((one for one in islice(run.samples, at, None) if before is None or one.case == before.case), None)
    found = [_short(one) for one in islice(_between(run.sets, event, after), MOST_CHANGES)]
    for loop, trials in run.loops.items():
        if later := sum(1 for _ in _between(trials, event, after)):
            found.append(f"sweep `{cut(loop, 80)}`: {count(later, 'trial')}")
    if after is None:
        return (*found, f"what it led to: {MISSING}")
    return (*found, *_compared(before, after))


def _seq(one: Event | Sample | Trial) -> int:
    return one.seq


def _at(samples: list[Sample], seq: int) -> Sample | None:
    """The sample with a number; they are in the order of their numbers."""
    place = bisect_left(samples, seq, key=_seq)
    return samples[place] if place < len(samples) and samples[place].seq == seq else None


def _between(found: list[T], event: Event, after: Sample | None) -> Iterator[T]:
    """What came after an event and before a sample, or to the end."""
    start = bisect_right(found, event.seq, key=_seq)
    return islice(found, start, bisect_left(found, after.seq, key=_seq) if after is not None else None)


def _short(event: Event) -> str:
    return f"{cut(show(event.data.get('name') or ''), 80)} = {cut(show(event.data.get('value')), 120)}"


def _compared(before: Sample | None, after: Sample) -> list[str]:
    name = main_figure([one for one in (before, after) if one is not None])
    if before is None or not name:
        return [f"next trace: {after.seq} (`{cut(after.label, 80)}`)"]
    unit, one, other = UNITS[name], before.figure(name), after.figure(name)
    line = (
        f"{name}: {show(one, unit)} (trace {before.seq}, `{cut(before.label, 80)}`), "
        f"then {show(other, unit)} (trace {after.seq}, `{cut(after.label, 80)}`)"
    )
    if before.shape != after.shape or before.target != after.target:
        return [f"{line}; not compared, as the shape or target differs"]
    if one and other is not None:
        line += f": {rounded(other / one)} times"
    return [line]


def invariants(run: RunView) -> list[InvariantRow]:
    """The last value of each; one that nothing checks is UNCHECKED, never passed."""
    last: dict[str, Event] = {show(event.data.get("invariant") or ""): event for event in run.invariants}
    return [
        InvariantRow(
            name,
            _law(event.data.get("value")),
            numbers(event.data.get("numbers")),
            _why(event.data),
        )
        for name, event in last.items()
    ]


def _law(value: Any) -> str:
    return "holds" if value is True else "VIOLATED" if value is False else UNCHECKED


def _why(data: Mapping[str, Any]) -> str:
    scope, why = (one if isinstance(one := data.get(name), str) else "" for name in ("scope", "why"))
    return cut(f"out of scope: {scope}" if scope else why)


def numbers(value: Any) -> str:
    """`gflops = 12.9, PEAK_GFLOPS = 97.8`."""
    return ", ".join(f"{cut(str(name), 80)} = {cut(show(one), 120)}" for name, one in list(_map(value).items())[:40])


def _truth(value: Any, yes: str, no: str) -> str:
    return yes if value is True else no if value is False else "unknown"


def _traces(value: Any) -> str:
    seqs = [str(one) for one in _list(value) if isinstance(one, int | str)]
    if not seqs:
        return ""
    shown = ", ".join(cut(one, 80) for one in seqs[:MOST_CHANGES])
    more = f" and {len(seqs) - MOST_CHANGES} more" if len(seqs) > MOST_CHANGES else ""
    return f"trace {shown}{more}" if len(seqs) == 1 else f"traces {shown}{more}"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
