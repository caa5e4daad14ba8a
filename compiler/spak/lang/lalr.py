"""Running lark's parse table over tokens: one loop, no lexer. Knows states and rules, not the language.

Lark's own driver re-reads its configuration at each token and compares rules in Python; this one reads a table that was
flattened once, and skips the reductions that only rename a value (`sum: product`), which are two in three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lark import Lark
from lark.exceptions import VisitError
from lark.parsers.lalr_analysis import Shift

from spak.lang.scan import Tok

#: A rule to reduce by: what makes its value, its number of parts, its symbol, and whether its value is its only part.
Reduce = tuple[Callable[[list[Any]], Any], int, str, bool]

#: For each symbol: the next state, or a rule.
State = dict[str, "int | Reduce"]


class Unexpected(Exception):
    """A token, by its index, that cannot stand where it does; `expected` are the terminals that could."""

    def __init__(self, at: int, expected: frozenset[str]) -> None:
        super().__init__(at)
        self.at = at
        self.expected = expected


class Table:
    """A parse table with the callbacks that build values."""

    def __init__(self, lark: Lark) -> None:
        parser = lark.parser.parser.parser
        conf = parser.parse_table
        self.starts: dict[str, int] = conf.start_states
        self.ends: dict[str, int] = conf.end_states
        self.states: dict[int, State] = {
            state: {
                symbol: arg if action is Shift else _reduce(arg, parser.callbacks[arg])
                for symbol, (action, arg) in row.items()
            }
            for state, row in conf.states.items()
        }
        self.known: dict[tuple[int, str, str], int] = {}  # answers of `after`, which depend on the table alone

    def parse(self, tokens: Sequence[Tok], start: str) -> Any:
        """The value of `start` over all tokens. Raises Unexpected, or what a callback raises."""
        try:
            return self._parse(tokens, start)
        except VisitError as error:
            raise error.orig_exc from None

    def _parse(self, tokens: Sequence[Tok], start: str) -> Any:
        states, known, end = self.states, self.known, self.ends[start]
        stack = [self.starts[start]]
        values: list[Any] = []
        size = len(tokens)
        for at in range(size + 1):
            kind = tokens[at].type if at < size else "$END"
            while True:
                step: Any = states[stack[-1]].get(kind)
                if step.__class__ is int:
                    stack.append(step)
                    values.append(tokens[at])
                    break
                if step is None:
                    raise Unexpected(at, frozenset(states[stack[-1]]))
                make, count, symbol, _ = step
                if count:
                    parts = values[-count:]
                    del stack[-count:]
                    del values[-count:]
                else:
                    parts = []
                values.append(make(parts))
                base = stack[-1]
                key = (base, symbol, kind)
                state = known.get(key)
                if state is None:
                    state = known[key] = self.after(base, symbol, kind)
                stack.append(state)
                if at == size and state == end:
                    return values[-1]
        raise AssertionError("the loop ends in a return")

    def after(self, base: int, symbol: str, kind: str) -> int:
        """The state that follows `base` on a symbol, before a token of a kind: past every rule that only renames."""
        states = self.states
        state: Any = states[base][symbol]
        while isinstance(step := states[state].get(kind), tuple) and step[3]:
            state = states[base][step[2]]
        return int(state)


def _reduce(rule: Any, make: Callable[[list[Any]], Any]) -> Reduce:
    size = len(rule.expansion)
    same = size == 1 and rule.alias is None and rule.options.expand1 and not rule.expansion[0].is_term
    return make, size, str(rule.origin.name), same
