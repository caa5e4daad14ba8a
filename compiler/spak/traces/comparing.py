"""Two traces side by side: what differs between two runs, times aside. Knows nothing of why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from spak.traces.event import FIELDS, Event

#: What differs between any two runs, and says nothing.
ASIDE = {"seq", "run", "time", "duration", "tokens_in", "tokens_out", "cost"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One place: events that only the first (`-`) or only the second run (`+`) has, or one that both have, changed
    (`~`).
    """

    sign: str
    old: Event | None
    new: Event | None
    parts: tuple[tuple[str, Any, Any], ...] = ()  # (dotted name, old, new)


def compare(old: Sequence[Event], new: Sequence[Event]) -> list[Difference]:
    """What differs, in the order of the traces."""
    found: list[Difference] = []
    matcher = SequenceMatcher(None, [_key(one) for one in old], [_key(one) for one in new], autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            found += [one for a, b in zip(old[i:j], new[k:m], strict=True) if (one := _changed(a, b)) is not None]
            continue
        found += [Difference("-", event, None) for event in old[i:j]]
        found += [Difference("+", None, event) for event in new[k:m]]
    return found


def _key(event: Event) -> tuple[str, ...]:
    """What makes two events the same one in two runs: what it is, not what came out."""
    data = event.data
    name = next(
        (str(data[key]) for key in ("tool", "case", "fact", "rule", "invariant", "metric", "name") if key in data), ""
    )
    return (event.kind, event.step, name)


def _changed(old: Event, new: Event) -> Difference | None:
    parts = [(name, a, b) for name, a, b in differing(_plain(old), _plain(new))]
    return Difference("~", old, new, tuple(parts)) if parts else None


def _plain(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS if name not in ASIDE}


def differing(old: Any, new: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Where two JSON values differ: (dotted name, old, new)."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*old, *(key for key in new if key not in old)]
        return [one for key in keys for one in differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [one for i, (a, b) in enumerate(zip(old, new, strict=True)) for one in differing(a, b, f"{path}[{i}]")]
    return [] if json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True) else [(path, old, new)]
