"""Malformed programs: folders of tests/golden/errors are small projects, with their diagnostics as `spak check` shows them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spak.errors.catalogue import catalogue
from spak.parse.check import check_project

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(GOLDEN.glob("syntax-*"))
FORM = re.compile(r"[\w./-]+:\d+:\d+: SPK\d{3}: (warning: )?\S.*[.?!]( hint: \S.*)?")


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_syntax_diagnostics(case: Path, update_golden: bool) -> None:
    found = check_project(case)
    text = "".join(f"{diagnostic}\n" for diagnostic in found)
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text(), "run with --update-golden and read the difference"
    assert any(d.code.startswith("SPK1") for d in found)
    for line in text.splitlines():
        assert FORM.fullmatch(line), line
    assert {d.code for d in found} <= set(catalogue())
    assert not any(d.severity == "error" and not d.hint for d in found)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 8
