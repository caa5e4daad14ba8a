"""Where a unit's spec states things, as it was last read. Knows nothing of what is said about them.

What is recorded names them (`/signature/params/x`, `/variants/tiled`), so that a spec whose text has moved is led into rightly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, Related, Span


@dataclass(frozen=True, slots=True)
class Places:
    """The spans of one unit by JSON pointer, and the unit itself, in whose lists names are looked up."""

    unit: dict[str, Any]
    spans: dict[str, list[Any]]

    @classmethod
    def of(cls, unit: str) -> Places:
        """Those that parsing left; none of a unit that could not be read."""
        stem = f"build/ir/{unit}"
        try:
            return cls(
                json.loads(Path(f"{stem}.json").read_bytes()), json.loads(Path(f"{stem}.spans.json").read_bytes())
            )
        except (OSError, ValueError):
            return cls({}, {})

    def find(self, subject: str) -> Span | None:
        """The place of what is named, or else of what it is part of: a variant that is implied is part of its kernel."""
        while True:
            if span := self.spans.get(self._pointer(subject)):
                return Span(*span)
            if not subject:
                return None
            subject = subject.rpartition("/")[0]

    def _pointer(self, subject: str) -> str:
        """With the last part, where it is an element's name, made its index."""
        above, _, name = subject.rpartition("/")
        found: Any = self.unit
        for part in above.split("/")[1:]:
            found = found.get(part, {}) if isinstance(found, dict) else {}
        names = [one.get("name") for one in found] if isinstance(found, list) else []
        return f"{above}/{names.index(name)}" if name in names else subject


def led(found: Iterable[Diagnostic], unit: str) -> tuple[Diagnostic, ...]:
    """Diagnostics with the places of what they name in a unit's spec."""
    diagnostics = tuple(found)
    if not any(other.subject for one in diagnostics for other in one.related):
        return diagnostics
    places = Places.of(unit)
    return tuple(replace(one, related=tuple(_led(other, places) for other in one.related)) for one in diagnostics)


def _led(other: Related, places: Places) -> Related:
    return replace(other, span=places.find(other.subject)) if other.subject else other
