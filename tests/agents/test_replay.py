"""Replays: a run executed again from its trace alone gives the same bytes, performs nothing, and says where it differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from spak.errors import SpakError
from spak.pipeline.runs.running import replay
from spak.traces.folder import RunFolder

from tests.agents.runs import Project

TEXT = """
trace_schema { variant I { case Size { n: int  seconds: float } } }
fact big(t: I.Size) { return t.n > 1 }
hint "Shrink" { trigger: big  suggestion: "Make it smaller." }
task T {
  step ask { a = llm.query { prompt: "?", schema: int } }
  step act {
    tool.run { cmd: ["sh", "-c", "echo once >> acted; echo $$"] }
    emit I.Size { n: a, seconds: 0.5 }
  }
  step fail { tool.run { cmd: "false" } }
}
"""


def test_a_replay_gives_the_same_bytes_and_performs_nothing(project: Project) -> None:
    project.write("no number", "answers/ask.1.md")
    project.write("3", "answers/ask.2.md")
    project.run(TEXT, answers="answers")
    shutil.rmtree(project.root / "answers")
    (project.root / "t.dsl").unlink()
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
    assert replay(project.folder) == (len(project.events()), "")
    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before
    assert (project.root / "acted").read_text() == "once\n"


def test_a_replay_elsewhere_gives_the_same_bytes(project: Project, tmp_path: Path) -> None:
    project.write("3", "answers/ask.1.md")
    project.run(TEXT, answers="answers")
    there = tmp_path / "elsewhere"
    shutil.copytree(project.folder.path, RunFolder(there, project.folder.id).path)
    assert replay(RunFolder(there, project.folder.id)) == (len(project.events()), "")


def test_a_run_that_waits_is_replayed_as_far_as_it_goes(project: Project) -> None:
    project.waits(TEXT)
    assert replay(project.folder) == (2, "the run has not ended")


@pytest.mark.parametrize(
    ("kind", "old", "new", "part"),
    [
        ("emit", '"n":3', '"n":4', "data.fields.n: 4 -> 3"),
        ("fact", '"value":true', '"value":false', "data.value: false -> true"),
        ("tool", "acted", "other", "data.args.cmd[2]"),
        ("answer", '"text":"3"', '"text":"4"', "outputs"),
        ("query", '"inputs":"sha256:', '"inputs":"sha255:', "inputs"),
        ("rule", "smaller", "bigger", "data.apply"),
        ("step", '"status":"done"', '"status":"gone"', "data.status"),
        ("emit", '"kind":"emit"', '"kind":"set"', "kind"),
        ("tool", '"kind":"tool"', '"kind":"answer"', ""),
        ("tool", '"stdout"', '"stdoot"', ""),
        ("end", '"failed"', '"succeeded"', "data.status"),
    ],
)
def test_a_replay_says_at_which_event_it_differs(project: Project, kind: str, old: str, new: str, part: str) -> None:
    project.write("3", "answers/ask.1.md")
    project.run(TEXT, answers="answers")
    lines = project.folder.trace.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if f'"kind":"{kind}"' in line and old in line)
    lines[at] = lines[at].replace(old, new, 1)
    project.folder.trace.write_text("".join(lines))
    with pytest.raises(SpakError, match=f"SPK926: .* at event {at + 1} ") as caught:
        replay(project.folder)
    (told,) = caught.value.diagnostics
    assert told.span and told.span.line == at + 1
    assert any(note.startswith(part) for note in told.notes)


def test_a_line_in_another_form_differs_too(project: Project) -> None:
    project.write("3", "answers/ask.1.md")
    project.run(TEXT, answers="answers")
    lines = project.folder.trace.read_text().splitlines(keepends=True)
    lines[2] = json.dumps(json.loads(lines[2])) + "\n"
    project.folder.trace.write_text("".join(lines))
    with pytest.raises(SpakError, match="at event 3 the line is written in another form"):
        replay(project.folder)


def test_events_after_the_end_differ(project: Project) -> None:
    project.write("3", "answers/ask.1.md")
    project.run(TEXT, answers="answers")
    events = project.events()
    with project.folder.trace.open("ab") as file:
        file.write(events[-1].to_line().replace(f'"seq":{len(events)}'.encode(), f'"seq":{len(events) + 1}'.encode()))
    with pytest.raises(SpakError, match=f"at event {len(events) + 1} the run is over"):
        replay(project.folder)


def test_the_replay_of_a_trace_that_is_gone_is_no_crash(project: Project) -> None:
    project.run("task t { step a { x = 1 } }")
    project.folder.trace.unlink()
    done = project.spak("trace", "replay")
    assert "SPK909" not in done.stderr and "0 events" in done.stdout, done
