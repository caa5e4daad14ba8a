"""Malformed specs, tests and targets: folders of tests/golden/errors are small projects, with their diagnostics."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spak.errors.catalogue import catalogue
from spak.parse.check import check_project

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(p for pattern in ("spec-*", "tests-*", "target-*", "program-*") for p in GOLDEN.glob(pattern))
FORM = re.compile(r"[\w./-]+:\d+:\d+: SPK\d{3}: (warning: )?\S.*[.?!]( hint: \S.*)?")


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_diagnostics(case: Path, update_golden: bool) -> None:
    found = check_project(case)
    text = "".join(f"{diagnostic}\n" for diagnostic in found)
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(text)
    assert found
    assert text == expected.read_text(), "run with --update-golden and read the difference"
    for line in text.splitlines():
        assert FORM.fullmatch(line), line
    assert {d.code for d in found} <= set(catalogue())
    assert not any(d.severity == "error" and not d.hint for d in found)


def test_there_are_enough() -> None:
    assert len(CASES) >= 50
