"""Diagnostics as SARIF 2.1.0, the form that code review and editors read. Knows nothing of who reports what."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from spak.errors import Diagnostic, Span
from spak.errors.catalogue import catalogue
from spak.errors.plain import plain

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Result:
    """A diagnostic, and what SARIF can say of it beside: the rule's short name, how often it was seen, and properties, which are
    part of what makes two results the same one.
    """

    diagnostic: Diagnostic
    name: str = ""
    count: int = 1
    properties: Mapping[str, Any] = field(default_factory=dict)


def log(tool: str, results: Iterable[Result], properties: Mapping[str, Any], status: int) -> str:
    """A whole log of one run of `tool`, which exits with `status`; `properties` are the run's own."""
    found = list(results)
    known = catalogue()
    names: dict[str, str] = {}
    for one in found:
        names.setdefault(one.diagnostic.code, one.name)
    codes = sorted(names)
    described = [
        {
            "id": code,
            **({"name": names[code]} if names[code] else {}),
            "shortDescription": {"text": known[code].title},
            "fullDescription": {"text": known[code].explain},
            "defaultConfiguration": {"level": "error"},
        }
        for code in codes
    ]
    run = {
        "tool": {"driver": {"name": tool, "rules": described}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": status < 2, "exitCode": status}],
        "results": [_result(one, codes.index(one.diagnostic.code)) for one in found],
        **({"properties": dict(properties)} if properties else {}),
    }
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, sort_keys=True) + "\n"


def _result(one: Result, index: int) -> dict[str, Any]:
    """The first related place is the result's own where it only says more about it."""
    said = one.diagnostic
    related = [(other.what, other.span) for other in said.related if other.span]
    here = related.pop(0)[0] if related and related[0][1] == said.span else ""
    message = "\n".join([said.message, *([f"hint: {said.hint}"] if said.hint else []), *said.notes])
    result: dict[str, Any] = {
        "ruleId": said.code,
        "ruleIndex": index,
        "level": said.severity,
        "kind": "fail",
        "message": {"text": plain(message)},
        "partialFingerprints": {"spakFinding/v1": _print(one)},
        "occurrenceCount": max(one.count, 1),
    }
    if one.properties:
        result["properties"] = dict(one.properties)
    if said.span:
        result["locations"] = [_location(said.span, here)]
    if related:
        result["relatedLocations"] = [
            {"id": number, **_location(span, what)} for number, (what, span) in enumerate(related) if span
        ]
    return result


def _print(one: Result) -> str:
    """What makes two results the same one. Words that have figures in them do not, where there are properties, nor does a spec's
    text that has moved.
    """
    said = one.diagnostic
    spans = [said.span, *(other.span for other in said.related if not other.subject)]
    about = [f"{name}={value}" for name, value in sorted(one.properties.items())] or [said.message]
    parts = [said.code, *about, *(f"{span.file}:{span.line}" for span in spans if span)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _location(span: Span, message: str) -> dict[str, Any]:
    region: dict[str, int] = {"startLine": max(span.line, 1), "startColumn": max(span.col, 1)}
    if span.end_line:
        region |= {"endLine": span.end_line, "endColumn": span.end_col}
    path = Path(span.file)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return place | ({"message": {"text": plain(message)}} if message else {})
