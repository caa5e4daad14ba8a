"""Service loops: events from the command line or standard input, each a step of its own."""

from __future__ import annotations

import json
import os
import signal

import pytest
from spak.pipeline.measuring.services import Services
from spak.pipeline.runs.running import proceed, replay
from spak.pipeline.runs.starting import Order, start

from tests.agents.runs import Project, plain

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # a child only executes a run

SERVICE = """
model { state total: int = 0 }
trace_schema { variant I { case Sum { total: int } } }
service_loop Adder {
  on add(n: int, times: int = 1) { product = n * times
    total = total + product
    emit I.Sum { total: total } }
  on show() { tool.write { path: "total.txt", content: "{{total}}" } }
}
"""


def test_events_are_handled_in_order_and_state_stays(project: Project) -> None:
    ended = project.run(SERVICE, events=['add {"n": 2}', 'add {"n": 3, "times": 2}', "show"])
    assert ended.verdict.succeeded
    assert (project.root / "total.txt").read_text() == "8"
    assert [one.step for one in project.events("step")] == ["add.1", "add.2", "show.3"]
    assert json.loads(project.folder.context.read_text()) == {"total": 8}, "what a handler assigns is its own"
    assert replay(project.folder) == (len(project.events()), "")


def test_a_wrong_event_fails_its_own_step_only(project: Project) -> None:
    events = ['add {"n": "two"}', "subtract", 'add {"m": 1}', "add {", "add []", 'add {"n": 5}']
    ended = project.run(SERVICE, events=events)
    assert not ended.verdict.succeeded
    assert [one["status"] for one in project.data("step")] == ["failed"] * 5 + ["done"]
    assert {one.code for one in ended.verdict.why} == {"SPK936"}
    assert json.loads(project.folder.context.read_text())["total"] == 5
    assert replay(project.folder) == (len(project.events()), "")


def test_events_come_from_standard_input(project: Project) -> None:
    project.write(SERVICE)
    lines = ['{"event": "add", "args": {"n": 2}}', "", '{"event": "add", "n": 3}', "nonsense", '{"event": "show"}']
    told = project.spak("run", "t.dsl", stdin="\n".join(lines) + "\n")
    assert told.returncode == 1
    assert (project.root / "total.txt").read_text() == "5"
    assert [one["status"] for one in project.data("step")] == ["done", "done", "failed", "done"]


def test_what_no_trace_can_hold_is_no_event(project: Project) -> None:
    bad = ['add {"n": NaN}', 'add {"n": 1e400}', 'add {"n": 1, "m": "\\ud800"}', 'add {"n": 1e400']
    ended = project.run(SERVICE, events=[*bad, 'add {"n": 5}'])
    assert [one["status"] for one in project.data("step")] == ["failed"] * 4 + ["done"]
    assert {one.code for one in ended.verdict.why} == {"SPK936"}
    assert replay(project.folder) == (len(project.events()), "")


def test_an_event_that_is_not_utf8_is_refused_not_mended(project: Project) -> None:
    project.write(SERVICE)
    process = project.spak("run", "t.dsl", stdin='{"event": "add", "n": 1}\n{"event": "add", "n": 2, "\udcff": 1}\n')
    assert process.returncode == 1 and "byte 0xff of an event is not UTF-8" in process.stderr
    assert [one["status"] for one in project.data("step")] == ["done", "failed"]


def test_nothing_comes(project: Project) -> None:
    project.write(SERVICE)
    assert project.spak("run", "t.dsl", stdin="").returncode == 0
    assert [one.kind for one in project.events()] == ["run", "end"]


def test_a_killed_service_goes_on_with_the_events_that_follow(project: Project) -> None:
    events = [f'add {{"n": {n}}}' for n in range(1, 9)]
    project.run(SERVICE, events=events)
    wanted = plain(project.events())
    folder = start(project.root, Order("t.dsl", events=events), Services(project.root))
    pid = os.fork()
    if not pid:
        try:
            proceed(folder, lambda said: os.kill(os.getpid(), signal.SIGKILL) if said == "add.5" else None)
        finally:
            os._exit(1)  # whatever happens: there must be no second process that runs tests
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert [one.step for one in project.events("step")] == [f"add.{n}" for n in range(1, 5)]
    assert proceed(folder, lambda _: None).verdict.succeeded
    assert plain(project.events()) == wanted
