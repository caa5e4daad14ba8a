"""Every fact on every trace at once, exactly as one at a time. Knows tables, not runs.

Rows are put into batches in which each name has values of one type, and a batch is computed with numpy (`spak.knowledge.vector`);
small batches, and what numpy would compute differently, go through `spak.lang.expr.evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from spak.knowledge.item import Item
from spak.knowledge.judging import judge
from spak.knowledge.scope import outside_of
from spak.knowledge.table import Table
from spak.knowledge.values import FactValue
from spak.knowledge.vector import MOST, Const, Fallback, Rows, Value, compute, rows_of_ints
from spak.lang.expr import UNKNOWN, Expr, Name, evaluate, names
from spak.semantics.program import Fact

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Truths = NDArray[np.int8]
    Places = Ints | slice

TRUE, FALSE, UNKNOWN_CODE = 1, 0, -1
SMALL = 48  # rows below which numpy takes longer than Python
TYPES: dict[type, int] = {float: 1, int: 2, bool: 3, str: 4}  # 0 is missing, 5 anything else
OTHER = 5


@dataclass(frozen=True, slots=True)
class FactColumn:
    """A fact's values: at `rows` of the table (the traces that gave it one), 1 true, 0 false, -1 unknown.

    `chosen[i]` are the rows that its i-th parameter took, -1 where there was none.
    """

    fact: Fact
    rows: Ints
    values: Truths
    chosen: tuple[Ints, ...]

    def at(self, index: int, table: Table, constants: Mapping[str, Any], target: str = "") -> FactValue:
        """The `index`-th value with the numbers behind it."""
        return judge(self.fact, self._items(index, table), constants, target)

    def _items(self, index: int, table: Table) -> list[Item | None]:
        rows = [int(one[index]) for one in self.chosen]
        return [table.item(row) if row >= 0 else None for row in rows]


def evaluate_all(
    facts: Iterable[Fact], items: Table | Sequence[Item], constants: Mapping[str, Any], target: str = ""
) -> dict[str, FactColumn]:
    """Each fact on every trace that gives it a value, as `Grounding.arrive` would, by name."""
    table = items if isinstance(items, Table) else Table.of(items)
    bulk = _Bulk(table, constants, target)
    return {fact.name: bulk.column(fact) for fact in facts}


@dataclass
class _Bulk:
    table: Table
    constants: Mapping[str, Any]
    target: str
    rows_of: dict[str, Ints] = field(default_factory=dict)
    read: dict[tuple[str, str], _Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import numpy as np

        found: dict[str, list[int]] = {}
        for row, case in enumerate(self.table.cases):
            found.setdefault(case, []).append(row)
        self.rows_of = {case: np.array(rows, dtype=np.int64) for case, rows in found.items()}

    def column(self, fact: Fact) -> FactColumn:
        import numpy as np

        rows, chosen = self._choose(fact)
        values = np.full(len(rows), UNKNOWN_CODE, dtype=np.int8)
        if fact.body is None or not len(rows):
            return FactColumn(fact, rows, values, chosen)
        ready = np.ones(len(rows), dtype=bool)
        for one in chosen:
            ready &= one >= 0
        if fact.scope:
            for one in chosen:
                ready[ready] = self._inside(fact, one[ready])
        at = np.flatnonzero(ready)
        if len(at):
            every = len(at) == len(rows)
            taken = {name: one if every else one[at] for (name, _), one in zip(fact.params, chosen, strict=True)}
            values[at] = self._truths(fact, fact.body, taken, len(at))
        return FactColumn(fact, rows, values, chosen)

    def _choose(self, fact: Fact) -> tuple[Ints, tuple[Ints, ...]]:
        """The rows that give the fact a value, and for each parameter the rows it takes."""
        import numpy as np

        none = np.empty(0, dtype=np.int64)
        cases = [case for _, case in fact.params]
        if not cases:
            first = np.arange(min(1, len(self.table)), dtype=np.int64)
            return (first if fact.body is not None else none), ()
        there = [self.rows_of.get(case, none) for case in cases]
        rows = there[0] if len(set(cases)) == 1 else np.unique(np.concatenate(there))
        chosen = []
        for index, (case, mine) in enumerate(zip(cases, there, strict=True)):
            before = cases[:index].count(case)
            if not len(mine) or (mine is rows and not before):
                chosen.append(mine if len(mine) else np.full(len(rows), -1, dtype=np.int64))
                continue
            nth = (np.arange(len(rows)) if mine is rows else np.searchsorted(mine, rows, side="right") - 1) - before
            chosen.append(np.where(nth >= 0, mine[nth], -1))
        return rows, tuple(chosen)

    def _inside(self, fact: Fact, rows: Ints) -> list[bool]:
        table, scope = self.table, fact.scope
        if not scope.shapes:
            return [not scope.target or scope.target == (table.targets[row] or self.target) for row in rows.tolist()]
        return [
            not outside_of(scope, table.targets[row] or self.target, table.shapes[row], table.fields[row])
            for row in rows.tolist()
        ]

    def _truths(self, fact: Fact, body: Expr, chosen: Mapping[str, Ints], count: int) -> Truths:
        """The codes of a fact's condition in `count` rows; `chosen` are the rows of the table that each parameter takes."""
        import numpy as np

        case_of = dict(fact.params)
        fixed: dict[str, Const] = {}
        varying: dict[str, tuple[str, str]] = {}  # name -> parameter, path below it
        for name in names(body):
            root, _, path = name.partition(".")
            if root in chosen and name not in self.constants:
                varying[name] = (root, path)
            else:
                fixed[name] = Const(evaluate(Name(name), self.constants))
        result = np.full(count, UNKNOWN_CODE, dtype=np.int8)
        if not varying:
            result[:] = code(evaluate(body, self.constants))
            return result
        columns = {name: self._column(case_of[root], path) for name, (root, path) in varying.items()}
        alone = len(set(case_of.values())) == 1
        places = {root: self._places(case_of[root], rows, alone) for root, rows in chosen.items()}
        order = {name: places[root] for name, (root, _) in varying.items()}
        if all(column.alike for column in columns.values()):
            return _batch(body, fixed, columns, order, count)
        batch_of = np.zeros(count, dtype=np.int64)
        for name, column in columns.items():
            if not column.alike:
                batch_of = np.unique(batch_of * (OTHER + 1) + column.types[order[name]], return_inverse=True)[1]
        for number in range(int(batch_of.max()) + 1):
            rows = np.flatnonzero(batch_of == number)
            part = {name: at.start + rows if isinstance(at, slice) else at[rows] for name, at in order.items()}
            result[rows] = _batch(body, fixed, columns, part, len(rows))
        return result

    def _column(self, case: str, path: str) -> _Column:
        """One field of every trace of a case; '' is the whole trace."""
        if (case, path) not in self.read:
            mine = self.rows_of.get(case)
            rows = [] if mine is None else mine.tolist()
            fields = self.table.fields if len(rows) == len(self.table) else [self.table.fields[row] for row in rows]
            self.read[case, path] = _Column.of(_values(fields, path))
        return self.read[case, path]

    def _places(self, case: str, rows: Ints, rising: bool) -> Places:
        """Where rows of the table stand among the traces of their case; a slice where they follow one another.

        `rising`: no row stands twice, as it may where a fact looks at two cases.
        """
        import numpy as np

        mine = self.rows_of[case]
        at = rows if len(mine) == len(self.table) else np.searchsorted(mine, rows)
        first, last = int(at[0]), int(at[-1])
        return slice(first, last + 1) if rising and last - first == len(at) - 1 else at


def _values(fields: Sequence[Mapping[str, Any]], path: str) -> list[Any]:
    """What a name stands for in each trace, as expressions look names up."""
    if not path:
        return list(fields)
    if "." not in path:
        try:
            return list(map(itemgetter(path), fields))
        except KeyError:
            return [one.get(path, UNKNOWN) for one in fields]
    name = Name(f"t.{path}")
    return [evaluate(name, {"t": one}) for one in fields]


@dataclass
class _Column:
    """A name's value in every trace of a case, and the code of its type. `alike` if there is one type only."""

    values: list[Any]
    types: Truths
    alike: bool
    whole: Rows | None = None

    @classmethod
    def of(cls, values: list[Any]) -> _Column:
        import numpy as np

        kinds = set(map(type, values))
        if kinds == {float}:
            rows = Rows("float", np.array(values, dtype=np.float64))
            return cls(values, np.full(len(values), TYPES[float], dtype=np.int8), True, rows)
        if kinds in ({bool}, {str}) or (kinds == {int} and min(values) > -MOST and max(values) < MOST):
            return cls(values, np.full(len(values), TYPES[kinds.pop()], dtype=np.int8), True)
        missing, known = type(UNKNOWN), TYPES
        found = [0 if type(one) is missing else known.get(type(one), OTHER) for one in values]
        if int in kinds:
            found = [
                OTHER if c == TYPES[int] and not -MOST < v < MOST else c for c, v in zip(found, values, strict=True)
            ]
        types = np.array(found, dtype=np.int8)
        return cls(values, types, len(set(found)) == 1)

    def rows(self, at: Places) -> Const | Rows:
        """The values at some places, which are of one type. Raises Fallback for types that are not computed with."""
        if self.whole is None and self.alike:
            made = _typed(int(self.types[0]), self.values)
            if isinstance(made, Const):
                return made
            self.whole = made
        if self.whole is None:
            return _typed(int(self.types[at][0]), self.at(at))
        one = self.whole
        return Rows(one.kind, one.data[at], None, one.low, one.high)

    def at(self, at: Places) -> list[Any]:
        """The values at some places."""
        values = self.values
        return values[at] if isinstance(at, slice) else [values[i] for i in at.tolist()]


def _typed(kind: int, values: list[Any]) -> Const | Rows:
    import numpy as np

    if kind == 0:
        return Const(UNKNOWN)
    if kind == TYPES[int]:
        return rows_of_ints(values)
    if kind == TYPES[float]:
        return Rows("float", np.array(values, dtype=np.float64))
    if kind == TYPES[bool]:
        return Rows("bool", np.array(values, dtype=bool))
    if kind == TYPES[str]:
        return Rows("str", np.array(values, dtype=object))
    raise Fallback


def _batch(
    body: Expr, fixed: Mapping[str, Const], columns: Mapping[str, _Column], order: Mapping[str, Places], count: int
) -> Truths:
    """Rows in which every name has values of one type; `order` says where each name's values stand."""
    import numpy as np

    if count >= SMALL:
        try:
            return codes(
                compute(body, {**fixed, **{name: columns[name].rows(at) for name, at in order.items()}}), count
            )
        except Fallback:
            pass
    env = {name: one.value for name, one in fixed.items()}
    taken = [(name, columns[name].at(at)) for name, at in order.items()]
    found = [code(evaluate(body, env | {name: values[i] for name, values in taken})) for i in range(count)]
    return np.array(found, dtype=np.int8)


def code(value: Any) -> int:
    """The code of one value: only truths are known."""
    return int(value) if isinstance(value, bool) else UNKNOWN_CODE


def codes(value: Value, count: int) -> Truths:
    """The codes of a computed column."""
    import numpy as np

    if isinstance(value, Const):
        return np.full(count, code(value.value), dtype=np.int8)
    if not isinstance(value, Rows) or value.kind != "bool":
        return np.full(count, UNKNOWN_CODE, dtype=np.int8)
    found = value.data.astype(np.int8)
    if value.unknown is not None:
        found[np.broadcast_to(value.unknown, found.shape)] = UNKNOWN_CODE
    return found
