"""`spak adopt`: a hand-edited file becomes a reply of its own, is judged like any other, and is never lost."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sample_project import KERNEL, Project, reply_text
from spak.cli.adopt import command
from spak.codegen import run
from spak.codegen.adopting import adopt
from spak.effects import Effects
from spak.errors import SpakError
from spak.model.outcome import Outcome

EDITED = KERNEL.replace("by * x[i]", "by * x[i] /* mine */")
NAME = "scale.plain.cpp"


@pytest.fixture(autouse=True)
def locked(project: Project) -> None:
    """The project has an accepted reply."""
    assert run(project.options(), project.effects(reply_text())).ok
    project.asked.clear()
    project.judged.clear()


def codes(outcome: Outcome) -> list[str]:
    return [one["code"] for one in outcome.diagnostics]


def test_an_edit_is_judged_and_locked(project: Project) -> None:
    project.kernel.write_text(EDITED)
    assert codes(run(project.options(), project.effects())) == ["SPK320"]
    adopt(project.root, NAME)
    before = project.entry()
    outcome = run(project.options(), project.effects())
    assert outcome.summary["action"] == "adopted" and project.judged == [EDITED] and project.asked == []
    entry = project.entry()
    assert entry and before and entry.source != before.source and entry.request == before.request and entry.asked == ""
    assert (entry.provenance.handler, entry.provenance.by) == ("adopt", "hand")
    assert project.kernel.read_text() == EDITED and "mine" in (project.folder / "reply.md").read_text()
    assert not (project.folder / "attempts").exists()
    assert run(project.options(), Effects()).summary["action"] == "replayed"


def test_nothing_is_locked_before_it_is_judged(project: Project) -> None:
    before = project.entry()
    project.kernel.write_text(EDITED)
    adopt(project.root, NAME)
    assert project.entry() == before


def test_an_edit_that_fails_is_told_and_left_alone(project: Project) -> None:
    before = project.entry()
    project.kernel.write_text(EDITED.replace("by *", "2 *"))
    adopt(project.root, NAME)
    outcome = run(project.options(), project.effects())
    assert codes(outcome) == ["SPK329", "SPK601"] and project.entry() == before
    assert project.kernel.read_text() == EDITED.replace("by *", "2 *")
    assert codes(run(project.options(), project.effects())) == ["SPK320"]
    project.kernel.write_text(EDITED)
    adopt(project.root, NAME)
    assert run(project.options(), project.effects()).summary["action"] == "adopted"


def test_a_failed_edit_can_be_undone(project: Project) -> None:
    project.kernel.write_text(EDITED.replace("by *", "2 *"))
    adopt(project.root, NAME)
    assert not run(project.options(), project.effects()).ok
    project.kernel.write_text(KERNEL)
    assert run(project.options(), Effects()).summary["action"] == "replayed"


def test_an_edit_after_adopting_is_not_overwritten(project: Project) -> None:
    project.kernel.write_text(EDITED)
    adopt(project.root, NAME)
    project.kernel.write_text(EDITED.replace("mine", "mine still"))
    outcome = run(project.options(), project.effects())
    assert codes(outcome) == ["SPK320"] and "mine still" in project.kernel.read_text()
    adopt(project.root, NAME)
    assert run(project.options(), project.effects()).summary["action"] == "adopted"


def test_adopting_while_the_request_has_changed_asks_nobody(project: Project) -> None:
    project.kernel.write_text(EDITED)
    project.ask_for("Something else.")
    adopt(project.root, NAME)
    assert run(project.options(), project.effects()).summary["action"] == "adopted" and project.asked == []


def test_files_without_a_lock_entry(project: Project) -> None:
    (project.root / "spak.lock").unlink()
    project.kernel.write_text(EDITED)
    assert codes(run(project.options(), project.effects())) == ["SPK325"]
    adopt(project.root, NAME)
    assert run(project.options(), project.effects()).summary["action"] == "adopted"


def test_what_cannot_be_adopted(project: Project) -> None:
    with pytest.raises(SpakError, match=r"SPK347.*just what the lock pins"):
        adopt(project.root, NAME)
    with pytest.raises(SpakError, match=r"SPK347.*there are: scale\.plain\.cpp"):
        adopt(project.root, "scale")
    with pytest.raises(SpakError, match=r"generated/scale/other/cpp/kernel\.cpp:1:1: SPK347"):
        adopt(project.root, "scale.other.cpp")
    (project.folder / "plan.toml").write_text("[[launch]]\nkernel = 3\n")
    with pytest.raises(SpakError, match=r"generated/scale/plain/cpp/plan\.toml:2:1: SPK313"):
        adopt(project.root, NAME)
    project.kernel.write_bytes(b"\n\xff")
    with pytest.raises(SpakError, match=r"kernel\.cpp:2:1: SPK302"):
        adopt(project.root, NAME)


def test_command(project: Project) -> None:
    (project.root / "dodo.py").write_text("")
    project.kernel.write_text(EDITED)
    result = CliRunner().invoke(command, [NAME])
    assert result.exit_code == 0 and "taken in" in result.stdout
    assert run(project.options(), project.effects()).summary["action"] == "adopted"
