"""Malformed traces and knowledge that they break, word for word: folders `tests/golden/errors/facts-*`.

A folder holds a program and either what a child printed (`output.txt`) or a command (`cmd.txt`) to run in it.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from spak.errors import Diagnostic
from spak.errors.catalogue import catalogue
from spak.knowledge import lines
from spak.knowledge.grounding import Grounding
from spak.knowledge.invariants import gate
from spak.knowledge.item import Item
from spak.knowledge.narrow import narrow
from spak.knowledge.values import InvariantValue
from spak.semantics.resolve import load_program

GOLDEN = Path(__file__).parent.parent / "golden" / "errors"
CASES = sorted(GOLDEN.glob("facts-*"))
FORM = re.compile(r"([\w./,-]+( [\w./]+)*:\d+:\d+: )?SPK\d{3}: (warning: )?\S.*[.?!] hint: \S.*")


def printed(case: Path) -> str:
    """The diagnostics of what a child printed, as a step of a run finds them."""
    program = load_program(case, "system.dsl")
    found = lines.parse((case / "output.txt").read_bytes(), program.cases, "step measure")
    told: list[Diagnostic] = list(found.diagnostics)
    grounding = Grounding(program, {"PEAK_GFLOPS": 96.0})
    for seq, line in enumerate(found.found, 1):
        values = grounding.arrive(Item(line.case, line.fields, seq, "measure"))
        told += gate(one for one in values if isinstance(one, InvariantValue))
    for loop in program.loops.values():
        narrow(loop.parameters, grounding.recommendations(), told.append)
    return "".join(f"{one}\n" for one in told)


def run(case: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says on standard error."""
    from spak.cli.root import run as spak

    shutil.copytree(case, folder)
    (folder / "dodo.py").touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["spak", *shlex.split((case / "cmd.txt").read_text())])
    assert spak() == 1
    return capsys.readouterr().err


@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_message(
    case: Path,
    tmp_path: Path,
    update_golden: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = run(case, tmp_path / "it", monkeypatch, capsys) if (case / "cmd.txt").exists() else printed(case)
    expected = case / "expected.txt"
    if update_golden:
        expected.write_text(said)
    assert said and said == expected.read_text(), "run with --update-golden and read the difference"
    for line in [line for line in said.splitlines() if not line.startswith("    the line: ")]:
        assert FORM.fullmatch(line), line
    assert set(re.findall(r"SPK\d{3}", said)) <= set(catalogue())


def test_there_are_enough() -> None:
    assert len(CASES) >= 12
