"""What `spak lift`, `improve` and `report` say where something is wrong, word for word: folders `tests/golden/errors/lift-*`.

A folder holds the arguments (`cmd.txt`), what is answered each time something is asked (`reply.md`), the folder of a run
(`run/`), and whatever else the command reads.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from spak.errors.catalogue import catalogue
from spak.handlers.mailbox import waiting

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(GOLDEN.glob("lift-*"))
FORM = re.compile(r"([\w./-]+:\d+:\d+: )?SPK\d{3}: \S.*[.?!]( hint: \S.*)?")


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_message(
    case: Path, tmp_path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spak.cli.root import run

    folder = tmp_path / "project"
    shutil.copytree(case, folder)
    (folder / "dodo.py").touch()
    if (folder / "run").is_dir():
        shutil.copytree(folder / "run", folder / ".spak/runs/0001-aaaa")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["spak", *shlex.split((case / "cmd.txt").read_text())])
    code = run()
    while (case / "reply.md").exists() and (boxes := waiting(folder)):
        boxes[0].put_answer((case / "reply.md").read_bytes(), {})
        capsys.readouterr()
        code = run()
    said = capsys.readouterr()
    text = f"exit {code}\n{said.err}"
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text(), "run with --update-golden and read the difference"
    lines = [line for line in text.splitlines()[1:] if not line.startswith("    ")]
    assert lines and all(FORM.fullmatch(line) for line in lines if "SPK" in line), lines
    assert code != 0 and set(re.findall(r"SPK\d{3}", text)) <= set(catalogue())
    assert str(tmp_path) not in text


def test_there_are_enough() -> None:
    assert len(CASES) >= 15
