"""Findings as text for people, as JSON, and as SARIF 2.1.0 for code review. Knows nothing of how they were found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spak.errors import Span
from spak.errors.catalogue import catalogue
from spak.errors.plain import plain
from spak.sim.findings import Finding, Party, calls
from spak.sim.rules import class_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SHOWN = 12  # parties of one finding that are drawn; a deadlock may have hundreds


def text(findings: Sequence[Finding], root: Path = Path()) -> str:
    """For people: place, code and sentence; the lines of all parties with what each did; the hint; a count at the end."""
    said = [_one(finding, root) for finding in findings]
    if findings:
        said.append(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}: {summary(findings)}\n")
    return plain("\n".join(said))


def summary(findings: Sequence[Finding]) -> str:
    """`2 race-shared, 1 deadlock`."""
    names = [finding.rule for finding in findings]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))


def _one(finding: Finding, root: Path) -> str:
    place = finding.place
    where = f"{place.span}: " if place else ""
    sentence = finding.sentence if finding.sentence.endswith((".", "?", "!")) else finding.sentence + "."
    out = [f"{where}{finding.code}: {sentence} [{finding.rule}]"]
    drawn = finding.parties[:_SHOWN]
    width = max((len(str(party.place.span.line)) for party in drawn if party.place), default=1) + 2
    file = place.span.file if place else ""
    for party in drawn:
        out += _party(party, root, width, file)
        file = party.place.span.file if party.place else file
    if len(finding.parties) > _SHOWN:
        out.append(f"{'':{width}} = and {len(finding.parties) - _SHOWN} more")
    if finding.kernel:
        times = f", seen {finding.count} times" if finding.count > 1 else ""
        schedule = f", schedule {finding.schedule}" if finding.schedule else ""
        out.append(f"{'':{width}} = in kernel `{finding.kernel}`{times}{schedule}")
    if finding.origin:
        out.append(f"{'':{width}} = made from {finding.origin.file}:{finding.origin.line}")
    if finding.hint:
        out.append(f"{'':{width}} = hint: {finding.hint}")
    return "\n".join(out) + "\n"


def _party(party: Party, root: Path, width: int, file: str) -> list[str]:
    """A source line with what happened there below it."""
    if party.place is None:
        return [f"{'':{width}} = {line}" for line in str(party).splitlines()]
    span = party.place.span
    out = [f"{'':{width}}--> {span.file}:{span.line}"] if span.file != file else []
    line = _line(root, span)
    said = str(party).splitlines() or [""]
    if line.strip():
        blank = " " * (len(line) - len(line.lstrip()))
        mark = "^" * max(len(line.strip()), 1)
        out.append(f"{span.line:>{width}} | {line}")
        if len(line) + len(said[0]) <= 110:
            out.append(f"{'':{width}} | {blank}{mark} {said[0]}")
        else:
            out += [f"{'':{width}} | {blank}{mark}", f"{'':{width}} | {blank}{said[0]}"]
    else:
        out.append(f"{span.line:>{width}} | {said[0]}")
    out += [f"{'':{width}} | {more}" for more in said[1:]]
    return out + [f"{'':{width}} = {note}" for note in calls(party.place)]


def _line(root: Path, span: Span) -> str:
    try:
        lines = (root / span.file).read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return lines[span.line - 1].rstrip().expandtabs(4) if 0 < span.line <= len(lines) else ""


def data(finding: Finding) -> dict[str, Any]:
    """One finding as plain data: the form of evidence and of `--report json`."""
    out: dict[str, Any] = {
        "code": finding.code,
        "rule": finding.rule,
        "class": class_of(finding.rule),
        "sentence": finding.sentence,
        "hint": finding.hint,
        "kernel": finding.kernel,
        "count": finding.count,
        "parties": [_party_data(party) for party in finding.parties],
    }
    if finding.schedule:
        out["schedule"] = finding.schedule
    if finding.origin:
        out["origin"] = {"file": finding.origin.file, "line": finding.origin.line}
    return out


def _party_data(party: Party) -> dict[str, Any]:
    place = party.place
    return {
        "role": party.role,
        "what": party.what,
        "threads": party.threads,
        "file": place.span.file if place else "",
        "line": place.span.line if place else 0,
        "column": place.span.col if place else 0,
        "function": place.function if place else "",
        "through": list(place.through) if place else [],
        "called_from": [[span.file, span.line] for span in place.callers] if place else [],
    }


def json(findings: Iterable[Finding]) -> str:
    """`{"version": 1, "findings": [...]}`, sorted keys."""
    return dumps({"version": 1, "findings": [data(one) for one in findings]}, indent=2, sort_keys=True) + "\n"


def sarif(findings: Sequence[Finding]) -> str:
    """SARIF 2.1.0, as code review and editors read it: the other parties are related locations."""
    known = catalogue()
    codes = sorted({finding.code for finding in findings})
    described = [
        {
            "id": code,
            "name": next(one.rule for one in findings if one.code == code),
            "shortDescription": {"text": known[code].title},
            "fullDescription": {"text": known[code].explain},
            "defaultConfiguration": {"level": "error"},
        }
        for code in codes
    ]
    run = {
        "tool": {"driver": {"name": "spak sim", "rules": described}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code)) for finding in findings],
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, sort_keys=True) + "\n"


def _result(finding: Finding, index: int) -> dict[str, Any]:
    placed = [(party, party.place.span) for party in finding.parties if party.place]
    message = "\n".join([finding.sentence, *([f"hint: {finding.hint}"] if finding.hint else [])])
    print_of = [finding.rule, finding.kernel, *(f"{span.file}:{span.line}" for _, span in placed)]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "error",
        "kind": "fail",
        "message": {"text": plain(message)},
        "partialFingerprints": {"spakFinding/v1": hashlib.sha256("\0".join(print_of).encode()).hexdigest()[:32]},
        "occurrenceCount": max(finding.count, 1),
        "properties": {"rule": finding.rule, "class": class_of(finding.rule), "kernel": finding.kernel},
    }
    if placed:
        result["locations"] = [_location(placed[0][1], str(placed[0][0]))]
    related = [_location(span, str(party)) for party, span in placed[1:]]
    related += [
        _location(one, "called from here") for party in finding.parties if party.place for one in party.place.callers
    ]
    if finding.origin:
        related.append(_location(finding.origin, "the kernel was made from this"))
    if related:
        result["relatedLocations"] = [{"id": i, **one} for i, one in enumerate(related)]
    return result


def _location(span: Span, message: str) -> dict[str, Any]:
    region: dict[str, int] = {"startLine": max(span.line, 1), "startColumn": max(span.col, 1)}
    if span.end_line:
        region |= {"endLine": span.end_line, "endColumn": span.end_col}
    path = Path(span.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": region},
        "message": {"text": plain(message)},
    }
