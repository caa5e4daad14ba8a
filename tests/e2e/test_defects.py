"""Ten defects planted in shipped replies: each is rejected with its cause in words, and what is shipped is not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import built
import pytest
from planted import DEFECTS, Defect

JUDGING = Path(__file__).with_name("judging.py")
KERNEL = {"cpp": "kernel.cpp", "cuda": "kernel.cu"}
#: The stage that sees a defect first, where it is not verification.
SEEN_BY = {"overflow-at-large-size": "check", "write-to-an-input": "check"}


def judged(tree: built.Tree, defect: Defect) -> dict[str, Any]:
    module = f"{defect.unit}.{defect.variant}@{defect.target}"
    answer: dict[str, Any] = json.loads(tree.run(sys.executable, str(JUDGING), module).stdout)
    return answer


def test_there_are_ten_of_different_names() -> None:
    assert len({defect.name for defect in DEFECTS}) == 10


@pytest.mark.parametrize("defect", DEFECTS, ids=str)
def test_a_planted_defect_is_rejected_with_its_cause(defect: Defect, tmp_path: Path) -> None:
    tree = built.copy(tmp_path / "tree")
    source = tree.root / "generated" / defect.unit / defect.variant / defect.dialect / KERNEL[defect.dialect]
    source.write_text(defect.plant(source.read_text()))
    verdict = judged(tree, defect)
    assert verdict["stage"] == SEEN_BY.get(defect.name, "verify"), verdict
    said = " ".join(verdict["said"]).lower()
    assert all(word in said for word in defect.words), verdict


SHIPPED = {(d.unit, d.variant, d.target): d for d in DEFECTS}


@pytest.mark.parametrize("defect", SHIPPED.values(), ids=lambda d: f"{d.unit}.{d.variant}@{d.target}")
def test_the_reply_without_the_defect_passes(defect: Defect, tmp_path: Path) -> None:
    assert judged(built.copy(tmp_path / "tree"), defect) == {"stage": "", "said": []}
