"""Invariants against traces, states and metrics. Knows nothing of what a failed one stops.

One without a `check`, or whose check cannot be computed, is UNCHECKED: that is never passed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from spak.errors import Diagnostic
from spak.knowledge.judging import names_in, numbers_of, unknown
from spak.knowledge.values import InvariantValue, figures
from spak.lang.expr import evaluate, names, print_expr
from spak.semantics.program import Invariant, Program


def value_of(invariant: Invariant, view: Mapping[str, Any], on: tuple[int, ...] = ()) -> InvariantValue:
    """The value of an invariant; `view` is what its check may read."""
    about: dict[str, Any] = {"statement": invariant.statement, "span": invariant.span}
    if invariant.check is None:
        return InvariantValue(invariant.name, None, why="it has no check that can be executed", **about)
    env = {**view.get("fact", {}), **view}
    text, numbers = print_expr(invariant.check), numbers_of(names_in(invariant.check), env)
    value = evaluate(invariant.check, env)
    if isinstance(value, bool):
        return InvariantValue(invariant.name, value, numbers, on, check=text, **about)
    return InvariantValue(invariant.name, None, numbers, on, unknown(value, numbers), check=text, **about)


def touched(
    program: Program, case: str, facts: Collection[str], view: Callable[[], Mapping[str, Any]]
) -> list[InvariantValue]:
    """The invariants whose check reads the latest trace of a case, or one of some facts, in the order of the file."""
    due = [
        one
        for one in program.invariants
        if one.check is not None and any(_reads(name, case, facts) for name in names(one.check))
    ]
    seen = view() if due else {}
    return [value_of(one, seen) for one in due]


def _reads(name: str, case: str, facts: Collection[str]) -> bool:
    root, _, rest = name.partition(".")
    if root != "trace":
        return name.removeprefix("fact.") in facts
    rest = rest.removeprefix("last.") + "."
    return rest.startswith((f"{case}.", f"{case.rsplit('.', 1)[-1]}."))


def gate(values: Iterable[InvariantValue]) -> list[Diagnostic]:
    """One error for each invariant that failed, at its place."""
    found = []
    for one in values:
        if one.value is False:
            what = (
                f"the invariant {one.invariant} does not hold: {one.check} with {figures(one.numbers) or 'no numbers'}"
            )
            hint = f"it says: {one.statement.strip()}" if one.statement.strip() else "see the trace that broke it"
            found.append(Diagnostic("SPK279", what, one.span if one.span.file else None, hint))
    return found
