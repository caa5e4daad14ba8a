"""The lock's text: entries to TOML and back, with a place for every mistake. Knows nothing of files or of locking."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lock.entry import Entry, Key, TargetEvidence
from spak.lock.tomlspans import Path, Place, loads, place, places, syntax_error
from spak.model.request import Provenance

VERSION = 1
T = TypeVar("T")

_HEAD = """\
# Which reply was accepted for which request, and on what evidence. Written by `spak build`; commit it, do not edit it.
# After a merge conflict take either side of every hunk and run `spak build`.
version = {version}
"""
_END = "# end"  # whatever cuts the file short cuts this off
_FIELDS = (
    "unit",
    "variant",
    "dialect",
    "spec",
    "request",
    "asked",
    "reply",
    "source",
    "plan",
    "attempts",
    "sample",
    "observed",
)
_PROVENANCE = ("handler", "by", "model", "finish", "tokens_in", "tokens_out", "cost")
_TARGET = ("name", "build", "evidence", "verdict")
_MARKER = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(\s|$)")
_REGENERATE = "restore it from version control, or delete it and run `spak build`: kept replies are judged again"


def dump(entries: Iterable[Entry]) -> bytes:
    """The lock as TOML: sorted entries, one key a line, so that two branches' edits merge where they do not collide."""
    parts = [_HEAD.format(version=VERSION)]
    for entry in sorted(entries, key=lambda e: e.key):
        data = entry.model_dump(mode="json")
        lines = ["", "[[entry]]", *_pairs(data, _FIELDS), *_pairs(data["provenance"], _PROVENANCE)]
        for target in sorted(entry.targets, key=lambda t: t.name):
            lines += ["", "[[entry.target]]", *_pairs(target.model_dump(mode="json"), _TARGET)]
        parts.append("\n".join(lines) + "\n")
    return "".join([*parts, "\n", _END, "\n"]).encode()


def parse(data: bytes, file: str) -> dict[Key, Entry]:
    """Read a lock. Raises SpakError with everything that is wrong, each at its line."""
    text = _decode(data, file)
    _refuse_markers(text, file)
    try:
        tree = loads(text)
    except tomllib.TOMLDecodeError as error:
        message, (line, col) = syntax_error(error, text)
        what = f"the lock is not valid TOML: {message}"
        raise SpakError(Diagnostic("SPK351", what, Span(file, line, col), _hint(message))) from None
    if text.rstrip().rsplit("\n", 1)[-1] != _END:
        span = Span(file, len(text.splitlines()) or 1, 1)
        hint = f"{_REGENERATE}; if nothing is missing, add `{_END}`"
        raise SpakError(Diagnostic("SPK351", f"the lock is cut short: its last line is not `{_END}`", span, hint))
    return _entries(tree, places(text), file)


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        col = error.start - (before.rfind(b"\n") + 1) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise SpakError(Diagnostic("SPK355", what, Span(file, line, col), _REGENERATE)) from None


def _refuse_markers(text: str, file: str) -> None:
    found = Collector()
    for number, line in enumerate(text.splitlines(), 1):
        if not (marker := _MARKER.match(line)):
            continue
        hint = "take either side of the hunk and run `spak build`: what the taken side lacks is judged again, not asked"
        found.add("SPK350", f"merge-conflict marker `{marker[1]}`", Span(file, number, 1), hint)
    found.raise_if_any()


def _hint(message: str) -> str:
    return ("the file seems cut short: " if "end of the text" in message else "") + _REGENERATE


def _entries(tree: dict[str, Any], where: dict[Path, Place], file: str) -> dict[Key, Entry]:
    found = Collector()

    def report(code: str, what: str, path: Path, hint: str = "") -> None:
        line, col = place(where, path)
        found.add(code, what, Span(file, line, col), hint)

    version = tree.pop("version", None)
    if version is None:
        report("SPK352", "the lock states no version", (), f"its first key is `version = {VERSION}`")
    elif version != VERSION:
        hint = "it was written by another SPAK: use that one, or upgrade this one"
        report(
            "SPK352", f"lock version {version!r} is not known; this SPAK reads version {VERSION}", ("version",), hint
        )
    if found.errors:
        found.raise_if_any()
    tables = tree.pop("entry", [])
    for key in tree:
        report("SPK356", f"unknown key `{key}`", (key,), _near(key, ("version", "entry")))
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        report("SPK357", "`entry` must be an array of tables, written `[[entry]]`", ("entry",))
        tables = []
    entries: dict[Key, Entry] = {}
    for index, table in enumerate(tables):
        entry = _entry(table, ("entry", index), report)
        if entry is None:
            continue
        if entry.key in entries:
            name = ".".join(entry.key)
            report("SPK353", f"`{name}` has two entries", ("entry", index), "delete one and run `spak build`")
            continue
        entries[entry.key] = entry
    found.raise_if_any()
    return entries


def _entry(table: dict[str, Any], path: Path, report: Any) -> Entry | None:
    """Build one entry, reporting every mistake in it; None if there was any."""
    known = (*_FIELDS, *_PROVENANCE, "target")
    bad = False
    for key in table:
        if key not in known:
            bad = True
            report("SPK356", f"unknown key `{key}`", (*path, key), _near(key, known))
    targets = table.get("target", [])
    if not isinstance(targets, list) or not all(isinstance(target, dict) for target in targets):
        report("SPK357", "`target` must be an array of tables, written `[[entry.target]]`", (*path, "target"))
        bad, targets = True, []
    for index, target in enumerate(targets):
        for key in target:
            if key not in _TARGET:
                bad = True
                report("SPK356", f"unknown key `{key}`", (*path, "target", index, key), _near(key, _TARGET))
    built: list[TargetEvidence | None] = [
        _checked(TargetEvidence, {k: v for k, v in target.items() if k in _TARGET}, (*path, "target", i), report)
        for i, target in enumerate(targets)
    ]
    provenance = _checked(Provenance, {k: table[k] for k in _PROVENANCE if k in table}, path, report)
    rest = {k: table[k] for k in _FIELDS if k in table}
    # The parts that failed have been reported already; stand-ins let the remaining fields be checked in the same pass.
    whole = provenance or Provenance(handler="replay")
    entry = _checked(Entry, {**rest, "provenance": whole, "targets": tuple(t for t in built if t)}, path, report)
    return None if bad or provenance is None or None in built else entry


def _checked(model: type[T], data: dict[str, Any], path: Path, report: Any) -> T | None:
    try:
        return model(**data)
    except ValidationError as error:
        for one in error.errors():
            key = str(one["loc"][0])
            if one["type"] == "missing":
                report("SPK357", f"the entry has no `{key}`", path, _REGENERATE)
            elif one["type"] == "string_pattern_mismatch" and key not in ("unit", "variant", "dialect", "name"):
                report("SPK354", f"`{key}` is not a digest", (*path, key), "a digest is `sha256:` and 64 hex digits")
            else:
                report("SPK357", f"`{key}`: {one['msg'][:1].lower()}{one['msg'][1:]}", (*path, key))
        return None


def _pairs(data: dict[str, Any], keys: Iterable[str]) -> list[str]:
    return [f"{key} = {_value(data[key])}" for key in keys if data[key] is not None and data[key] != []]


def _value(value: Any) -> str:
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _near(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), 1)
    return f"did you mean `{close[0]}`?" if close else "known keys: " + ", ".join(f"`{name}`" for name in known)
