"""What `spak` says where a tool refuses or fails, word for word: folders `tests/golden/errors/run-tool-*`."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from spak.errors.catalogue import catalogue

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(GOLDEN.glob("run-tool-*"))
FORM = re.compile(r"(t\.dsl:\d+:\d+: )?SPK\d{3}: \S.*[.?!] hint: \S.*")


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_message(
    case: Path, tmp_path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spak.cli.root import run

    folder = tmp_path / "project"
    shutil.copytree(case, folder, symlinks=True)
    (folder / "dodo.py").touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["spak", *shlex.split((case / "cmd.txt").read_text())])
    code = run()
    said = capsys.readouterr().err
    found = re.search(r"^.*SPK\d.*", said, re.MULTILINE | re.DOTALL)
    assert found, said
    start = re.search(r"^.*SPK\d", said, re.MULTILINE)
    assert start
    text = f"exit {code}\n{said[start.start() :]}"
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text(), "run with --update-golden and read the difference"
    for line in [line for line in text.splitlines()[1:] if not line.startswith("    ")]:
        assert FORM.fullmatch(line), line
    assert set(re.findall(r"SPK\d{3}", text)) <= set(catalogue())
    assert str(tmp_path) not in text


def test_there_are_enough() -> None:
    assert len(CASES) >= 20
