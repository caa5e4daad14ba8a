"""Findings as text for people, as JSON, and as SARIF 2.1.0 for code review. Knows nothing of how they were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, Span
from spak.errors.plain import plain
from spak.errors.sarif import Result, log
from spak.sim import profile
from spak.sim.findings import SHOWN, Finding, Party, calls
from spak.sim.profile import Profile
from spak.sim.ran import Ran
from spak.sim.rules import class_of


@dataclass(frozen=True, slots=True)
class About:
    """What a report says beside findings. `diagnostics` say what kept a program from being compiled, or ended it; `status` is
    the exit status; `left_out` counts the findings that were too many."""

    ran: Ran | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    status: int = 0
    profiles: tuple[Profile, ...] = ()
    left_out: int = 0


NOTHING = About()


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By place, those without one last."""
    return tuple(
        sorted(findings, key=lambda one: (one.place is None, one.place.span if one.place else Span(""), one.code))
    )


def text(findings: Sequence[Finding], root: Path = Path(), about: About = NOTHING) -> str:
    """For people: place, code and sentence; the lines of all parties with what each did; the hint; at the end how many there are,
    and what was run. A plain run in which nothing is wrong says nothing.
    """
    said = [_one(finding, root) for finding in findings]
    end = []
    if findings:
        more = f", and {about.left_out} more: see --max-findings" if about.left_out else ""
        end.append(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}: {summary(findings)}{more}")
    if about.ran and (findings or about.ran.mode != "plain"):
        clean = about.ran.mode in ("check", "asan") and not findings and not about.diagnostics
        end += [*(["no findings"] if clean else []), f"run: {about.ran}"]
    said += ["\n".join(end) + "\n"] if end else []
    said += [profile.text(about.profiles)] if about.profiles else []
    said += ["".join(f"{one}\n" for one in about.diagnostics)] if about.diagnostics else []
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
    drawn = finding.parties[:SHOWN]
    width = max((len(str(party.place.span.line)) for party in drawn if party.place), default=1) + 2
    file = place.span.file if place else ""
    for party in drawn:
        out += _party(party, root, width, file)
        file = party.place.span.file if party.place else file
    if len(finding.parties) > SHOWN:
        out.append(f"{'':{width}} = and {len(finding.parties) - SHOWN} more")
    if finding.kernel:
        times = f", seen {finding.count} times" if finding.count > 1 else ""
        schedule = f", schedule {finding.schedule}" if finding.schedule else ""
        out.append(f"{'':{width}} = in kernel `{finding.kernel}`{times}{schedule}")
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


def json(findings: Iterable[Finding], about: About = NOTHING) -> str:
    """One object, keys sorted; docs/simulator.md describes them."""
    whole = {
        "version": 1,
        "status": about.status,
        "run": about.ran.data() if about.ran else None,
        "findings": [data(one) for one in findings],
        "left_out": about.left_out,
        "diagnostics": [one.to_json() for one in about.diagnostics],
        "profiles": [one.data() for one in about.profiles],
    }
    return dumps(whole, indent=2, sort_keys=True) + "\n"


def sarif(findings: Sequence[Finding], about: About = NOTHING) -> str:
    """SARIF 2.1.0: the other parties are related locations; what kept a program from running is a result too."""
    results = [*map(Result, about.diagnostics), *map(_result, findings)]
    properties: dict[str, Any] = {"run": about.ran.data()} if about.ran else {}
    properties |= {"profiles": [one.data() for one in about.profiles]} if about.profiles else {}
    return log("spak sim", results, properties, about.status)


def _result(finding: Finding) -> Result:
    about = {"rule": finding.rule, "class": class_of(finding.rule), "kernel": finding.kernel}
    return Result(finding.diagnostic(), finding.rule, finding.count, about)
