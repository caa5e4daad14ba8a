"""One fact on one choice of traces. Knows neither runs nor the order in which traces come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spak.knowledge.item import Item
from spak.knowledge.scope import outside
from spak.knowledge.values import FactValue
from spak.lang.expr import UNKNOWN, Expr, Name, evaluate, names
from spak.semantics.program import Fact


def cases_of(fact: Fact) -> frozenset[str]:
    """The cases whose traces a fact looks at."""
    return frozenset(case for _, case in fact.params)


def choose(fact: Fact, latest: Mapping[str, Sequence[Item]]) -> tuple[Item | None, ...]:
    """The traces a fact looks at: the n-th parameter of a case takes its n-th latest trace. `latest` has the newest
    last.
    """
    chosen: list[Item | None] = []
    seen: dict[str, int] = {}
    for _, case in fact.params:
        seen[case] = seen.get(case, 0) + 1
        items = latest.get(case, ())
        chosen.append(items[-seen[case]] if len(items) >= seen[case] else None)
    return tuple(chosen)


def judge(
    fact: Fact,
    chosen: Sequence[Item | None],
    constants: Mapping[str, Any],
    target: str = "",
    named: Sequence[Name] | None = None,
) -> FactValue:
    """The value of a fact on traces, one for each parameter; unknown where one is missing or out of scope.

    `named` are the names in its condition (`names_in`), for who has them at hand.
    """
    on = tuple(item.seq for item in chosen if item is not None)
    if fact.body is None:
        return FactValue(fact.name, None, on, {}, "", "it is a recorded observation: there is nothing to evaluate")
    pairs = list(zip(fact.params, chosen, strict=True))
    for (_, case), item in pairs:
        if item is None:
            before = any(other is not None and other.case == case for other in chosen)
            why = f"there is no {'earlier ' if before else ''}trace of {case}"
            return FactValue(fact.name, None, on, {}, "", why)
    env = {**constants, **{name: item.fields for (name, _), item in pairs if item is not None}}
    numbers = numbers_of(names_in(fact.body) if named is None else named, env)
    for item in chosen:
        if item is not None and (why := outside(fact.scope, item, target)):
            return FactValue(fact.name, None, on, numbers, why)
    value = evaluate(fact.body, env)
    if isinstance(value, bool):
        return FactValue(fact.name, value, on, numbers)
    return FactValue(fact.name, None, on, numbers, "", unknown(value, numbers))


def names_in(expr: Expr) -> tuple[Name, ...]:
    """The names in an expression, sorted."""
    return tuple(Name(name) for name in sorted(names(expr)))


def numbers_of(named: Sequence[Name], env: Mapping[str, Any]) -> dict[str, Any]:
    """What names stand for; None for one that stands for nothing."""
    found = ((name.id, evaluate(name, env)) for name in named)
    return {name: None if value is UNKNOWN else value for name, value in found}


def unknown(value: Any, numbers: Mapping[str, Any]) -> str:
    """Why a condition is unknown, as far as it can be told."""
    if value is not UNKNOWN:
        return f"it comes out as {value!r}, which is neither true nor false"
    if missing := [name for name, one in numbers.items() if one is None]:
        return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there"
    return "it cannot be computed from these numbers: a division by zero, or a value that is no number"
