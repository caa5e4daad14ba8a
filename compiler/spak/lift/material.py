"""What knowledge is drawn from: the traces of some runs, and reports. Knows neither folders nor who asks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.knowledge.item import Item
from spak.semantics.program import Case
from spak.semantics.types import Type
from spak.traces.event import Event
from spak.traces.reading import items

AXIS = re.compile(r"[A-Z][A-Z0-9]?\Z")  # a field that is an axis of a shape: M, N, K, BM

PLAIN = frozenset({"string", "int", "float", "number", "boolean"})


@dataclass(frozen=True, slots=True)
class RunTraces:
    """One run: its events, the traces among them, the constants of its target and the cases of its program."""

    id: str
    events: Sequence[Event]
    target: str = ""
    constants: Mapping[str, Any] = field(default_factory=dict)
    cases: Mapping[str, Case] = field(default_factory=dict)
    program: str = ""
    items: tuple[Item, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(items(self.events)))

    def date(self, seq: int) -> str:
        """The day on which a trace was recorded, '' where its event does not say."""
        found = re.match(r"\d{4}-\d{2}-\d{2}", self.events[seq - 1].time) if 0 < seq <= len(self.events) else None
        return found[0] if found else ""


@dataclass(frozen=True, slots=True)
class Material:
    """Runs by id, and reports as (name, text)."""

    runs: Mapping[str, RunTraces]
    reports: tuple[tuple[str, str], ...] = ()

    @property
    def traces(self) -> int:
        return sum(len(run.items) for run in self.runs.values())

    def cited(self, reference: str) -> tuple[RunTraces, Item] | str:
        """The trace that `RUN#seq` names, or why there is none. The run may be cut to what tells it from the others."""
        name, _, number = reference.rpartition("#")
        found = [run for id, run in self.runs.items() if id == name] or [
            run for id, run in self.runs.items() if name and id.startswith(name)
        ]
        if len(found) != 1:
            return f"{reference} is of no run that was given" if not found else f"{reference} may be of several runs"
        item = next((one for one in found[0].items if str(one.seq) == number), None)
        return (found[0], item) if item is not None else f"{reference} is no trace of that run"


def shape_of(item: Item) -> dict[str, int]:
    """The sizes a trace was measured at: as it says, or its fields that are named like axes."""
    if item.shape:
        return {name: size for name, size in item.shape.items() if type(size) is int}
    return {name: value for name, value in item.fields.items() if AXIS.match(name) and type(value) is int}


def schema_text(runs: Iterable[RunTraces]) -> str:
    """A `trace_schema` of every case that these runs have, so that facts about them can be resolved. What runs declare
    differently, or what has a type of its own, may be anything in it.
    """
    cases: dict[str, dict[str, str]] = {}
    for run in runs:
        for name, case in run.cases.items():
            _merge(cases.setdefault(name, {}), {one.name: _type(one.type) for one in case.type.fields})
        for item in run.items:
            if item.case not in run.cases:
                _merge(cases.setdefault(item.case, {}), {name: _kind(value) for name, value in item.fields.items()})
    variants: dict[str, list[str]] = {}
    for name in sorted(cases):
        variant, _, short = name.rpartition(".")
        if all(re.fullmatch(r"[A-Za-z_]\w*", part) for part in (variant, short)):
            fields = "  ".join(f"{key}: {kind}" for key, kind in sorted(cases[name].items()) if key.isidentifier())
            variants.setdefault(variant, []).append(f"    case {short} {{ {fields} }}")
    if not variants:
        return ""
    parts = [f"  variant {name} {{\n" + "\n".join(found) + "\n  }" for name, found in sorted(variants.items())]
    return "trace_schema {\n" + "\n".join(parts) + "\n}\n"


def _merge(known: dict[str, str], fields: Mapping[str, str]) -> None:
    for name, kind in fields.items():
        if name.isascii():
            known[name] = kind if known.get(name, kind) == kind else "any"


def _type(type: Type) -> str:
    if type.kind in PLAIN:
        return type.kind
    if type.kind == "list" and type.args and type.args[0].kind in PLAIN:
        return f"[{type.args[0].kind}]"
    if type.kind == "union" and all(one.kind == "literal" and isinstance(one.value, str) for one in type.args):
        return "string"
    return "any"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string" if isinstance(value, str) else "any"
