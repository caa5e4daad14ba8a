"""Knowledge on the traces of one run: what holds, what fires, what is recommended, as each trace arrives. Knows neither who
emits traces nor what is done about what fires.

Everything happens in the order of the file: first the facts that the trace gives a new value, then the rules that name one
of them, then the invariants that look at it. Nothing else decides an order, so the same traces give the same events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.knowledge import invariants
from spak.knowledge.item import Item
from spak.knowledge.judging import cases_of, choose, judge, names_in
from spak.knowledge.rules import Look, look
from spak.knowledge.values import FactValue, Fired, InvariantValue
from spak.lang.expr import Name, names
from spak.semantics.program import Fact, Program, Recommendation, Rule

Found = FactValue | Fired | InvariantValue
KEPT = 16  # latest traces of a case: more than any fact has parameters


@dataclass
class Grounding:
    """The knowledge of a program, grounded in the traces so far.

    `constants` are the target's. `outside` is what invariants may read beside traces: states and `metrics`. It is read when
    an invariant is looked at, so whoever owns it may go on changing it.
    """

    program: Program
    constants: Mapping[str, Any] = field(default_factory=dict)
    target: str = ""
    outside: Mapping[str, Any] = field(default_factory=dict)
    facts: dict[str, FactValue] = field(default_factory=dict, init=False)
    fired: list[Fired] = field(default_factory=list, init=False)
    looks: dict[str, Look] = field(default_factory=dict, init=False)
    recommended: dict[str, Any] = field(default_factory=dict, init=False)
    traces: int = field(default=0, init=False)
    _latest: dict[str, list[Item]] = field(default_factory=dict, init=False)
    _facts_of: dict[str, list[Fact]] = field(default_factory=dict, init=False)
    _names_of: dict[str, frozenset[str]] = field(default_factory=dict, init=False)
    _named: dict[str, tuple[Name, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for fact in self.program.facts.values():
            self._named[fact.name] = names_in(fact.body) if fact.body is not None else ()
            for case in sorted(cases_of(fact)):
                self._facts_of.setdefault(case, []).append(fact)
        self._names_of = {rule.name: names(rule.when) for rule in self.program.rules if rule.when is not None}

    def arrive(self, item: Item) -> list[Found]:
        """Take a trace in, and say what it gives: values of facts, what fires, values of invariants, in this order."""
        self.traces += 1
        items = self._latest.setdefault(item.case, [])
        items.append(item)
        del items[:-KEPT]
        values = [self._judge(fact) for fact in self._due(item)]
        self.facts |= {value.fact: value for value in values}
        given = {value.fact for value in values}
        fired = [one for rule in self.program.rules if (one := self._look(rule, given, item)) is not None]
        checked = invariants.touched(self.program, item.case, given, self.view)
        return [*values, *fired, *checked]

    def _due(self, item: Item) -> list[Fact]:
        """The facts that a trace gives a value. Those over no trace at all are given theirs with the first one."""
        due = self._facts_of.get(item.case, [])
        if self.traces > 1:
            return due
        return [
            fact for fact in self.program.facts.values() if fact in due or (not fact.params and fact.body is not None)
        ]

    def _judge(self, fact: Fact) -> FactValue:
        return judge(fact, choose(fact, self._latest), self.constants, self.target, self._named[fact.name])

    def _look(self, rule: Rule, given: set[str], item: Item) -> Fired | None:
        named = self._names_of.get(rule.name, frozenset())
        if not any(name.removeprefix("fact.") in given for name in named):
            return None
        seen = look(rule, self.facts, self.constants, item, self.target)
        self.looks[rule.name] = seen
        if seen.fired is None:
            return None
        self.fired.append(seen.fired)
        self.recommended |= {name: value for name, op, value in seen.fired.recommend if op in {"=", "==", "in"}}
        return seen.fired

    @property
    def standing(self) -> list[Fired]:
        """What fired when it was last looked at: advice that the latest traces still bear out, in the order of the
        file.
        """
        looks = (self.looks.get(rule.name) for rule in self.program.rules)
        return [one.fired for one in looks if one is not None and one.fired is not None]

    def recommendations(self) -> list[Recommendation]:
        """What the standing rules recommend, for a sweep."""
        span = {rule.name: rule.span for rule in self.program.rules}
        return [Recommendation(*one, span=span[fired.rule]) for fired in self.standing for one in fired.recommend]

    def text(self) -> str:
        """The standing rules as text for a prompt; '' when there is none."""
        return "\n".join(one.text() for one in self.standing)

    def check(self) -> list[InvariantValue]:
        """Every invariant as it is now, those that nothing can check as well."""
        view = self.view()
        return [invariants.value_of(one, view) for one in self.program.invariants]

    def view(self) -> dict[str, Any]:
        """What expressions and templates may read of traces and knowledge, by root name."""
        latest: dict[str, Any] = {}
        for case in self.program.cases:
            if items := self._latest.get(case):
                _put(latest, case, items[-1].fields)
                if sum(one.rsplit(".", 1)[-1] == case.rsplit(".", 1)[-1] for one in self.program.cases) == 1:
                    latest.setdefault(case.rsplit(".", 1)[-1], items[-1].fields)
        return {
            **self.constants,
            **self.outside,
            "target": self.constants,
            "trace": {**latest, "last": latest},
            "traces": self.traces,
            "fact": {name: "unknown" if one.value is None else one.value for name, one in self.facts.items()},
            "recommended": self.recommended,
            "rules": self.text(),
        }


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    *folders, last = path.split(".")
    for part in folders:
        tree = tree.setdefault(part, {})
    tree[last] = value
