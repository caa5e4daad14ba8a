"""The messages of malformed plans and device code, word for word: `tests/golden/errors/{plan,reply-
source}-*/expected.txt`.

Run with SPAK_UPDATE_GOLDEN=1 to write them anew, and read the difference before committing it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from checkbench import ROOT, UNITS, judge

FOLDER = ROOT / "tests/golden/errors"
CASES = sorted(p for pattern in ("plan-*", "reply-source-*") for p in FOLDER.glob(pattern))


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_messages(tmp_path: Path, case: Path) -> None:
    stated = tomllib.loads((case / "case.toml").read_text())
    (source,) = case.glob("kernel.c*")
    judged = judge(
        tmp_path, UNITS[stated["unit"]], source.read_bytes(), (case / "plan.toml").read_bytes(), stated["target"]
    )
    shown = "".join(f"{diagnostic}\n" for diagnostic in judged.diagnostics)
    if os.environ.get("SPAK_UPDATE_GOLDEN"):
        (case / "expected.txt").write_text(shown)
    assert shown == (case / "expected.txt").read_text()
    assert not judged.outcome.ok


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40
