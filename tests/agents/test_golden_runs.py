"""What goes wrong in runs, word for word: folders `tests/golden/errors/run-*` with commands that are executed in turn.

A folder `state` stands for `.spak`. Ids of runs are written as RUN.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from spak.cli.root import run as spak
from spak.errors.catalogue import catalogue

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(one for one in GOLDEN.glob("run-*") if not one.name.startswith("run-tool-"))
FORM = re.compile(r"([\w./<>-]+:\d+:\d+: )?SPK\d{3}: (warning: )?\S.*[.?!] hint: \S.*")


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_message(
    case: Path,
    tmp_path: Path,
    update_golden: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "project"
    shutil.copytree(case, folder)
    (folder / "dodo.py").touch()
    if (folder / "state").exists():
        (folder / "state").rename(folder / ".spak")
    monkeypatch.chdir(folder)
    for line in (case / "cmd.txt").read_text().splitlines():
        monkeypatch.setattr("sys.argv", ["spak", *shlex.split(line)])
        code = spak()
    assert code == (3 if case.name == "run-waits" else 1)
    said = re.sub(r"\b0001-[0-9a-f]{4}\b", "RUN", capsys.readouterr().err)
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(said)
    assert said == expected.read_text(), "run with --update-golden and read the difference"
    told = [line for line in said.splitlines() if re.search(r"\bSPK\d{3}:", line)]
    assert told
    for line in told:
        assert FORM.fullmatch(line), line
    assert set(re.findall(r"SPK\d{3}", said)) <= set(catalogue())


def test_there_are_enough() -> None:
    assert len(CASES) >= 20
