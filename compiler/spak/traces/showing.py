"""An event as one line for people, and a run as one JSON list. Knows nothing of where they go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from spak.errors.plain import plain
from spak.traces.comparing import Difference
from spak.traces.event import Event

WIDE = 100  # characters of a value in a line
TRUTH = {True: "true", False: "false", None: "unknown"}


def line(event: Event) -> str:
    """`12 emit diagnose TraceItem.Performance {"tflops": 3.1}`."""
    took = f"  ({event.duration:.3f} s)" if event.duration is not None else ""
    step = f" {event.step}" if event.step else ""
    try:
        what = _what(event)
    except (KeyError, TypeError, AttributeError):  # what is wrong with it is for others to say
        what = short(event.data)
    return plain(f"{event.seq:4} {event.kind:<9}{step}  {what}{took}")


def _what(event: Event) -> str:
    data = event.data
    kind = event.kind
    if kind == "run":
        return f"{data['kind']} {data['procedure']} of {data['program']}"
    if kind == "tool":
        return f"{data['does']}{'' if data['result'].get('ok') else '  FAILED'}"
    if kind == "query":
        return f"attempt {data['attempt']}: {short(data['prompt'])}"
    if kind == "answer":
        refused = "" if data["accepted"] else f"  REFUSED: {data['why']}"
        return f"by {data['by']}: {short(data['text'])}{refused}"
    if kind == "emit":
        return f"{data['case']} {short(data['fields'])}"
    if kind == "fact":
        numbers = ", ".join(f"{name} = {short(value)}" for name, value in data["numbers"].items())
        why = data["scope"] or data.get("why", "")
        return f"{data['fact']} is {TRUTH[data['value']]}  [{numbers}]{f'  {why}' if why else ''}"
    if kind == "rule":
        return f"{data['kind']} {data['rule']!r} fires: {short('; '.join(data['apply']) or data['recommend'])}"
    if kind == "invariant":
        return f"{data['invariant']}: { {True: 'PASSED', False: 'FAILED', None: 'UNCHECKED'}[data['value']] }"
    if kind in {"set", "metric"}:
        return f"{data.get('name', data.get('metric'))} = {short(data['value'])}"
    if kind == "step":
        return "FAILED" if data["status"] == "failed" else str(data["status"])
    return str(data["status"]) if kind == "end" else short(data)


def short(value: Any) -> str:
    """A value in a line, cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = plain(" ".join(text.split()))
    return text if len(text) <= WIDE else text[: WIDE - 3] + "..."


def difference(one: Difference) -> list[str]:
    """One place at which two runs differ, as lines."""
    event = one.new or one.old
    assert event is not None
    lines = [f"{one.sign} {line(event)}"]
    return lines + [f"      {name}: {short(old)} -> {short(new)}" for name, old, new in one.parts]


#: What the entries of `trace.json` call the kinds of events.
SEEDS = {
    "run": "start", "event": "event", "step": "step", "tool": "tool", "query": "prompt", "answer": "response", "emit": "trace",
    "fact": "fact", "rule": "rule", "invariant": "invariant", "set": "state", "trial": "trial", "metric": "metric", "end": "end",
}  # fmt: skip


def trace_json(events: Sequence[Event]) -> bytes:
    """Every state change, prompt and result as one JSON list: what happened, when, in which step, and its data flat."""
    return (json.dumps([_entry(one) for one in events], indent=2, ensure_ascii=False) + "\n").encode()


def _entry(event: Event) -> dict[str, Any]:
    entry = {"seq": event.seq, "timestamp": event.time, "step": event.step, "type": SEEDS[event.kind]}
    if event.kind == "emit":
        return {**entry, "item": event.data["case"], **_free(event.data["fields"], entry)}
    return {**entry, **_free(event.data, entry)}


def _free(data: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Data beside an entry's own keys: a key that is taken gets a trailing underscore."""
    return {f"{key}_" if key in {*entry, "item"} else key: value for key, value in data.items()}


def overview(events: Iterable[Event]) -> dict[str, int]:
    """How many events of each kind there are, in the order of their first."""
    counts: dict[str, int] = {}
    for one in events:
        counts[one.kind] = counts.get(one.kind, 0) + 1
    return counts
