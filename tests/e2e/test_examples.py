"""The shipped examples that need no kernel, run for real: with recorded answers, suspended and resumed, replayed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path

import exampleruns
import pytest
from exampleruns import Run, drive, run
from realproject import REPO, Project

NAMES = ("greeting", "incident", "coaching")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    """The run of an example with its recorded answers, from beginning to end in one process. Nobody touches it."""

    @functools.cache
    def once(name: str) -> Run:
        root = tmp_path_factory.mktemp("whole") / "project"
        exampleruns.lay_out(root, NAMES)
        return run(Project(root, root.parent / "cache"), name)

    return once


@pytest.fixture
def project(tmp_path: Path) -> Project:
    exampleruns.lay_out(tmp_path / "project", NAMES)
    return Project(tmp_path / "project", tmp_path / "cache")


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_to_its_end_and_replays(whole: Callable[[str], Run], name: str) -> None:
    done = whole(name)
    assert done.events[-1]["data"]["status"] == "succeeded", done.said
    assert all(value is not None for value in done.metrics.values())
    done.replay()


@pytest.mark.parametrize("name", NAMES)
def test_suspended_and_resumed_in_fresh_processes_it_ends_the_same(
    project: Project, whole: Callable[[str], Run], name: str
) -> None:
    parts = drive(project, name)
    assert parts.code == 0, parts.said
    recorded = [path for path in (REPO / f"specs/{name}/answers").iterdir() if path.suffix == ".md"]
    assert parts.answered.total() == len(recorded) == parts.steps - 1
    assert parts.essence() == whole(name).essence()
    parts.replay()


def test_greeting_keeps_what_was_said(whole: Callable[[str], Run]) -> None:
    done = whole("greeting")
    answer = (REPO / "specs/greeting/answers/greet.1.md").read_text()
    assert done.project.path("build/greeting/greeting.txt").read_text().strip() == answer.strip()
    assert done.metrics["words"] == len(answer.split())


def test_greeting_of_somebody_else_fails(project: Project) -> None:
    done = run(project, "greeting", "--arg", "name=Grace", expect=1)
    assert done.of("end")[0]["success"] is False


def test_incident_acts_by_the_rule_that_the_log_bears_out(whole: Callable[[str], Run]) -> None:
    done = whole("incident")
    assert [one["killed"] for one in done.emitted("Lifetime")] == [True, True, True]
    assert set(done.fired()) == {"Take the release back"}
    assert json.loads(done.project.path("build/incident/ticket.json").read_text())["command"].endswith(
        "deployment/orders"
    )
    assert done.metrics["evidence"] == 4
    assert done.of("invariant", invariant="NothingInvented")[-1]["value"] is True


def test_incident_refuses_invented_evidence(project: Project) -> None:
    project.edit("specs/incident/answers/diagnose.1.md", "heap 1978 MB", "heap 2978 MB")
    done = run(project, "incident", expect=1)
    assert done.of("invariant", invariant="NothingInvented")[-1]["value"] is False
    assert "NothingInvented" in done.said


def test_incident_refuses_an_action_that_the_rules_do_not_recommend(project: Project) -> None:
    project.edit("specs/incident/answers/diagnose.1.md", '"action": "rollback"', '"action": "restart"')
    done = run(project, "incident", expect=1)
    assert done.metrics["follows_the_rules"] is False


def test_incident_sends_back_an_answer_of_the_wrong_form(project: Project) -> None:
    answers = project.path("specs/incident/answers")
    good = (answers / "diagnose.1.md").read_text()
    (answers / "diagnose.1.md").write_text(good.replace('"memory"', '"gremlins"'))
    (answers / "diagnose.2.md").write_text(good)
    done = run(project, "incident")
    first, second, _ = done.of("answer")
    assert (first["accepted"], second["accepted"], second["attempt"]) == (False, True, 2)
    assert "cause" in first["why"]


def test_an_order_in_an_answer_is_one_argument(project: Project) -> None:
    """What a model wrote reaches a command as data: the runbook sees a service of that strange name, and refuses it."""
    project.edit("specs/incident/answers/diagnose.1.md", '"service": "orders"', '"service": "orders; touch owned"')
    done = run(project, "incident", expect=1)
    assert "orders; touch owned" in done.said
    assert not project.path("owned").exists()


def test_coaching_remembers_and_keeps_within_bounds(whole: Callable[[str], Run]) -> None:
    done = whole("coaching")
    weeks, plans = done.emitted("Week"), done.emitted("Plan")
    assert [one["week"] for one in weeks] == [1, 2, 3, 4, 5]
    assert all(plan["km"] <= 1.1 * week["km"] for plan, week in zip(plans, weeks, strict=True))
    assert plans[-1]["km"] < 36, "the last advice asked for more than a tenth, and was bounded"
    assert plans[2]["intensity"] == "rest"
    third = next(
        i for i, event in enumerate(done.events) if event["kind"] == "emit" and event["data"]["fields"].get("week") == 3
    )
    after = [event["data"]["rule"] for event in done.events[third:] if event["kind"] == "rule"]
    assert after[0] == "Step back"
    assert done.project.path("build/coaching/plan.md").read_text().count("- after week") == 5


def test_coaching_prompts_hold_what_was_agreed_before(whole: Callable[[str], Run]) -> None:
    prompts = [one["prompt"] for one in whole("coaching").of("query") if "The diary says" in one["prompt"]]
    assert "- after week 1: 26" in prompts[1]
    assert "calf" in prompts[2]
    assert "Step back" in prompts[2]
