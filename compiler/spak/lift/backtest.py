"""Knowledge tested on the traces it was drawn from. Knows traces and facts, not who wrote them.

A fact must be true on every trace that it cites. A rule must cite traces from before and after it was followed: its condition
holds on the first, and the last is a later one of the same run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spak.knowledge.columns import FactColumn, evaluate_all
from spak.knowledge.item import Item
from spak.knowledge.values import figures
from spak.lang.expr import UNKNOWN, evaluate, names
from spak.lift.material import Material, RunTraces
from spak.semantics.program import Fact, Program, Rule

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a fact or rule. `reasons` say why it is refused; none means that it stands.

    `cited` are the traces it stands on, by full reference. For facts: on how many traces of its case it was evaluated, and
    on which it is false. For rules: `change` says what its traces show.
    """

    kind: str
    name: str
    reasons: tuple[str, ...] = ()
    cited: tuple[str, ...] = ()
    true: int = 0
    false_on: tuple[str, ...] = ()
    unknown: int = 0
    change: str = ""
    tested: bool = True

    @property
    def ok(self) -> bool:
        return not self.reasons

    @property
    def title(self) -> str:
        """`fact is_slow`, `rule "Block for reuse"`."""
        return f"fact {self.name}" if self.kind == "fact" else f'{self.kind} "{self.name}"'

    def line(self) -> str:
        """One line of the table, without line breaks whatever it is made of."""
        if not self.ok:
            return _flat(f"{self.title}: DROPPED, {'; '.join(self.reasons)}")
        if not self.tested:
            return _flat(f"{self.title}: UNCHECKED, nothing in it can be evaluated")
        if self.kind == "fact":
            false = f" ({_some(self.false_on)})" if self.false_on else ""
            return _flat(
                f"{self.title}: true on all {len(self.cited)} cited ({_some(self.cited)}); of its case's traces true on "
                f"{self.true}, false on {len(self.false_on)}{false}, unknown on {self.unknown}"
            )
        return _flat(f"{self.title}: cites {_some(self.cited)}; {self.change}")


def _flat(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _some(references: tuple[str, ...]) -> str:
    more = f" and {len(references) - MOST_SHOWN} more" if len(references) > MOST_SHOWN else ""
    return ", ".join(references[:MOST_SHOWN]) + more


@dataclass(frozen=True, slots=True)
class Tested:
    """A fact's values on every trace that gives it one: (run, number) -> True, False or None."""

    values: Mapping[tuple[str, int], bool | None]
    whys: Mapping[tuple[str, int], str]


def backtest(program: Program, material: Material) -> list[Verdict]:
    """Every fact, rule and hint of a domain, in the order of the file."""
    tested = {name: _evaluate(fact, material) for name, fact in program.facts.items() if fact.body is not None}
    facts = [_fact(fact, tested.get(name), material) for name, fact in program.facts.items()]
    return facts + [_rule(rule, tested, material) for rule in program.rules]


def _evaluate(fact: Fact, material: Material) -> Tested:
    values: dict[tuple[str, int], bool | None] = {}
    whys: dict[tuple[str, int], str] = {}
    for run in material.runs.values():
        column: FactColumn = evaluate_all([fact], run.items, run.constants, run.target)[fact.name]
        for index, row in enumerate(column.rows):
            key, code = (run.id, run.items[int(row)].seq), int(column.values[index])
            values[key] = None if code < 0 else bool(code)
    return Tested(values, whys)


def _fact(fact: Fact, tested: Tested | None, material: Material) -> Verdict:
    reasons, cited = _citations(fact.evidence, material)
    if tested is None:
        if not (fact.scope or cited):
            reasons.append(
                "it has no condition, and does not say where it was observed: add `evidence`, or `return ...`"
            )
        return Verdict("fact", fact.name, tuple(reasons), _references(cited), tested=False)
    cases = {case for _, case in fact.params}
    for run, item in cited:
        where = f"{run.id}#{item.seq}"
        if item.case not in cases:
            reasons.append(f"{where} is a trace of {item.case}, and the fact is about {', '.join(sorted(cases))}")
            continue
        value = tested.values.get((run.id, item.seq))
        if value is not True:
            reasons.append(f"on {where}, which it cites, it is {_why(fact, run, item, value)}")
    reasons += _scope_claims(fact, cited)
    if not cited and not reasons:
        return Verdict("fact", fact.name, tested=False)
    false = tuple(f"{run}#{seq}" for (run, seq), value in tested.values.items() if value is False)
    true = sum(value is True for value in tested.values.values())
    unknown = sum(value is None for value in tested.values.values())
    return Verdict("fact", fact.name, tuple(reasons), _references(cited), true, false, unknown)


def _why(fact: Fact, run: RunTraces, item: Item, value: bool | None) -> str:
    """`false (t.tflops = 3.1)`, or why it is unknown."""
    column = evaluate_all([fact], run.items, run.constants, run.target)[fact.name]
    from spak.knowledge.table import Table

    rows = [int(row) for row in column.rows]
    index = next((i for i, row in enumerate(rows) if run.items[row].seq == item.seq), None)
    if index is None:
        return "unknown: there is no earlier trace to compare it with"
    found = column.at(index, Table.of(run.items), run.constants, run.target)
    numbers = f" ({figures(found.numbers)})" if found.numbers else ""
    if value is False:
        return f"false{numbers}"
    return f"unknown: {f'out of scope, {found.scope}' if found.scope else found.why}{numbers}"


def _scope_claims(fact: Fact | Rule, cited: list[tuple[RunTraces, Item]]) -> list[str]:
    """What a scope says of its evidence must be so."""
    reasons = []
    if fact.scope.samples and cited and fact.scope.samples != len(cited):
        reasons.append(f"its scope says {fact.scope.samples} samples, and it cites {len(cited)} traces")
    dates = [day for run, item in cited if (day := run.date(item.seq))]
    if fact.scope.date and dates and fact.scope.date != max(dates):
        reasons.append(f"its scope says {fact.scope.date}, and its latest trace is of {max(dates)}")
    return reasons


def _rule(rule: Rule, tested: Mapping[str, Tested], material: Material) -> Verdict:
    reasons, cited = _citations(rule.evidence, material)
    reasons += _scope_claims(rule, cited)
    pairs = _pairs(cited)
    if cited and not pairs:
        reasons.append(
            "it cites no two traces of one run and case: one from before it was followed, and one from after"
        )
    if rule.when is not None and pairs:
        held = [(run, first, last) for run, first, last in pairs if _holds(rule, tested, run, first) is True]
        if not held:
            first = "; ".join(f"{run.id}#{one.seq}" for run, one, _ in pairs)
            reasons.append(f"its condition `{_when(rule)}` does not hold before it was followed, on {first}")
        pairs = held
    if not cited and not reasons:
        return Verdict(rule.kind, rule.name, tested=False)
    change = "; ".join(_change(run, first, last) for run, first, last in pairs)
    return Verdict(rule.kind, rule.name, tuple(reasons), _references(cited), change=change)


def _when(rule: Rule) -> str:
    from spak.lang.expr import print_expr

    return print_expr(rule.when) if rule.when is not None else ""


def _holds(rule: Rule, tested: Mapping[str, Tested], run: RunTraces, item: Item) -> Any:
    """The rule's condition when a trace had just arrived: each fact as it was last known in that run."""
    assert rule.when is not None
    known: dict[str, Any] = {}
    for name in names(rule.when):
        short = name.removeprefix("fact.")
        earlier = [
            value
            for (id, seq), value in (tested[short].values.items() if short in tested else ())
            if id == run.id and seq <= item.seq
        ]
        known[short] = UNKNOWN if not earlier or earlier[-1] is None else earlier[-1]
    return evaluate(rule.when, {**run.constants, **known, "fact": known})


def _pairs(cited: list[tuple[RunTraces, Item]]) -> list[tuple[RunTraces, Item, Item]]:
    """For each run and case with two cited traces: the first and the last of them."""
    groups: dict[tuple[str, str], list[tuple[RunTraces, Item]]] = {}
    for run, item in cited:
        groups.setdefault((run.id, item.case), []).append((run, item))
    ordered = [sorted(group, key=lambda one: one[1].seq) for group in groups.values()]
    return [(group[0][0], group[0][1], group[-1][1]) for group in ordered if group[0][1].seq < group[-1][1].seq]


def _change(run: RunTraces, first: Item, last: Item) -> str:
    """The figures of two traces that differ."""
    names_ = [name for name in first.fields if name in last.fields and first.fields[name] != last.fields[name]]
    parts = [f"{name} {_short(first.fields[name])} then {_short(last.fields[name])}" for name in names_[:6]]
    return f"{run.id}#{first.seq} to #{last.seq}: {', '.join(parts) or 'nothing changed'}"


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _citations(evidence: Iterable[str], material: Material) -> tuple[list[str], list[tuple[RunTraces, Item]]]:
    reasons, cited = [], []
    for reference in dict.fromkeys(evidence):
        found = material.cited(reference)
        if isinstance(found, str):
            reasons.append(found)
        else:
            cited.append(found)
    if not evidence and material.runs:
        reasons.append('it cites no trace: add `evidence: ["RUN#number"]`')
    return reasons, cited


def _references(cited: list[tuple[RunTraces, Item]]) -> tuple[str, ...]:
    return tuple(f"{run.id}#{item.seq}" for run, item in cited)
