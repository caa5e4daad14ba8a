"""The front door: which command lines it answers, and that it stays light."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import spak
from spak.pipeline.execution.frontdoor import selection_of


@pytest.mark.parametrize(
    ("argv", "selection"),
    [
        ([], ((), ())),
        (["b", "a"], (("a", "b"), ())),
        (["-j", "4"], ((), ())),
        (["-j4"], ((), ())),
        (["--jobs=4", "a"], (("a",), ())),
        (["--targets", "sim,cpu"], ((), ("cpu", "sim"))),
        (["--targets=sim"], ((), ("sim",))),
        (["--refresh"], None),
        (["--json"], None),
        (["--events", "-"], None),
        (["-j"], None),
        (["--help"], None),
        (["--strict", "a"], None),
    ],
)
def test_selection_of(argv: list[str], selection: object) -> None:
    assert selection_of(argv) == selection


def test_it_imports_next_to_nothing() -> None:
    """Each of these would cost more than the whole no-op."""
    heavy = {"json", "hashlib", "pathlib", "typing", "dataclasses", "subprocess", "click", "pydantic", "doit"}
    code = "import sys; before = set(sys.modules); import spak.pipeline.execution.frontdoor; print(*set(sys.modules) - before)"
    here = {**os.environ, "PYTHONPATH": str(Path(spak.__file__).parent.parent)}  # -S: site would import much of it
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=here)
    loaded = set(done.stdout.split())
    assert "spak.pipeline.execution.frontdoor" in loaded
    assert not loaded & heavy
