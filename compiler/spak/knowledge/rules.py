"""One rule or hint against the facts as they are. Knows nothing of when rules are looked at, nor of what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.knowledge.item import Item
from spak.knowledge.scope import outside
from spak.knowledge.values import FactValue, Fired
from spak.lang.expr import UNKNOWN, evaluate, names
from spak.semantics.program import Rule


@dataclass(frozen=True, slots=True)
class Look:
    """What became of a rule when it was looked at: it fired, or why it did not."""

    rule: str
    fired: Fired | None = None
    why: str = ""
    facts: Mapping[str, bool | None] = field(default_factory=dict)


def look(
    rule: Rule, facts: Mapping[str, FactValue], constants: Mapping[str, Any], item: Item, target: str = ""
) -> Look:
    """Fire a rule if its condition is true. An unknown condition never fires, nor does a rule out of its scope."""
    if rule.when is None:
        return Look(rule.name, None, "its condition is prose: it is for readers, and never fires by itself")
    named = sorted({name.removeprefix("fact.") for name in names(rule.when)} - set(constants))
    known = {name: facts[name].value if name in facts else None for name in named}
    if why := outside(rule.scope, item, target):
        return Look(rule.name, None, f"out of scope: {why}", known)
    three = {name: UNKNOWN if value is None else value for name, value in known.items()}
    value = evaluate(rule.when, {**constants, **three, "fact": three})
    if value is not True:
        return Look(rule.name, None, why_not(value, known, facts), known)
    on = sorted({seq for name in named if name in facts for seq in facts[name].on})
    recommend = [(one.name, one.op, one.value) for one in rule.recommend]
    recommend += [(one.name, "in", list(one.values)) for one in rule.parameters]
    return Look(
        rule.name, Fired(rule.name, rule.kind, tuple(on), known, rule.apply, rule.effect, tuple(recommend)), "", known
    )


def why_not(value: Any, known: Mapping[str, bool | None], facts: Mapping[str, FactValue]) -> str:
    """Why a condition did not fire, from the values of its facts."""
    words = {True: "true", False: "false", None: "unknown"}
    says = ", ".join(f"{name} is {words[one]}" for name, one in known.items()) or "it names no fact"
    if value is False:
        return f"its condition is false: {says}"
    blind = [f"{name}: {reason(facts.get(name))}" for name, one in known.items() if one is None]
    return f"its condition is unknown: {'; '.join(blind) or says}"


def reason(value: FactValue | None) -> str:
    """Why a fact is unknown."""
    if value is None:
        return "no trace gave it a value"
    return f"out of scope: {value.scope}" if value.scope else value.why
