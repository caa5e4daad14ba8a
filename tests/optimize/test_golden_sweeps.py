"""What `spak tune` and `spak bench` say where they refuse, word for word: folders `tests/golden/errors/sweep-*`."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import spak
from spak.errors.catalogue import catalogue

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(GOLDEN.glob("sweep-*"))
FORM = re.compile(r"([\w./-]+:\d+:\d+: )?SPK\d{3}: \S.*[.?!] hint: \S.*")


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_sweep_message(
    case: Path, tmp_path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spak.cli.root import run

    folder = tmp_path / "project"
    shutil.copytree(case, folder)
    (folder / "dodo.py").touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["spak", *shlex.split((case / "cmd.txt").read_text())])
    code = run()
    said = capsys.readouterr().err
    start = re.search(r"^.*SPK\d", said, re.MULTILINE)
    assert start, said
    text = f"exit {code}\n{said[start.start() :]}"
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text(), "run with --update-golden and read the difference"
    assert code == 1
    for line in [line for line in text.splitlines()[1:] if not line.startswith("    ")]:
        assert FORM.fullmatch(line), line
    assert set(re.findall(r"SPK\d{3}", text)) <= set(catalogue())
    assert str(tmp_path) not in text


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 6


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    package = Path(spak.__file__).parent
    used = {code for path in package.rglob("*.py") for code in re.findall(r'"(SPK6[4-6]\d)"', path.read_text())}
    listed = set(
        re.findall(r"^\[(SPK\d{3})\]", (package / "errors" / "codes" / "sweep.toml").read_text(), re.MULTILINE)
    )
    assert used == listed
