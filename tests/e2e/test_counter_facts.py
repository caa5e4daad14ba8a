"""The simulator's counters end to end: bank conflicts make a fact true, its rule fires and goes with the next request."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from built import REPO
from realproject import Project

pytestmark = pytest.mark.xdist_group("project")

NAME = "transpose.tiled.cuda"
PADDED = (REPO / "generated/transpose/tiled/cuda/reply.md").read_text()
CONFLICTS = PADDED.replace("tile[TILE][TILE + 1]", "tile[TILE][TILE]")
RULE = "Spread a tile over the banks"
PAGE = (REPO / "docs/simulator.md").read_text()


def laid_out(base: Project, root: Path) -> Project:
    """A copy of the project with one more unit, as if nobody had answered it, and the page's program."""
    project = base.copy(root)
    project.forget(NAME)
    project.put("spak.toml", 'targets = ["sim"]\n')
    shutil.copytree(REPO / "specs/transpose", project.path("specs/transpose"))
    tests = project.path("specs/transpose/tests.transpose.yaml")
    tests.write_text(tests.read_text().partition("\nlarge:")[0] + "\n")
    program = re.search(r"```spak banks\.dsl\n(.*?)```", PAGE, re.DOTALL)
    assert program
    project.put("banks.dsl", program[1])
    return project


def answered(project: Project, reply: str, *flags: str) -> str:
    """Ask for a reply, give it, have it judged; the page that was asked."""
    project.build("transpose", *flags, expect=3)
    page = project.spak("answer", NAME).stdout
    project.spak("answer", NAME, "-", stdin=reply)
    project.build("transpose", *flags)
    return page


def value(project: Project, fact: str) -> tuple[bool, dict[str, int]]:
    found = json.loads(project.spak("facts", "--json", "--fact", fact).stdout)
    (one,) = next(row for row in found["facts"] if row["fact"] == fact)["values"]
    return one["value"], one["numbers"]


def test_bank_conflicts_fire_a_rule_until_they_are_repaired(base: Project, tmp_path: Path) -> None:
    project = laid_out(base, tmp_path / "project")
    assert RULE not in answered(project, CONFLICTS)
    project.spak("run", "banks.dsl", "--target", "sim")
    true, numbers = value(project, "loads_conflict")
    least = numbers["t.shared_load_wavefronts_least"]
    assert true and numbers["t.shared_load_wavefronts"] == 32 * least, "a column of 32 words of one bank"
    assert value(project, "stores_conflict")[0] is False and value(project, "loads_are_scattered")[0] is False
    shown = project.spak("facts").stdout
    said = shown[shown.index("fact loads_conflict") : shown.index("fact stores_conflict")]
    assert said.rstrip() in PAGE and shown[shown.index(f'rule "{RULE}"') :] in PAGE, shown

    page = answered(project, PADDED, "--refresh")
    assert f"- {RULE}: Lanes of a warp touch different words of one bank" in page
    assert project.lock()[NAME]["observed"] == [RULE]
    project.spak("run", "banks.dsl", "--target", "sim")
    true, numbers = value(project, "loads_conflict")
    assert true is False and numbers["t.shared_load_wavefronts"] == numbers["t.shared_load_wavefronts_least"] == least
    assert not project.path(".spak/fired/transpose.json").exists()
    project.build("transpose", "--refresh", expect=3)
    assert RULE not in project.spak("answer", NAME).stdout
