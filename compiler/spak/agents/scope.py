"""What statements may read and assign: variables, typed state, and the roots of a run. Knows no statement.

A name is looked up among the variables first, then among the roots: `fact.NAME`, `trace.Case.field`,
`steps.ID.stdout`, ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.item import unrecordable
from spak.lang.expr import UNKNOWN
from spak.semantics.program import Program
from spak.semantics.types import Type, mismatch, shown, words

KNOWLEDGE = ("fact", "trace", "traces", "rules", "recommended", "target")


class Scope(Mapping[str, Any]):
    """The names of one run. `knowledge` gives the roots that depend on traces; it is asked again after `changed`."""

    def __init__(self, program: Program, run: str, args: Mapping[str, Any]) -> None:
        self.types: dict[str, Type] = {state.name: state.type for state in program.states}
        self.variables: dict[str, Any] = {state.name: state.default for state in program.states}
        self.variables.update(args)
        self.metrics: dict[str, Any] = {}
        self.steps: dict[str, dict[str, Any]] = {}
        self.failed = False
        self.knowledge: Callable[[], Mapping[str, Any]] = dict
        self._seen: dict[str, Any] | None = None
        self._fixed: dict[str, Any] = {"args": dict(args), "run": {"id": run}, **_sentences(program)}

    def changed(self) -> None:
        """A trace has arrived."""
        self._seen = None

    def __getitem__(self, name: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        if name in self.metrics:
            return self.metrics[name]
        if name in {"metrics", "steps", "failed"}:
            return getattr(self, name)
        if name in KNOWLEDGE:
            if self._seen is None:
                view = self.knowledge()
                self._seen = {key: view[key] for key in KNOWLEDGE if key in view}
            return self._seen[name]
        return self._fixed[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys(
            [*self.variables, *self.metrics, "metrics", "steps", "failed", *KNOWLEDGE, *self._fixed]
        )

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def assign(self, name: str, value: Any, span: Span) -> None:
        """Give a variable a value. Raises SpakError where it is unknown, or not of the declared type."""
        if value is UNKNOWN:
            hint = "what it is computed from is missing, or divided by zero"
            raise SpakError(Diagnostic("SPK932", f"{name} would be unknown", _placed(span), hint))
        if why := unrecordable(value, name):
            raise SpakError(
                Diagnostic("SPK932", why, _placed(span), "traces hold finite numbers, text, lists and maps")
            )
        type = self.types.get(name)
        if type is not None and (why := mismatch(type, value, name)):
            raise SpakError(Diagnostic("SPK932", why, _placed(span), f"the state {name} is declared as {words(type)}"))
        self.variables[name] = value

    @contextmanager
    def frame(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Names that hold only here: of what is assigned inside, the declared state alone stays."""
        outer = self.variables
        self.variables = {**outer, **values}
        try:
            yield
        finally:
            kept = {name: self.variables[name] for name in self.types if name not in values}
            self.variables = {**outer, **kept}

    def truth(self, words: str, value: Any, span: Span) -> bool:
        """A condition's value: what is unknown does not hold. Raises SpakError for what is no condition at all."""
        if isinstance(value, bool):
            return value
        if value is UNKNOWN or value == "unknown":
            return False
        what = f"`{words}` is {shown(value)}, neither true nor false"
        raise SpakError(Diagnostic("SPK932", what, _placed(span), "compare it with something"))


class Outside(Mapping[str, Any]):
    """What invariants may read of a scope beside traces: variables, state and metrics, as they are when they are
    looked at.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def _now(self) -> dict[str, Any]:
        return {
            **self._scope.metrics,
            **self._scope.variables,
            "metrics": self._scope.metrics,
            "failed": self._scope.failed,
        }

    def __getitem__(self, name: str) -> Any:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())


def _sentences(program: Program) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"axiom": {}, "heuristic": {}, "prediction": {}}
    for one in program.sentences:
        found[one.kind][str(one.number)] = one.text
    return found


def _placed(span: Span) -> Span | None:
    return span if span.file else None
