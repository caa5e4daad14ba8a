"""Queries of a run that a model answers, over real HTTP: what is asked again, what is recorded, and a provider that is
down.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "handlers"))

import provider
from provider import complete, serving

from tests.agents.runs import Project

TEXT = """
type Mood matches { mood: "good" | "bad"; why: string }
task T {
  step note { tool.run { cmd: "sh note.sh" } }
  step judge { found = llm.query { role: "Be fair." prompt: "How is Ada?" schema: Mood } }
  step keep { tool.write { path: "mood.txt", content: "{{found.mood}}" } }
  evaluation { check sure: llm.query { prompt: "How sure, 0 to 1?" } }
  success: sure > 0.5
}
"""
GOOD = '```json\n{"mood": "good", "why": "she sings"}\n```'


@pytest.fixture
def live(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-0123456789")
    project.write(TEXT)
    project.write("echo once >> notes.txt", "note.sh")
    return project


def configure(project: Project, url: str) -> None:
    rows = [
        'name = "openai/gpt-4o"',
        f'endpoint = "{url}"',
        "retries = 1",
        "backoff = 0.01",
        "price_in = 1.0",
        "price_out = 10.0",
    ]
    project.write("\n".join(["[model]", *rows, ""]), "spak.toml")


def test_a_model_answers_and_is_asked_again_with_what_is_wrong(live: Project) -> None:
    with serving(complete('{"mood": "fine", "why": "?"}'), complete(GOOD), complete("0.9\n")) as server:
        configure(live, server.url)
        told = live.spak("run", "t.dsl", "--handler", "live", "--json")
    assert told.returncode == 0, told.stderr
    first, again, judge = (seen.body["messages"] for seen in server.seen)
    assert [one["role"] for one in first] == ["system", "user"] and "How is Ada?" in first[1]["content"]
    assert again[:2] == first and again[2] == {"role": "assistant", "content": '{"mood": "fine", "why": "?"}'}
    assert "This cannot be taken: mood" in again[3]["content"]
    assert judge == [{"role": "user", "content": "How sure, 0 to 1?"}]
    assert (live.root / "mood.txt").read_text() == "good"
    answers = live.events("answer")
    assert [(one.model, one.tokens_in, one.tokens_out) for one in answers] == [("openai/gpt-4o", 1000, 200)] * 3
    assert [one.cost for one in answers] == [pytest.approx(0.003)] * 3
    assert [one.data["accepted"] for one in answers] == [False, True, True]
    ended = json.loads(told.stdout)
    assert (ended["tokens"], ended["cost"], ended["metrics"]) == (3600, pytest.approx(0.009), {"sure": 0.9})
    assert live.spak("trace", "replay").returncode == 0


def test_a_provider_that_is_down_stops_the_run_and_the_same_run_goes_on(live: Project) -> None:
    with serving(provider.error(503, "closed for today")) as server:
        configure(live, server.url)
        told = live.spak("run", "t.dsl", "--handler", "live")
    run = live.folder.id
    assert told.returncode == 1
    assert "SPK3" in told.stderr and "closed for today" in told.stderr and "Traceback" not in told.stderr
    assert f"spak step --resume {run}" in told.stderr
    with provider.nobody() as url:
        configure(live, url)
        assert live.spak("step", "--resume").returncode == 1, "there is no server at all now"
    assert [one.kind for one in live.events()] == ["run", "tool", "step", "query"], "no step has failed"
    with serving(complete(GOOD), complete("1")) as server:
        configure(live, server.url)
        told = live.spak("step", "--resume")
    assert (told.returncode, told.stdout) == (0, f"run {run} succeeded\n  sure = 1\n")
    assert (live.root / "notes.txt").read_text() == "once\n", "a finished step is not run twice"
    assert live.spak("trace", "replay").returncode == 0
