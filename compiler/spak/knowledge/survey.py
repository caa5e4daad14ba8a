"""What a body of knowledge says of a whole run: every fact on every trace, rules that fired or why not, invariants. Knows not
where the run lies, nor how this is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.knowledge.columns import FALSE, TRUE, UNKNOWN_CODE, FactColumn, evaluate_all
from spak.knowledge.firing import RuleColumn, fire_all
from spak.knowledge.grounding import Grounding
from spak.knowledge.rules import Look
from spak.knowledge.table import Table
from spak.knowledge.values import FactValue, InvariantValue, plain
from spak.lang.expr import print_expr
from spak.semantics.program import Fact, Program, Rule, Scope

PROSE = "its condition is prose: it is for readers, and never fires by itself"


@dataclass
class Survey:
    """The knowledge of `program` on the traces of one run. Values are computed when they are asked for."""

    program: Program
    table: Table
    constants: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    outside: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, FactColumn] = field(default_factory=dict, init=False)
    rules: dict[str, RuleColumn] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.facts = evaluate_all(self.program.facts.values(), self.table, self.constants, self.target)
        self.rules = fire_all(self.program.rules, self.facts, self.table, self.constants, self.target)

    def values(self, name: str, most: int = 0) -> list[FactValue]:
        """A fact's values with their numbers, in order; with `most`, only the latest of them."""
        column = self.facts[name]
        first = max(0, len(column.rows) - most) if most else 0
        return [column.at(i, self.table, self.constants, self.target) for i in range(first, len(column.rows))]

    def counts(self, name: str) -> dict[str, int]:
        """How often a fact is true, false and unknown."""
        values = self.facts[name].values
        codes = {"true": TRUE, "false": FALSE, "unknown": UNKNOWN_CODE}
        return {word: int((values == code).sum()) for word, code in codes.items()}

    def fired(self, name: str) -> list[Look]:
        """The looks at which a rule fired."""
        return [self._look(name, int(i)) for i in self.rules[name].fired.nonzero()[0]]

    def last(self, name: str) -> Look:
        """The last look at a rule: whether it stands, and if not why."""
        column = self.rules[name]
        if column.rule.when is None:
            return Look(name, None, PROSE)
        if not len(column.rows):
            return Look(name, None, "none of its facts got a value: there is no trace of what they look at")
        return self._look(name, len(column.rows) - 1)

    def _look(self, name: str, index: int) -> Look:
        return self.rules[name].at(index, self.facts, self.table, self.constants, self.target)

    def invariants(self) -> list[InvariantValue]:
        """Every invariant on the latest traces."""
        grounding = Grounding(self.program, self.constants, self.target, self.outside)
        latest: dict[str, list[int]] = {}
        for row, case in enumerate(self.table.cases):
            latest.setdefault(case, []).append(row)
        rows = sorted(row for each in latest.values() for row in each[-2:])  # more than two no fact looks at
        for row in rows:
            grounding.arrive(self.table.item(row))
        grounding.traces = len(self.table)
        return grounding.check()

    def to_json(self, only: str = "") -> dict[str, Any]:
        """All of it as data; with `only`, of one fact."""
        chosen = [fact for fact in self.program.facts.values() if only in ("", fact.name)]
        found: dict[str, Any] = {
            "target": self.target,
            "constants": plain(self.constants),
            "traces": len(self.table),
            "facts": [self._fact(fact) for fact in chosen],
        }
        if not only:
            found["rules"] = [self._rule(rule) for rule in self.program.rules]
            found["invariants"] = [_invariant(one) for one in self.invariants()]
        return found

    def _fact(self, fact: Fact) -> dict[str, Any]:
        return {
            "fact": fact.name,
            "params": [list(one) for one in fact.params],
            "condition": print_expr(fact.body) if fact.body is not None else "",
            "description": fact.description,
            "noted": plain(fact.noted),
            "scope": scope_words(fact.scope),
            "domain": fact.domain,
            "evidence": list(fact.evidence),
            **self.counts(fact.name),
            "values": [_without_name(one.data()) for one in self.values(fact.name)],
        }

    def _rule(self, rule: Rule) -> dict[str, Any]:
        last = self.last(rule.name)
        return {
            "rule": rule.name,
            "kind": rule.kind,
            "when": print_expr(rule.when) if rule.when is not None else "",
            "prose": list(rule.prose),
            "apply": list(rule.apply),
            "recommend": [[one.name, one.op, plain(one.value)] for one in rule.recommend],
            "scope": scope_words(rule.scope),
            "domain": rule.domain,
            "fired": [{"on": list(f.on), "facts": dict(f.facts)} for one in self.fired(rule.name) if (f := one.fired)],
            "stands": last.fired is not None,
            "why": last.why,
        }


def _without_name(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "fact"}


def _invariant(one: InvariantValue) -> dict[str, Any]:
    return {**one.data(), "status": one.status, "check": one.check, "statement": one.statement}


def scope_words(scope: Scope) -> str:
    """A scope as people say it; '' where there is none."""
    parts = [f"on {scope.target}"] if scope.target else []
    parts += [f"where {' and '.join(map(print_expr, scope.shapes))}"] if scope.shapes else []
    parts += [f"found on {scope.samples} samples"] if scope.samples else []
    parts += [f"as of {scope.date}"] if scope.date else []
    return ", ".join(parts)
