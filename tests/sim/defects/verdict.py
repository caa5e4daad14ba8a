"""Whether a defect was found as its page says, and whether its repaired twin is clean. Knows nothing of how kernels run."""

from __future__ import annotations

from pathlib import Path

from spak.sim.findings import Finding

from defects.drive import Run
from defects.page import Exhibit, Form

WRONG_VALUES = "wrong-values"
# What else a defect of a rule may be reported as: threads that race do so within warps and between them, and whoever reads too
# early may read what nobody has written.
_RACES = frozenset({"race-shared", "race-warp", "race-global", "uninitialised-read"})
_FLIGHTS = _RACES | {"in-flight-read", "in-flight-overwrite", "missing-wait"}
_CONSEQUENCES = {rule: _RACES for rule in ("race-shared", "race-warp", "race-global")}
_CONSEQUENCES |= {rule: _FLIGHTS for rule in ("in-flight-read", "in-flight-overwrite")}


def said(finding: Finding) -> str:
    """A finding in one line, for a test's message."""
    parties = ", ".join(f"{one.role} {one.place.span.line if one.place else '?'}" for one in finding.parties)
    return f"{finding.rule} ({parties}): {finding.sentence}"


def _names(finding: Finding, line: int, word: str, page: str) -> bool:
    for party in finding.parties:
        if party.place and Path(party.place.span.file).name == page:
            lines = [party.place.span.line, *(span.line for span in party.place.callers)]
            if line in lines and (word == "here" or word.removesuffix("s").lower() in party.role.lower()):
                return True
    return False


def match(exhibit: Exhibit, form: Form, run: Run) -> Finding | None:
    """The finding that has the rule and names every line that the page marks."""
    for finding in run.findings:
        if finding.rule == form.rule and all(_names(finding, *place, exhibit.page) for place in form.places):
            return finding
    return None


def missed(exhibit: Exhibit, form: Form, run: Run) -> str:
    """'' or what is wrong with what was found of a defect."""
    heard = "; ".join(map(said, run.findings)) or "nothing"
    if form.counts:
        name, expected, _ = form.counts
        here = [
            line
            for line, word in form.places
            if not any(at == line and any(key.startswith(word) for key in cost) for at, cost in run.costs)
        ]
        if run.counters.get(name) != expected or here:
            return f"{name} is {run.counters.get(name)}, not {expected}; lines without costs: {here}; {run.costs}"
    elif form.rule == WRONG_VALUES:
        if not run.wrong:
            return f"the results are right; found {heard}"
    elif match(exhibit, form, run) is None:
        places = ", ".join(f"{word} {line}" for line, word in form.places)
        return f"not found: {form.rule} ({places}); found {heard}"
    strays = (
        {finding.rule for finding in run.findings} - {form.rule, *form.also} - _CONSEQUENCES.get(form.rule, frozenset())
    )
    return f"also found {', '.join(sorted(strays))}: {heard}" if strays else ""


def unclean(exhibit: Exhibit, run: Run) -> str:
    """'' or what is wrong with a repaired twin."""
    problems = [*map(said, run.findings), *(f"{fault.rule}: {fault}" for fault in run.faults)]
    problems += [f"`{name}` is wrong" for name in run.wrong]
    for name, _, expected in (form.counts for form in exhibit.forms if form.counts):
        if run.counters.get(name) != expected:
            problems.append(f"{name} is {run.counters.get(name)}, not {expected}")
    return "; ".join(problems)
