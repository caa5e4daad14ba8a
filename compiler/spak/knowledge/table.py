"""Many traces as columns, read from a run's `trace.jsonl`. Knows lines and their damage, not facts.

Only what facts look at is read of a line. A torn last line is what a kill leaves behind, and is left out; any other damage
is an error that names the line.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.item import Item
from spak.knowledge.plain import is_strange

MOST_BYTES = 4 << 20  # of one line


@dataclass(slots=True)
class Table:
    """Traces in order of arrival, an attribute a list. `targets` and `shapes` are empty where no trace has any."""

    cases: list[str] = field(default_factory=list)
    fields: list[Mapping[str, Any]] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    shapes: list[Mapping[str, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.cases)

    @classmethod
    def of(cls, items: Iterable[Item]) -> Table:
        """The table of some traces."""
        table = cls()
        for item in items:
            table.cases.append(item.case)
            table.fields.append(item.fields)
            table.seqs.append(item.seq)
            table.targets.append(item.target)
            table.shapes.append(item.shape)
        return table

    def item(self, index: int) -> Item:
        """One trace, as facts see it."""
        return Item(
            self.cases[index],
            self.fields[index],
            self.seqs[index],
            target=self.targets[index],
            shape=self.shapes[index],
        )


def read(path: Path, shown: str = "") -> Table:
    """The traces of a run: its `emit` events. Raises SpakError with every damaged line at its place."""
    name = shown or path.name
    try:
        if is_strange(path):
            raise OSError(errno.EINVAL, "this is not a plain file")
        data = path.read_bytes()
    except OSError as error:
        what = f"the traces cannot be read: {error.strerror}"
        raise SpakError(Diagnostic("SPK282", what, Span(name), "give a run, or a run's trace.jsonl")) from error
    lines = data.split(b"\n")
    lines.pop()  # what follows the last newline: nothing, or a line that a kill tore off
    table, wrong = Table(), []
    decode = json.JSONDecoder().decode
    cases, fields, seqs, targets, shapes = table.cases, table.fields, table.seqs, table.targets, table.shapes
    nowhere: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        try:
            event = decode(line.decode())
            if event["kind"] != "emit":
                continue
            about = event["data"]
            case, values, seq = about["case"], about["fields"], event["seq"]
            if type(case) is not str or type(values) is not dict or type(seq) is not int or len(line) > MOST_BYTES:
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            wrong.append(_damage(line, error, name, number))
            continue
        cases.append(case)
        fields.append(values)
        seqs.append(seq)
        targets.append(about.get("target") or "")
        shapes.append(about.get("shape") or nowhere)
    if wrong:
        raise SpakError(*wrong)
    return table


def _damage(line: bytes, error: Exception, name: str, number: int) -> Diagnostic:
    """What is wrong with a line of a recorded trace."""
    hint = "a run's trace is never edited: start the run anew, or delete the line and what follows it"
    if len(line) > MOST_BYTES:
        what = f"an event of {len(line)} bytes, where {MOST_BYTES} are the limit"
        return Diagnostic("SPK278", what, Span(name, number, 1), hint)
    if isinstance(error, UnicodeDecodeError):
        what = f"byte 0x{line[error.start]:02x} is not UTF-8"
        return Diagnostic("SPK278", what, Span(name, number, error.start + 1), hint)
    if isinstance(error, json.JSONDecodeError):
        what = f"this is not the JSON of an event: {error.msg[:1].lower()}{error.msg[1:]}"
        return Diagnostic("SPK278", what, Span(name, number, error.colno), hint)
    what = f"this is no event: it lacks {error}" if isinstance(error, KeyError) else "this is no event of a trace"
    return Diagnostic("SPK278", what, Span(name, number, 1), hint)
