"""What the simulator found in a run, as data with places in source files. Knows nothing of how it is shown.

`read` takes what `spak::sim::take_findings()` gives (csrc/include/spak/sim/report.h) and resolves instructions to lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, Related, SpakError, Span
from spak.sim import rules
from spak.sim.symbols import Frame, frames

# Folders of the headers behind which nobody looks for a mistake of their own: ours, the toolkit's, the system's.
_HEADERS = ("spak/cuda/", "spak/sim/", "/sim/engine/", "/sim/check/", "/sim/model/", "/sim/host/", "/usr/", "nvidia/cu")
SHOWN = 12  # parties of one finding that are shown; a deadlock may have hundreds
_INCLUDE = "include/"  # what builds call those folders in modules: the names of folders are kept out of binaries


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a source file; `through` are the calls between it and what happened, each "in block.h", and `callers` the
    user's own lines that lead there."""

    span: Span
    function: str = ""
    through: tuple[str, ...] = ()
    callers: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a finding: who did what, where."""

    role: str
    place: Place | None = None
    threads: str = ""
    what: str = ""

    def __str__(self) -> str:
        said = " ".join(filter(None, (self.role, self.what)))
        return ": ".join(filter(None, (said, self.threads)))


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of a rule: the offender is the first of `parties`."""

    rule: str
    sentence: str
    hint: str = ""
    parties: tuple[Party, ...] = ()
    kernel: str = ""
    count: int = 1
    schedule: str = ""

    @property
    def code(self) -> str:
        return rules.code_of(self.rule)

    @property
    def place(self) -> Place | None:
        """The offender's, or the first that is known."""
        return next((party.place for party in self.parties if party.place), None)

    def diagnostic(self) -> Diagnostic:
        """As a compiler's message: placed at the offender, related to every party's line and the calls that lead there."""
        place = self.place
        related = [one for party in self.parties[:SHOWN] for one in _related(party)]
        return Diagnostic(
            self.code,
            self.sentence,
            place.span if place else None,
            self.hint,
            tuple(self._notes()),
            related=tuple(related),
        )

    def _notes(self) -> Iterator[str]:
        if len(self.parties) > SHOWN:
            yield f"and {len(self.parties) - SHOWN} more"
        if self.kernel:
            times = f", seen {self.count} times" if self.count > 1 else ""
            yield f"in kernel `{self.kernel}`{times}" + (f", schedule {self.schedule}" if self.schedule else "")

    def names(self) -> set[str]:
        """What is called by a name in the sentence or by a party: buffers, shared variables, kernels."""
        return set(re.findall(r"`([^`]+)`", " ".join([self.sentence, *map(str, self.parties)])))


def _related(party: Party) -> Iterator[Related]:
    if party.place is None:
        yield Related(str(party))
        return
    through = "".join(f", in {name}" for name in party.place.through)
    yield Related(f"{party}{through}", party.place.span)
    yield from (Related("called from here", span) for span in party.place.callers)


def calls(place: Place) -> list[str]:
    """The calls round a place, in words."""
    through = [f"in {name}" for name in place.through]
    return through + [f"called from {span.file}:{span.line}" for span in place.callers]


def read(
    text: str,
    module: Path | None,
    sources: Mapping[str, str] | None = None,
    *,
    schedule: str = "",
    root: Path = Path(),
) -> tuple[Finding, ...]:
    """The findings in `text`: JSON arrays of take_findings(), one a line. Raises SpakError (SPK586).

    `module` has the line table that instructions are looked up in. `sources` maps the names of the user's own files, as the
    compiler knows them, to those that people know; without it every file is one's own that is not in a header folder of
    SPAK, the toolkit or the system. `root` is the folder that those names start from: columns are looked up there. The same
    finding of several arrays comes once, with its counts added. A party may have `frames` (function, file, line) instead of
    an instruction.
    """
    rows = [row for line in text.splitlines() if line.strip() for row in _rows(line)]
    wanted = {offset for row in rows for party in row["parties"] if (offset := _offset(party)) is not None}
    reader = _Reader(frames(module, wanted) if module else {}, dict(sources or {}), root)
    found: dict[Any, Finding] = {}
    for row in rows:
        one = Finding(
            rule=row["rule"],
            sentence=row["sentence"],
            hint=row.get("hint", ""),
            parties=tuple(reader.party(party) for party in row["parties"]),
            kernel=row.get("kernel", ""),
            count=int(row.get("count", 1)),
            schedule=schedule,
        )
        key = (one.rule, one.kernel, tuple((p.role, p.place and p.place.span) for p in one.parties) or one.sentence)
        found[key] = replace(found[key], count=found[key].count + one.count) if key in found else one
    return tuple(found.values())


def spans(module: Path, offsets: Iterable[int], sources: Mapping[str, str] | None = None) -> dict[int, Span]:
    """The user's own lines of instructions, of those that have one; parameters as for `read`."""
    wanted = set(offsets)
    reader = _Reader(frames(module, wanted), dict(sources or {}), Path())
    places = ((offset, reader.place(reader.table.get(offset, ()))) for offset in sorted(wanted))
    return {offset: place.span for offset, place in places if place}


def _rows(line: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(line)
        if all(isinstance(row["rule"] + row["sentence"], str) and isinstance(row["parties"], list) for row in rows):
            return list(rows)
    except (ValueError, KeyError, TypeError):
        pass
    what = f"a report of findings cannot be read: {line[:80]!r}"
    raise SpakError(Diagnostic("SPK586", what, None, "run again; the program may have written over the report"))


def _offset(party: Mapping[str, Any]) -> int | None:
    try:
        return int(str(party.get("pc") or ""), 16)
    except ValueError:
        return None


class _Reader:
    """Knows of which frames are the user's own."""

    def __init__(self, table: Mapping[int, tuple[Frame, ...]], sources: Mapping[str, str], root: Path) -> None:
        self.table, self.sources, self.root = table, sources, root
        self.columns: dict[str, list[str]] = {}

    def party(self, row: Mapping[str, Any]) -> Party:
        offset = _offset(row)
        stacks = [tuple(Frame(*frame) for frame in row.get("frames") or ())]
        stacks.append(self.table.get(offset, ()) if offset is not None else ())
        if row.get("file"):  # where it was seen last, if the instruction is of no known line of one's own
            stacks.append((Frame("", row["file"], int(row.get("line") or 0)),))
        own = [stack for stack in stacks if any(frame.line and self._own(frame.file) for frame in stack)]
        place = next(filter(None, map(self.place, own or stacks)), None)
        return Party(str(row.get("role", "")), place, str(row.get("threads", "")), str(row.get("what", "")))

    def place(self, stack: tuple[Frame, ...]) -> Place | None:
        """The innermost frame in one's own file; what lies in headers only is placed there rather than nowhere."""
        known = [frame for frame in stack if frame.line]
        names = [self._own(frame.file) for frame in known]
        at = next((i for i, name in enumerate(names) if name), None)
        if at is None:
            return Place(Span(known[0].file, known[0].line), known[0].function) if known else None
        own = [(name, frame) for name, frame in zip(names[at:], known[at:], strict=True) if name]
        spans = list(dict.fromkeys(self._span(name, frame.line) for name, frame in own))
        through = [f"{_header(frame.file)}:{frame.line}" for frame in reversed(known[:at])]
        function = own[0][1].function.partition("::{lambda")[0]  # a kernel's body is one, once it is rewritten
        return Place(spans[0], function, tuple(dict.fromkeys(through)), tuple(spans[1:]))

    def _own(self, file: str) -> str:
        """The name that people know one's own file by, or "" for any other."""
        if file in self.sources:
            return self.sources[file]
        if file.startswith(_INCLUDE) or any(part in file for part in _HEADERS):
            return ""
        return self.sources.get(Path(file).name, "") if self.sources else file

    def _span(self, file: str, line: int) -> Span:
        """The whole line, from its first character on: a line table's columns are of little help after inlining."""
        if file not in self.columns:
            try:
                self.columns[file] = (self.root / file).read_text(errors="replace").split("\n")
            except OSError:
                self.columns[file] = []
        text = self.columns[file][line - 1] if 0 < line <= len(self.columns[file]) else ""
        start = len(text) - len(text.lstrip()) + 1
        return Span(file, line, start, line, max(len(text.rstrip()) + 1, start)) if text.strip() else Span(file, line)


def _header(file: str) -> str:
    """`/somewhere/include/spak/cuda/block.h` -> `spak/cuda/block.h`."""
    at = file.rfind("spak/")
    return file[at:] if at >= 0 else Path(file).name
