"""docs/knowledge.md: its example is run for real, and prints what the page says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import spak

PAGE = Path(__file__).resolve().parents[2] / "docs" / "knowledge.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = re.compile(r"\b\d{4}-[0-9a-f]{4}\b")


def command(text: str, folder: Path) -> str:
    """What a command prints on standard output, the run's name aside."""
    argv = shlex.split(text)
    assert argv[0] == "spak"
    env = {"PYTHONPATH": str(Path(spak.__file__).parents[1]), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", *argv], cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return RUN.sub("RUN", done.stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the files of the page."""
    (tmp_path / "dodo.py").touch()
    for _, name, text in BLOCK.findall(PAGE.read_text()):
        if name:
            (tmp_path / name).write_text(text)
    program = (tmp_path / "search.dsl").read_text()
    assert program.count("> 0.125") == 1
    (tmp_path / "stricter.dsl").write_text(program.replace("> 0.125", "> 2"))
    return tmp_path


def test_example_prints_what_the_page_says(folder: Path) -> None:
    sessions = [text for kind, _, text in BLOCK.findall(PAGE.read_text()) if kind == "console"]
    steps = [step for text in sessions for step in re.split(r"^\$ ", text, flags=re.MULTILINE) if step]
    assert len(steps) == 3
    for step in steps:
        line, _, expected = step.partition("\n")
        assert command(line, folder).rstrip() == RUN.sub("RUN", expected).rstrip(), line


def test_the_path_of_a_run_is_what_its_facts_and_rules_make_it(folder: Path) -> None:
    """With the fact falsified, or the rule deleted, the second search never happens."""
    program = (folder / "search.dsl").read_text()
    falsified = program.replace("> 0.125", "> 2")
    start, end = program.index('    rule "Halve'), program.index('    hint "Keep it"')
    made = {"search.dsl": program, "falsified.dsl": falsified}
    found = {}
    for name, text in made.items():
        (folder / name).write_text(text)
        command(f"spak run {name}", folder)
        found[name] = command("spak facts --fact looks_at_everything", folder)
    assert found["search.dsl"].startswith("RUN: 2 traces") and found["falsified.dsl"].startswith("RUN: 1 trace")
    assert "#3       false" in found["falsified.dsl"]
    (folder / "deleted.dsl").write_text(program[:start] + program[end:])
    env = {"PYTHONPATH": str(Path(spak.__file__).parents[1]), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-m", "spak", "run", "deleted.dsl"], cwd=folder, env=env, capture_output=True, text=True
    )
    assert done.returncode == 1 and "recommended.method" in done.stderr, "nothing recommends a method"
