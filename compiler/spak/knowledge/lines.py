"""Trace lines in what a child printed: finds, parses and validates them. Knows nothing of who started the child.

    __SPAK_TRACE__ {"case": "TraceItem.Performance", "fields": {"tflops": 3.1}}
    __SPAK_TRACE__ {"type": "Performance", "tflops": 3.1}

Nothing that carries the marker is passed over in silence: a line that cannot be taken is a diagnostic at its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from spak.errors import Collector, Diagnostic, Span
from spak.knowledge.item import full_name, undeclared, unrecordable
from spak.semantics.program import Case
from spak.semantics.types import mismatch

MARKER = "__SPAK_TRACE__"
MOST_BYTES = 1 << 20  # of one line
MOST_QUOTED = 160  # characters of a line that a diagnostic shows
TAGS = ("case", "type", "kind")
FORM = '{"case": "...", "fields": {...}}'
HINT = f"print one line: {MARKER} {FORM}"


@dataclass(frozen=True, slots=True)
class Line:
    """One trace that a child printed; `line` counts from 1 in its output."""

    case: str
    fields: dict[str, Any]
    line: int


@dataclass(frozen=True, slots=True)
class Lines:
    """What an output holds. `ok` unless a line was refused; warnings stand among the diagnostics as well."""

    found: tuple[Line, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        return not any(one.severity == "error" for one in self.diagnostics)


class _Bad(Exception):
    def __init__(self, code: str, what: str, col: int = 0, hint: str = HINT) -> None:
        super().__init__(what)
        self.code, self.what, self.col, self.hint = code, what, col, hint


def parse(text: bytes | str, cases: Mapping[str, Case], place: str) -> Lines:
    """Every trace line of an output, in order. `place` names the output in diagnostics: `step measure, stdout`."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    marker = MARKER.encode()
    found, wrong = [], Collector()
    if marker not in data and not _cut_marker(data):
        return Lines(())
    rows = data.split(b"\n")
    for number, row in enumerate(rows, 1):
        at = row.find(marker)
        last = number == len(rows)
        if at > 0:
            what = f"{MARKER} stands inside a line: it is not read as a trace"
            wrong.warn("SPK277", what, Span(place, number, at + 1), "begin a new line before it", _quoted(row))
        elif at == 0:
            try:
                case, fields = _read(row[len(marker) :], cases, cut=last)
                found.append(Line(case, fields, number))
            except _Bad as bad:
                span = Span(place, number, len(MARKER) + bad.col if bad.col else 1)
                wrong.add(bad.code, bad.what, span, bad.hint, _quoted(row))
        elif last and _cut_marker(row):
            what = "the output ends inside a trace line"
            wrong.add("SPK272", what, Span(place, number, 1), "it was cut short, or the program was", _quoted(row))
    return Lines(tuple(found), tuple(wrong.found))


def _quoted(row: bytes) -> str:
    """A line as a note shows it."""
    text = row[: 4 * MOST_QUOTED].decode("utf-8", "backslashreplace").rstrip()
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return f"the line: {text[:MOST_QUOTED]}{' [cut here]' if len(text) > MOST_QUOTED else ''}"


def _cut_marker(data: bytes) -> bool:
    """Whether an output ends in the beginning of a marker."""
    tail = data[data.rfind(b"\n") + 1 :]
    return 6 <= len(tail) < len(MARKER) and MARKER.encode().startswith(tail)


def _read(data: bytes, cases: Mapping[str, Case], *, cut: bool) -> tuple[str, dict[str, Any]]:
    """The case and the fields of what stands after the marker."""
    data = data.removesuffix(b"\r")
    if len(data) > MOST_BYTES:
        raise _Bad(
            "SPK270", f"a trace line of {len(data)} bytes", 0, f"the limit is {MOST_BYTES}; write data to a file"
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _Bad("SPK271", what, error.start + 1, "print trace lines in UTF-8") from None
    value = _json(text, cut=cut)
    if not isinstance(value, dict):
        raise _Bad("SPK273", f"a trace line holds {_kind(value)}, where an object is needed", 1)
    name, fields = _parts(value, cases)
    if why := unrecordable(fields):
        raise _Bad("SPK276", f"{name}: {why}", 0, "print numbers that JSON has, and text in UTF-8")
    if why := mismatch(cases[name].type, fields):
        raise _Bad("SPK275", f"{name}: {why}", 0, _declared(cases[name]))
    return name, fields


def _json(text: str, *, cut: bool) -> Any:
    if not text.strip():
        raise _Bad("SPK272", f"nothing stands after {MARKER}", 1)
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        said = _lower(error.msg).removesuffix(" starting at")
        ended = cut and (error.pos >= len(text.rstrip()) or said.startswith("unterminated"))
        what = "the trace line is cut short" if ended else f"the trace line is not JSON: {said}"
        hint = "the output ends here: it was cut, or the program was" if ended else HINT
        raise _Bad("SPK272", what, error.pos + 1, hint) from None
    except RecursionError:
        raise _Bad("SPK276", "the trace line is nested too deeply", 0, "keep traces flat") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise _Bad(
            "SPK276", f"a number is too large: {str(error).split(';')[0].lower()}", 0, "a float may do"
        ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Bad("SPK273", f"the key {twice!r} stands twice", 0, "keep one")
    return value


def _refuse(word: str) -> NoReturn:
    raise _Bad("SPK276", f"{word} is no JSON number", 0, "leave out what was not measured, or print no trace")


def _parts(value: dict[str, Any], cases: Mapping[str, Case]) -> tuple[str, dict[str, Any]]:
    """The case's full name and the fields, nested or flat."""
    tag = next((key for key in TAGS if key in value), "")
    if not tag:
        raise _Bad("SPK273", "a trace line names no case", 1)
    name = value[tag]
    if not isinstance(name, str):
        raise _Bad("SPK273", f"the case is {_kind(name)}, where its name is needed", 1)
    full = full_name(cases, name)
    if not full:
        raise _Bad("SPK274", f"{name!r} is no case of the trace schema", 0, undeclared(cases, name))
    rest = {key: one for key, one in value.items() if key != tag}
    if "fields" not in rest or cases[full].type.field("fields"):
        return full, rest
    if len(rest) > 1:
        extra = sorted(set(rest) - {"fields"})[0]
        raise _Bad("SPK273", f"{extra!r} stands beside `fields`", 0, "put it into `fields`, or leave `fields` out")
    if not isinstance(rest["fields"], dict):
        raise _Bad("SPK273", f"`fields` is {_kind(rest['fields'])}, where an object is needed", 0)
    return full, rest["fields"]


def _declared(case: Case) -> str:
    from spak.semantics.types import words

    return f"{case.name} has {', '.join(f'{one.name}: {words(one.type)}' for one in case.type.fields) or 'no fields'}"


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
