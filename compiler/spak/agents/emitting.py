"""What a run emits: checked against its case, recorded, and given to facts, rules and invariants. Knows not why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.answers import placed
from spak.agents.journal import Entry
from spak.agents.parts import Parts
from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.invariants import gate
from spak.knowledge.item import check_item, full_name
from spak.knowledge.values import InvariantValue
from spak.semantics.types import NOWHERE
from spak.traces.reading import item_of


def emit(
    parts: Parts, step: str, case: str, fields: Mapping[str, Any], source: str, span: Span = NOWHERE, **about: Any
) -> None:
    """Record a trace and what follows from it. Raises SpakError where it is not what its case declares, or breaks an
    invariant.

    `about` is what else the event says: the `line` of an output, `target` and `shape` of a measurement.
    """
    if why := check_item(parts.program.cases, case, fields):
        hint = "the case is declared in the trace_schema"
        raise SpakError(Diagnostic("SPK933", f"what is emitted is no {case}: {why}", placed(span), hint))
    name = full_name(parts.program.cases, case)
    known = {key: value for key, value in about.items() if value}
    event = parts.journal.add("emit", step, Entry({"case": name, "fields": dict(fields), "source": source, **known}))
    found = parts.grounding.arrive(item_of(event))
    for one in found:
        parts.journal.add(one.kind, step, Entry(one.data()))
    parts.scope.changed()
    if broken := gate(one for one in found if isinstance(one, InvariantValue)):
        raise SpakError(*broken)


def signal(parts: Parts, step: str, name: str) -> None:
    """Record an event that has a name and no fields: nothing is evaluated on it."""
    parts.journal.add("emit", step, Entry({"case": name, "fields": {}, "source": "emit", "checked": False}))
