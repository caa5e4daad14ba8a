"""The plan is TOML and has the shape of a plan. The findings are those of reading it."""

from __future__ import annotations

from collections.abc import Iterable

from spak.check.subject import Finding, Subject

NAME = "plan: schema"
NEEDS = frozenset({"plan text"})


def check(subject: Subject) -> Iterable[Finding]:
    yield from subject.file.findings
