"""Reads a trace: events, and the items among them. Knows nothing of what they mean.

A last line without its end is what a kill left: it is dropped. Anything else that is no event is an error at its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.item import Item, unrecordable
from spak.knowledge.plain import is_strange
from spak.traces.event import FIELDS, KINDS, Event

MOST_BYTES = 512 << 20  # of one line: above what the limits on outputs and answers let into an event
#: What JSON can say and a trace cannot hold: half of a character, a number beyond all numbers.
SUSPECT = re.compile(rb"\\u[dD][89a-fA-F]|\d[eE]\+?\d{3}|\d{300}")
MOST_NUMBER = 1 << 63
TEXTS = {"kind", "run", "step", "time", "inputs", "outputs", "model"}
WHOLE = {"exit_code", "tokens_in", "tokens_out"}


def read_events(path: Path, shown: str = "") -> list[Event]:
    """Every event of a trace. `shown` is the path in messages. Raises SpakError; a file that is not there has none."""
    return read_trace(path, shown)[0]


def read_trace(path: Path, shown: str = "") -> tuple[list[Event], int]:
    """Every event, and the number of bytes that they take."""
    shown = shown or path.name
    events: list[Event] = []
    size = 0
    if is_strange(path):
        raise _bad("it is not a plain file", Span(shown))
    try:
        with path.open("rb") as file:
            while line := file.readline(MOST_BYTES + 1):
                place = Span(shown, len(events) + 1)
                if len(line) > MOST_BYTES:
                    raise _bad(f"a line of more than {MOST_BYTES} bytes", place)
                if not line.endswith(b"\n"):
                    break
                events.append(_event(line, len(events) + 1, place))
                size += len(line)
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise _bad(f"it cannot be read: {error.strerror}", Span(shown)) from None
    return events, size


def _event(line: bytes, number: int, place: Span) -> Event:
    try:
        data = json.loads(line.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise _bad(f"byte 0x{line[error.start]:02x} is not UTF-8", _at(place, error.start + 1)) from None
    except json.JSONDecodeError as error:
        raise _bad(f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", _at(place, error.colno)) from None
    except (ValueError, RecursionError) as error:
        raise _bad(f"it is not JSON: {error}", place) from None
    if why := _wrong(data, number) or (unrecordable(data) if SUSPECT.search(line) else ""):
        raise _bad(why, place)
    return Event(**data)


def _wrong(data: Any, number: int) -> str:
    """Why a value is not the event `number` of a trace, '' if it is."""
    if not isinstance(data, dict):
        return "it is no map"
    if stray := sorted(set(data) ^ set(FIELDS)):
        return f"it has no {stray[0]!r}" if stray[0] in FIELDS else f"{stray[0]!r} is no part of an event"
    for name in FIELDS:
        if not _typed(name, data[name]):
            return f"its {name!r} is {json.dumps(data[name])[:40]}"
    if data["kind"] not in KINDS:
        return f"{data['kind']!r} is no kind of event"
    return "" if data["seq"] == number else f"its number is {data['seq']}, where {number} comes next"


def _typed(name: str, value: Any) -> bool:
    if name in TEXTS:
        return isinstance(value, str)
    if name == "data":
        return isinstance(value, dict)
    if name == "seq":
        return type(value) is int
    return (
        value is None
        or (type(value) is int and abs(value) < MOST_NUMBER)
        or (name not in WHOLE and type(value) is float)
    )


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _at(place: Span, col: int) -> Span:
    return Span(place.file, place.line, col)


def _bad(what: str, place: Span) -> SpakError:
    hint = "a trace is written by runs only; restore the file, or start another run"
    return SpakError(Diagnostic("SPK925", f"the trace cannot be read here: {what}", place, hint))


def items(events: Iterable[Event]) -> list[Item]:
    """The traces that were emitted, in order. Events that have a name and no case are not among them."""
    return [item_of(one) for one in events if one.kind == "emit" and one.data.get("checked", True)]


def item_of(event: Event) -> Item:
    """The trace that an `emit` event recorded."""
    data = event.data
    return Item(
        data["case"], data["fields"], event.seq, event.step, event.run, data.get("target", ""), data.get("shape", {})
    )
