"""Every rule over the values of all facts at once, exactly as `Grounding` fires them trace by trace. Knows tables, not runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spak.knowledge.columns import TRUE, UNKNOWN_CODE, FactColumn, code, codes
from spak.knowledge.rules import Look, look
from spak.knowledge.scope import outside_of
from spak.knowledge.table import Table
from spak.knowledge.vector import Const, Fallback, Rows, compute
from spak.lang.expr import UNKNOWN, evaluate, names
from spak.semantics.program import Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Truths = NDArray[np.int8]

TRUTHS = {1: True, 0: False, -1: UNKNOWN}


@dataclass(frozen=True, slots=True)
class RuleColumn:
    """A rule's looks: at `rows` of the table, `fired` where it fired."""

    rule: Rule
    rows: Ints
    fired: NDArray[np.bool_]

    def at(
        self, index: int, facts: Mapping[str, FactColumn], table: Table, constants: Mapping[str, Any], target: str = ""
    ) -> Look:
        """The `index`-th look, with the values of the facts it stood on and what it said."""
        import numpy as np

        row = int(self.rows[index])
        known = {}
        for name in _facts_of(self.rule, facts):
            nth = int(np.searchsorted(facts[name].rows, row, side="right")) - 1
            if nth >= 0:
                known[name] = facts[name].at(nth, table, constants, target)
        return look(self.rule, known, constants, table.item(row), target)


def fire_all(
    rules: Iterable[Rule],
    facts: Mapping[str, FactColumn],
    table: Table,
    constants: Mapping[str, Any],
    target: str = "",
) -> dict[str, RuleColumn]:
    """Each rule wherever one of its facts got a value, by name."""
    return {rule.name: _column(rule, facts, table, constants, target) for rule in rules}


def _facts_of(rule: Rule, facts: Mapping[str, FactColumn]) -> list[str]:
    named = names(rule.when) if rule.when is not None else frozenset()
    return sorted({name.removeprefix("fact.") for name in named} & set(facts))


def _column(
    rule: Rule, facts: Mapping[str, FactColumn], table: Table, constants: Mapping[str, Any], target: str
) -> RuleColumn:
    import numpy as np

    named = _facts_of(rule, facts)
    looked = [facts[name].rows for name in named]
    rows = np.unique(np.concatenate(looked)) if looked else np.empty(0, dtype=np.int64)
    if rule.when is None or not len(rows):
        return RuleColumn(rule, rows, np.zeros(len(rows), dtype=bool))
    latest = {name: _latest(facts[name], rows) for name in named}
    fired = _truths(rule, latest, constants, len(rows)) == TRUE
    if rule.scope:
        for at in np.flatnonzero(fired).tolist():
            row = int(rows[at])
            where = table.targets[row] or target
            fired[at] = not outside_of(rule.scope, where, table.shapes[row], table.fields[row])
    return RuleColumn(rule, rows, fired)


def _latest(column: FactColumn, rows: Ints) -> Truths:
    """The code that a fact has at each row: that of its latest value."""
    import numpy as np

    if not len(column.rows):
        return np.full(len(rows), UNKNOWN_CODE, dtype=np.int8)
    nth = np.searchsorted(column.rows, rows, side="right") - 1
    return np.where(nth >= 0, column.values[nth], UNKNOWN_CODE).astype(np.int8)


def _truths(rule: Rule, latest: Mapping[str, Truths], constants: Mapping[str, Any], count: int) -> Truths:
    import numpy as np

    assert rule.when is not None
    batch: dict[str, Const | Rows] = {}
    for name in names(rule.when):
        fact = name.removeprefix("fact.")
        if fact in constants:
            batch[name] = Const(constants[fact] if name == fact else UNKNOWN)
        elif fact in latest:
            batch[name] = Rows("bool", latest[fact] == TRUE, latest[fact] == UNKNOWN_CODE)
        else:
            batch[name] = Const(UNKNOWN)
    try:
        return codes(compute(rule.when, batch), count)
    except Fallback:
        columns = [(name, latest[name].tolist()) for name in latest]
        found = []
        for at in range(count):
            three = {name: TRUTHS[values[at]] for name, values in columns if name not in constants}
            found.append(code(evaluate(rule.when, {**constants, **three, "fact": three})))
        return np.array(found, dtype=np.int8)
