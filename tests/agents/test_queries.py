"""Queries: prompts, replies with a type, re-asks, and where answers may come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spak.agents.journal import Halt
from spak.errors import SpakError
from spak.pipeline.runs.running import replay

from tests.agents.runs import Project, waiting

ASK = """
type Verdict matches { score: int, kind: "good" | "bad" }
task T {
  step judge { verdict = llm.query { role: "judge", prompt: "Judge it.", schema: Verdict, attempts: 2 } }
  step keep { score = verdict.score }
}
"""
PLAIN = 'task T { step ask { a = llm.query { prompt: "One?" } }\n step again { b = llm.query { prompt: "Two after {{a}}?" } } }'


def request(project: Project) -> dict[str, object]:
    found: dict[str, object] = json.loads(project.folder.request.read_text())
    return found


def test_a_query_suspends_and_says_where_the_answer_goes(project: Project) -> None:
    error = project.waits(ASK)
    (told,) = error.diagnostics
    run = project.folder.id
    assert (error.exit_code, told.code, told.span and told.span.line) == (3, "SPK922", 4)
    assert told.message == f"run {run} waits for an answer at step judge"
    assert told.notes == (
        f"read    .spak/runs/{run}/prompt.md",
        f"answer  .spak/runs/{run}/response.txt",
    )
    assert told.hint == f"write the answer to the file below, then run `spak step --resume {run}`"
    query = project.events("query")[0]
    assert request(project)["prompt"] == query.inputs
    assert project.folder.prompt.read_text().startswith(f"<!-- prompt {query.inputs} -->\n")
    assert "judge" in project.folder.prompt.read_text()


def test_the_answer_becomes_a_typed_value(project: Project) -> None:
    project.waits(ASK)
    assert project.answer('Well:\n```json\n{"score": 3, "kind": "good"}\n```\n').verdict.succeeded
    assert project.data("set") == [{"name": "score", "value": 3}]
    assert not project.folder.request.exists() and not project.folder.response.exists()


def test_a_wrong_reply_is_asked_again_with_what_is_wrong(project: Project) -> None:
    project.waits(ASK)
    first = request(project)["prompt"]
    error = waiting(lambda: project.answer('{"score": "high", "kind": "good"}'))
    assert "score is the string 'high', where an integer is needed" in error.diagnostics[0].notes[0]
    assert request(project)["prompt"] != first
    assert "score is the string 'high'" in project.folder.prompt.read_text()
    ended = project.answer("nothing of that sort")
    assert [one.code for one in ended.verdict.why] == ["SPK929"]
    assert [one["accepted"] for one in project.data("answer")] == [False, False]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ("int", "42\n", 42),
        ("float", "```json\n1.5\n```", 1.5),
        ("boolean", "true", True),
        ("string", "  hello\n", "hello"),
        ('"row" | "col"', "row", "row"),
        ('"row" | "col"', '"col"', "col"),
        ("[int]", "[1, 2]", [1, 2]),
        ("Map[String, int]", '{"a": 1}', {"a": 1}),
    ],
)
def test_values_of_types(project: Project, schema: str, text: str, value: object) -> None:
    project.waits(f'task T {{ step s {{ x = llm.query {{ prompt: "?"\n schema: {schema} }} }} }}')
    project.answer(text)
    assert project.data("answer")[0]["value"] == value


@pytest.mark.parametrize("text", ["NaN", '"\\ud800"', "[" * 5000, "9" * 5000, "1.5"])
def test_values_that_are_none(project: Project, text: str) -> None:
    project.waits('task T { step s { x = llm.query { prompt: "?"\n schema: int\n attempts: 1 } } }')
    assert [one.code for one in project.answer(text).verdict.why] == ["SPK929"]


def test_background_goes_before_the_prompt_but_for_what_the_prompt_names(project: Project) -> None:
    project.waits("""
        system_model { axiom: "Numbers decide."  axiom: "Be brief." heuristic: "Tile first." }
        trace_schema { variant I { case P { x: int } } }
        fact big(t: I.P) { return t.x > 1 }
        rule "R" { when: big  apply: "Make it smaller." }
        task T { step s {
          emit I.P { x: 2 }
          a = llm.query { role: "an engineer", prompt: "By {{axiom.1}} say what is next." }
        } }""")
    page = project.folder.prompt.read_text()
    assert "an engineer" in page and "2. Be brief." in page and "1. Tile first." in page
    assert "1. Numbers decide." not in page and "By Numbers decide. say" in page
    assert "- R: Make it smaller." in page


def test_answers_from_a_folder(project: Project) -> None:
    project.write("first", "answers/ask.1.md")
    project.write("second", "answers/again.1.md")
    assert project.run(PLAIN, answers="answers").verdict.succeeded
    assert [(one["text"], one["by"]) for one in project.data("answer")] == [("first", "file"), ("second", "file")]


def test_the_nth_query_of_a_step_takes_the_nth_file_and_waits_where_there_is_none(project: Project) -> None:
    project.write("two", "answers/s.1.md")
    project.write("2", "answers/s.2.md")
    project.waits(
        'task T { step s { a = llm.query { prompt: "?", schema: int }\n b = llm.query { prompt: "?", schema: int } } }',
        answers="answers",
    )
    assert [one["accepted"] for one in project.data("answer")] == [False, True]
    assert project.answer("3").verdict.succeeded


def test_an_answer_for_another_prompt_is_refused(project: Project) -> None:
    project.waits(PLAIN)
    project.folder.response.write_text(f"<!-- prompt sha256:{'0' * 64} -->\nNo.\n")
    with pytest.raises(Halt, match="SPK927"):
        project.resume()
    assert project.folder.response.exists(), "nothing is lost"
    assert project.events()[-1].kind == "query"
    bound = f"<!-- prompt {request(project)['prompt']} -->\nYes.\n"
    waiting(lambda: project.answer(bound))
    assert project.data("answer")[0]["text"] == "Yes.\n"


def test_an_answer_given_by_hand_is_checked_before_it_is_taken(project: Project) -> None:
    project.waits(PLAIN)
    with pytest.raises(Halt, match="SPK927"):
        project.resume(answer=(f"<!-- prompt sha256:{'0' * 64} -->\nNo.".encode(), "x.md"))
    with pytest.raises(Halt, match=r"x\.md:2:3: SPK928: byte 0xff"):
        project.resume(answer=(b"ab\ncd\xff", "x.md"))
    waiting(lambda: project.resume(answer=(b"one", "x.md")))
    assert project.resume(answer=(b"two", "x.md")).verdict.succeeded
    with pytest.raises(SpakError, match="SPK934"):
        project.resume(answer=(b"three", "x.md"))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * (16 << 20) + b"y", "more than"),
    ],
)
def test_a_response_that_is_no_answer_leaves_the_run_waiting(project: Project, data: bytes, what: str) -> None:
    project.waits(PLAIN)
    with pytest.raises(Halt, match=what):
        project.answer(data)
    assert project.folder.request.exists()
    waiting(lambda: project.answer("better"))
    assert project.data("answer")[0]["text"] == "better"


def test_a_response_that_is_a_link_or_a_pipe_is_not_read(project: Project, tmp_path: Path) -> None:
    import os

    project.waits(PLAIN)
    (tmp_path / "secret").write_text("secret")
    project.folder.response.symlink_to(tmp_path / "secret")
    with pytest.raises(Halt, match="not a plain file"):
        project.resume()
    project.folder.response.unlink()
    os.mkfifo(project.folder.response)
    with pytest.raises(Halt, match="not a plain file"):
        project.resume()


def test_a_response_that_was_there_before_the_query_is_set_aside(project: Project) -> None:
    project.waits(PLAIN)
    waiting(lambda: project.answer("one"))
    request_file = project.folder.request.read_bytes()
    project.folder.request.unlink()
    project.folder.response.write_text("early")
    error = waiting(project.resume)
    assert [one.code for one in error.diagnostics] == ["SPK922", "SPK927"]
    assert (project.folder.path / "response.for-event-none.txt").read_text() == "early"
    assert project.folder.request.read_bytes() == request_file


def test_an_answer_counts_once_though_the_next_prompt_is_the_same(project: Project) -> None:
    project.waits('task T { step s { a = llm.query { prompt: "?" }\n b = llm.query { prompt: "?" } } }')
    waiting(lambda: project.answer("one"))
    assert len(project.data("answer")) == 1
    assert project.answer("two").verdict.succeeded


def test_a_response_edited_after_it_was_taken_changes_nothing(project: Project) -> None:
    project.waits(PLAIN)
    waiting(lambda: project.answer("one"))
    for path in (project.folder.path / "answers").iterdir():
        path.write_text("edited")
    assert project.answer("two").verdict.succeeded
    assert [one["text"] for one in project.data("answer")] == ["one", "two"]


def test_frozen_asks_nobody(project: Project) -> None:
    with pytest.raises(Halt, match="SPK939"):
        project.run(PLAIN, handler="frozen")
    project.write("one", "answers/ask.1.md")
    project.write("two", "answers/again.1.md")
    assert project.run(PLAIN, handler="frozen", answers="answers").verdict.succeeded


def test_a_model_that_cannot_be_asked_fails_no_step(project: Project) -> None:
    with pytest.raises(SpakError, match="no model is configured"):
        project.run(PLAIN, handler="live")
    assert [one.kind for one in project.events()] == ["run", "query"]


def test_judges_of_an_evaluation_suspend_like_any_step(project: Project) -> None:
    text = """
        task T {
          step s { n = 1 }
          evaluation { check clarity { clarity = llm.query { prompt: "How clear, 0 to 10?", schema: int } } }
          success: clarity >= 7
        }"""
    project.waits(text)
    assert request(project)["step"] == "clarity"
    assert project.answer("8").verdict.metrics == {"clarity": 8}
    project.waits(text)
    assert project.answer("3").verdict.success is False


def test_a_judges_answer_is_the_number_that_it_is(project: Project) -> None:
    text = """
        task T {
          step s { n = "1" }
          evaluation {
            check clarity { score = llm.query { prompt: "How clear?" } }
            check fair: llm.query { prompt: "Is it fair?" }
            check title -> string { title = llm.query { prompt: "A title?" } }
            check kept: n
          }
          success: score > 0.5 and fair
        }"""
    project.waits(text)
    waiting(lambda: project.answer("0.9\n"))
    waiting(lambda: project.answer("true"))
    ended = project.answer("1984")
    assert ended.verdict.metrics == {"score": 0.9, "fair": True, "title": "1984", "kept": "1"}
    assert ended.verdict.succeeded
    assert replay(project.folder) == (len(project.events()), "")


def test_an_answer_may_become_a_trace(project: Project) -> None:
    project.waits("""
        trace_schema { variant I { case Note { mood: int } } }
        task T { step s { llm.query { prompt: "?" }
          -> emit I.Note } }""")
    project.answer('{"mood": 3}')
    assert project.data("emit")[0]["fields"] == {"mood": 3}
