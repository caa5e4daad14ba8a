"""Choosing a handler, and those that ask nobody: suspend, replay, frozen. When to try again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_project import Project, reply_text, wrong
from spak.codegen import run
from spak.effects import Effects
from spak.errors import SpakError, Waiting
from spak.handlers import names, select
from spak.handlers.mailbox import Mailbox, waiting
from spak.handlers.retry import may_retry, pause, retry_after
from spak.model.outcome import Outcome
from spak.model.request import Message, Request


def request(text: str = "Write it.") -> Request:
    return Request(unit="scale", variant="plain", dialect="cpp", messages=(Message(role="user", content=text),))


def test_every_handler_is_a_file() -> None:
    assert names() == ["frozen", "live", "replay", "suspend"]


@pytest.mark.parametrize("name", ["liv", "retry", "config", "../x"])
def test_unknown_handler(name: str) -> None:
    with pytest.raises(SpakError, match="SPK333"):
        select(name, ".", {})


def test_wrong_configuration_is_told_whole() -> None:
    with pytest.raises(SpakError) as raised:
        select("frozen", ".", {"timeuot": 3, "retries": -1, "api_key": "sk"})
    text = str(raised.value)
    assert "did you mean `timeout`?" in text and "`retries`" in text and "environment only" in text


def test_frozen_never_answers() -> None:
    with pytest.raises(SpakError, match=r"SPK332: scale\.plain\.cpp") as raised:
        select("frozen", ".", {})(request())
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("handler", ["suspend", "replay"])
def test_suspended_request_is_written_and_told_in_three_lines(tmp_path: Path, handler: str) -> None:
    with pytest.raises(Waiting) as raised:
        select(handler, tmp_path, {})(request())
    assert raised.value.exit_code == 3
    lines = str(raised.value).splitlines()
    assert len(lines) == 3 and "scale.plain.cpp waits for an answer" in lines[0]
    assert ".spak/pending/scale.plain.cpp/request.md" in lines[1] and "spak answer scale.plain.cpp FILE" in lines[2]
    (box,) = waiting(tmp_path)
    assert box.request() == request() and "Write it." in (box.folder / "request.md").read_text()


def test_answer_is_taken_and_stays_until_it_is_on_record(tmp_path: Path) -> None:
    handler = select("suspend", tmp_path, {})
    with pytest.raises(Waiting):
        handler(request())
    Mailbox(tmp_path, "scale.plain.cpp").put_answer(b"the answer", {"by": "somebody"})
    for _ in range(2):
        reply = handler(request())
        assert reply.text == "the answer" and (reply.provenance.handler, reply.provenance.by) == ("suspend", "somebody")


def test_answer_put_there_without_the_command_is_by_hand(tmp_path: Path) -> None:
    handler = select("suspend", tmp_path, {})
    with pytest.raises(Waiting):
        handler(request())
    (tmp_path / ".spak/pending/scale.plain.cpp/answer.md").write_text("the answer")
    assert handler(request()).provenance.by == "hand"


def test_answer_to_another_request_is_set_aside_and_explained(tmp_path: Path) -> None:
    handler = select("suspend", tmp_path, {})
    with pytest.raises(Waiting):
        handler(request())
    box = Mailbox(tmp_path, "scale.plain.cpp")
    box.put_answer(b"the answer", {})
    with pytest.raises(Waiting) as raised:
        handler(request("Write it differently."))
    assert [one.code for one in raised.value.diagnostics] == ["SPK330", "SPK331"]
    span = raised.value.diagnostics[1].span
    assert span and (tmp_path / span.file).read_bytes() == b"the answer" and not box.answer.exists()
    assert box.request() == request("Write it differently.")


def test_answer_that_is_not_text_is_told_with_its_place(tmp_path: Path) -> None:
    handler = select("suspend", tmp_path, {})
    with pytest.raises(Waiting):
        handler(request())
    (tmp_path / ".spak/pending/scale.plain.cpp/answer.md").write_bytes(b"ab\nc\xff")
    with pytest.raises(SpakError, match=r"answer\.md:2:2: SPK302"):
        handler(request())


def build(project: Project) -> Outcome:
    """What one `spak build` does for the unit when nobody is configured to answer: a fresh handler every time."""
    return run(project.options(), Effects(asker=select("replay", project.root, {}), judger=project.judge))


def test_a_person_answers_and_the_same_command_goes_on(project: Project) -> None:
    box = Mailbox(project.root, "scale.plain.cpp")
    with pytest.raises(Waiting):
        build(project)
    box.put_answer(wrong(1).encode(), {"by": "hand"})
    with pytest.raises(Waiting) as raised:
        build(project)
    assert "(attempt 2)" in str(raised.value) and "SPK601" in str(raised.value)
    again = box.request()
    assert again and again.attempt == 2 and "wrong 1" in again.messages[2].content
    with pytest.raises(Waiting):
        build(project)
    assert box.request() == again
    box.put_answer(reply_text().encode(), {"by": "hand"})
    outcome = build(project)
    assert outcome.ok and outcome.summary["attempts"] == 2
    entry = project.entry()
    assert entry and (entry.provenance.handler, entry.provenance.by) == ("suspend", "hand")
    assert not box.folder.exists() and build(project).summary["action"] == "replayed"


def test_a_request_that_nobody_needs_any_more_leaves_the_mailbox(project: Project) -> None:
    assert run(project.options(), project.effects(reply_text())).ok
    project.ask_for("Something else.")
    with pytest.raises(Waiting):
        run(
            project.options(),
            Effects(asker=select("replay", project.root, {}), judger=lambda: project.judge("nothing")),
        )
    assert waiting(project.root)
    project.ask_for("Write scale.")
    assert build(project).summary["action"] == "replayed" and waiting(project.root) == []


@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True), st.none() | st.floats(-5, 1e6))
def test_pauses_are_bounded_and_honour_the_server(tried: int, dice: float, wanted: float | None) -> None:
    seconds = pause(tried, dice, first=1.0, longest=60.0, wanted=wanted)
    assert 0 <= seconds <= 60
    if wanted is not None:
        assert seconds == min(max(wanted, 0), 60)
    else:
        assert seconds >= min(2 ** (tried - 1), 60) / 2


def test_what_may_be_tried_again() -> None:
    assert [status for status in (None, 200, 400, 401, 403, 404, 408, 429, 500, 529) if may_retry(status)] == [
        None,
        408,
        429,
        500,
        529,
    ]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sat, 01 Jan 2028 00:00:30 GMT"}, 30),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, datetime(2028, 1, 1, tzinfo=UTC)) == seconds
