"""What knowledge finds: values of facts, rules that fired, values of invariants. Knows the form of their events."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from spak.errors import Span
from spak.semantics.types import NOWHERE


@dataclass(frozen=True, slots=True)
class FactValue:
    """A fact on traces. `value` is True, False, or None for unknown; `on` are the traces' numbers, the latest first;
    `numbers` what its names stood for (None: not there). `scope` says why it is out of scope, `why` why it is unknown.
    """

    kind: ClassVar[str] = "fact"
    fact: str
    value: bool | None
    on: tuple[int, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""
    why: str = ""

    def data(self) -> dict[str, Any]:
        """The event's data."""
        return {
            "fact": self.fact, "value": self.value, "on": list(self.on), "numbers": plain(self.numbers),
            "scope": self.scope, "why": self.why,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule or hint that fired, on which traces, and the values of the facts it stands on."""

    kind: ClassVar[str] = "rule"
    rule: str
    sort: str  # "rule" | "hint"
    on: tuple[int, ...]
    facts: Mapping[str, bool | None]
    apply: tuple[str, ...] = ()
    effect: str = ""
    recommend: tuple[tuple[str, str, Any], ...] = ()

    def data(self) -> dict[str, Any]:
        """The event's data."""
        return {
            "rule": self.rule, "kind": self.sort, "on": list(self.on), "facts": dict(self.facts),
            "apply": list(self.apply), "recommend": [[name, op, plain(value)] for name, op, value in self.recommend],
        }  # fmt: skip

    def text(self) -> str:
        """What it says to a reader: one list item, without figures."""
        says = [*self.apply, *(f"use {recommended(*one)}" for one in self.recommend)]
        effect = f" Effect: {_sentence(self.effect)}" if self.effect else ""
        return f"- {self.rule}: {' '.join(map(_sentence, says)) or 'it holds.'}{effect}"


@dataclass(frozen=True, slots=True)
class InvariantValue:
    """An invariant: PASSED, FAILED, or UNCHECKED, which is never passed. `why` says why it is not checked."""

    kind: ClassVar[str] = "invariant"
    invariant: str
    value: bool | None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    on: tuple[int, ...] = ()
    why: str = ""
    statement: str = ""
    check: str = ""
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def status(self) -> str:
        return {True: "PASSED", False: "FAILED", None: "UNCHECKED"}[self.value]

    def data(self) -> dict[str, Any]:
        """The event's data."""
        return {"invariant": self.invariant, "value": self.value, "numbers": plain(self.numbers), "why": self.why}


def plain(value: Any) -> Any:
    """A value as a trace can hold it: a number that JSON lacks becomes its name."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def recommended(name: str, op: str, value: Any) -> str:
    """A recommendation as it is written: `tile_m = 64`, `level in ["tiled", "packed"]`."""
    listed = list(value) if isinstance(value, tuple) else value
    return f"{name} {op} {listed if isinstance(listed, str) else json.dumps(listed, ensure_ascii=False)}"


def figures(numbers: Mapping[str, Any]) -> str:
    """The numbers behind a value, for a reader: `t.tflops = 3.1, MAX_BW = 40.0`."""
    return ", ".join(f"{name} = {shown(value)}" for name, value in numbers.items())


def shown(value: Any) -> str:
    """One value of a trace in a line for a reader, cut where it is long."""
    if value is None:
        return "missing"
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":")) else text + "."
