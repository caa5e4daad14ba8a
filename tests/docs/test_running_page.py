"""`docs/running.md`: its commands are executed in turn, and print what the page shows."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from spak.cli.root import run as spak

PAGE = Path(__file__).parents[2] / "docs" / "running.md"
PART = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```\w*\n(?P<text>.*?)```|(?P<fence>````?)console\n(?P<console>.*?)(?P=fence)(?!`)",
    re.S,
)


def printed(command: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command prints, ids and durations as the page has them."""
    if command.startswith("spak "):
        monkeypatch.setattr("sys.argv", shlex.split(command))
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            spak()
        text = out.getvalue()
    else:
        done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
        text = done.stdout if done.stdout.endswith("\n") else done.stdout + "\n"
    text = re.sub(r"\b(\d{4})-[0-9a-f]{4}\b", r"\1-7f3a", text)
    return re.sub(r"\(\d+\.\d+ s\)", "(0.001 s)", text)


def test_the_page_shows_what_is_printed(tmp_path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dodo.py").touch()
    page = PAGE.read_text()
    commands = 0

    def again(part: re.Match[str]) -> str:
        nonlocal commands
        if part["file"]:
            (tmp_path / part["file"]).write_text(part["text"])
            return part[0]
        lines = [line for line in part["console"].splitlines() if line.startswith("$ ")]
        commands += len(lines)
        shown = "".join(f"{line}\n{printed(line[2:], tmp_path, monkeypatch)}" for line in lines)
        return f"{part['fence']}console\n{shown}{part['fence']}"

    made = PART.sub(again, page)
    assert commands >= 10
    if update_golden:
        PAGE.write_text(made)
    assert made == page, "run with --update-golden and read the difference"
