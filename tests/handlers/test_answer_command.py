"""`spak answer`: what waits is listed, and a reply's form is checked before it is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sample_project import Project, reply_text
from spak.cli.answer import command
from spak.codegen import run
from spak.effects import Effects
from spak.errors import SpakError, Waiting
from spak.handlers import select
from spak.handlers.mailbox import Mailbox


@pytest.fixture
def waiting_project(project: Project) -> Project:
    """A project whose build has just ended with exit code 3."""
    (project.root / "dodo.py").write_text("")
    with pytest.raises(Waiting):
        build(project)
    return project


def build(project: Project) -> str:
    do = Effects(asker=select("replay", project.root, {}), judger=project.judge)
    return str(run(project.options(), do).summary["action"])


def spak_answer(*args: str, stdin: str | bytes | None = None) -> Result:
    result = CliRunner().invoke(command, args, input=stdin)
    if isinstance(result.exception, SpakError):
        raise result.exception
    return result


def test_nothing_waits(project: Project) -> None:
    (project.root / "dodo.py").write_text("")
    assert "nothing waits" in spak_answer().stderr
    assert json.loads(spak_answer("--json").stdout) == []


def test_what_waits_is_listed(waiting_project: Project) -> None:
    line = spak_answer().stdout
    assert line == "scale.plain.cpp  attempt 1  .spak/pending/scale.plain.cpp/request.md\n"
    (one,) = json.loads(spak_answer("--json").stdout)
    assert (one["unit"], one["variant"], one["dialect"], one["attempt"], one["answered"]) == (
        "scale",
        "plain",
        "cpp",
        1,
        False,
    )
    assert (waiting_project.root / one["request"]).is_file()


def test_request_is_shown(waiting_project: Project) -> None:
    assert "Write scale." in spak_answer("scale.plain.cpp").stdout
    assert json.loads(spak_answer("scale.plain.cpp", "--json").stdout)["unit"] == "scale"


@pytest.mark.parametrize("source", ["file", "-"])
def test_answer_is_taken_and_built(waiting_project: Project, tmp_path: Path, source: str) -> None:
    (tmp_path / "mine.md").write_text(reply_text())
    args = ("scale.plain.cpp", "-") if source == "-" else ("scale.plain.cpp", str(tmp_path / "mine.md"), "--by", "ann")
    assert "3 lines of code, 3 of plan" in spak_answer(*args, stdin=reply_text()).stdout
    assert "answered" in spak_answer().stdout
    assert build(waiting_project) == "asked"
    entry = waiting_project.entry()
    assert entry and entry.provenance.by == ("hand" if source == "-" else "ann")


def test_malformed_answer_is_refused_with_lines_and_not_stored(waiting_project: Project) -> None:
    bad = reply_text(plan="[[launch]]\nkernel = scale\n")
    with pytest.raises(SpakError, match=r"<stdin>:11:10: SPK311"):
        spak_answer("scale.plain.cpp", "-", stdin=bad)
    assert not Mailbox(waiting_project.root, "scale.plain.cpp").answer.exists()


def test_unknown_name_and_missing_file(waiting_project: Project) -> None:
    with pytest.raises(SpakError, match=r"SPK345.*did you mean `scale\.plain\.cpp`"):
        spak_answer("scale.plan.cpp", "-", stdin=reply_text())
    with pytest.raises(SpakError, match=r"nowhere\.md:1:1: SPK346"):
        spak_answer("scale.plain.cpp", "nowhere.md")
    with pytest.raises(SpakError, match="SPK345"):
        spak_answer("../../etc", "-", stdin=reply_text())
