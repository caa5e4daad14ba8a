"""What listens to a build: progress, trace, table."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from spak.errors import Diagnostic
from spak.pipeline.execution.result import Result, Status, exit_code
from spak.pipeline.frontends import report
from spak.pipeline.frontends.chrometrace import ChromeTrace
from spak.pipeline.frontends.progress import Progress
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.network import connect

BAD = Diagnostic("SPK204", "it is bad")


def test_progress_without_a_terminal() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress({"event": "begin", "actions": 2})
    progress({"event": "start", "name": "a"})
    progress({"event": "finish", **Result("a", Status.RAN, "input x changed").to_json()})
    progress({"event": "finish", **Result("b", Status.UP_TO_DATE).to_json()})
    progress({"event": "finish", **Result("c", Status.FAILED, diagnostics=(BAD,)).to_json()})
    progress({"event": "finish", **Result("d", Status.FAILED, diagnostics=(BAD,)).to_json()})
    text = stream.getvalue()
    assert "[1/2] a: done (input x changed)\n" in text and "\033" not in text and "\r" not in text
    assert "b:" not in text
    assert text.count("SPK204: it is bad.") == 1, "one finding is told once"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for no_colour, coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_colour)
        stream = Terminal()
        Progress(stream)({"event": "finish", **Result("c", Status.FAILED).to_json()})
        assert ("\033[31m" in stream.getvalue()) == coloured


def test_critical_path_goes_through_what_was_up_to_date() -> None:
    needs = {"a": (), "b": ("a",), "c": ("b",), "d": ("a",)}
    trace = ChromeTrace(needs)
    for name, start, end in (("a", 0.0, 1.0), ("d", 1.0, 1.5), ("c", 1.0, 3.0)):
        trace({"event": "start", "name": name, "t": start, "stage": "s", "reason": ""})
        trace({"event": "finish", "name": name, "t": end, "status": "ran"})
    assert trace.critical_path() == ["a", "c"]


def test_critical_path_of_what_was_judged_anew_after_its_judges() -> None:
    trace = ChromeTrace({"reply": (), "verify": ("reply",)})
    for name, start, end in (("verify", 0.0, 1.0), ("reply", 1.0, 3.0)):
        trace({"event": "start", "name": name, "t": start, "stage": "s", "reason": ""})
        trace({"event": "finish", "name": name, "t": end, "status": "ran"})
    assert trace.critical_path() == ["reply", "verify"]


def test_exit_codes() -> None:
    def code(*statuses: Status) -> int:
        return exit_code([Result(str(n), status) for n, status in enumerate(statuses)])

    assert code() == 0
    assert code(Status.RAN, Status.RESTORED, Status.UP_TO_DATE) == 0
    assert code(Status.WAITING, Status.BLOCKED) == 3
    assert code(Status.WAITING, Status.FAILED) == 1


def test_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    actions, results = [], []
    for target, verdict in (("cpu", "passed"), ("sim", "failed")):
        evidence = f"build/evidence/u/v/{target}/verify.json"
        Path(evidence).parent.mkdir(parents=True)
        Path(evidence).write_text(json.dumps({"verdict": verdict, "not_checked": ["races"]}))
        actions += [
            Action(f"check:u.v@{target}", "check"),
            Action(f"verify:u.v@{target}", "verify", outputs=(evidence,)),
        ]
        good = Status.RAN if verdict == "passed" else Status.FAILED
        results += [Result(f"check:u.v@{target}", Status.RAN), Result(f"verify:u.v@{target}", good)]
    actions.append(Action("check:u.w@cpu", "check"))
    results.append(Result("check:u.w@cpu", Status.BLOCKED, "codegen:u.w.cpp is waiting"))
    found = report.rows(connect(actions), results)
    assert [(row.variant, row.target, row.verdict) for row in found] == [
        ("v", "cpu", "passed"),
        ("v", "sim", "failed"),
        ("w", "cpu", "waiting"),
    ]
    assert found[0].not_checked == ("races",)
    assert report.table(found).splitlines()[1] == "u     v        cpu     passed   build/evidence/u/v/cpu/verify.json"
    assert report.summary(results) == "5 actions: 3 ran, 1 failed, 1 blocked"
