"""Questions, which are no requests for kernels: every handler answers them, and nobody expects two code blocks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from provider import complete, serving
from spak.cli.answer import command
from spak.effects.asking import digest_of
from spak.errors import SpakError, Waiting
from spak.handlers import select
from spak.handlers.mailbox import Mailbox, name_of, waiting
from spak.model.request import Message, Question, Request

NAME = "run-7f3a.diagnose"


def question(text: str = "Why is it slow?", name: str = NAME, **more: Any) -> Question:
    return Question(name=name, messages=(Message(role="user", content=text),), **more)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which one question waits."""
    (tmp_path / "dodo.py").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Waiting, match=rf"SPK330: {NAME} waits"):
        select("suspend", tmp_path, {})(question(reply_schema={"type": "string"}))
    return tmp_path


def spak_answer(*args: str, stdin: str | bytes | None = None) -> str:
    result = CliRunner().invoke(command, args, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_question_is_listed_and_shown_with_its_schema(project: Path) -> None:
    assert spak_answer() == f"{NAME}  attempt 1  .spak/pending/{NAME}/request.md\n"
    (one,) = json.loads(spak_answer("--json"))
    assert (one["kind"], one["unit"], one["answered"]) == ("question", "", False)
    page = spak_answer(NAME)
    assert "Why is it slow?" in page and '"type": "string"' in page and "fenced blocks" not in page


def test_an_answer_in_plain_words_is_taken_and_reaches_who_asked(project: Path) -> None:
    assert "taken (1 lines); run the same command again" in spak_answer(NAME, "-", "--by", "ann", stdin="Memory.\n")
    assert "answered, run the same command to go on" in spak_answer()
    reply = select("suspend", project, {})(question(reply_schema={"type": "string"}))
    assert (reply.text, reply.provenance.by) == ("Memory.\n", "ann")
    Mailbox(project, NAME).close()
    assert waiting(project) == []


@pytest.mark.parametrize(("data", "code"), [(b" \n", "SPK301"), (b"ab\n\xff", "2:1: SPK302")])
def test_an_answer_that_is_no_text_is_refused_and_not_stored(project: Path, data: bytes, code: str) -> None:
    with pytest.raises(SpakError, match=f"<stdin>:.*{code}"):
        spak_answer(NAME, "-", stdin=data)
    assert not Mailbox(project, NAME).answer.exists()


def test_an_answer_to_another_question_is_set_aside(project: Path) -> None:
    Mailbox(project, NAME).put_answer(b"Memory.", {})
    with pytest.raises(Waiting) as raised:
        select("suspend", project, {})(question("Why is it wrong?"))
    assert [one.code for one in raised.value.diagnostics] == ["SPK330", "SPK331"]
    assert "what the question is made of has changed" in str(raised.value)


def test_the_name_is_no_part_of_the_digest_and_the_rest_is() -> None:
    assert digest_of(question()) == digest_of(question(name="other"))
    assert len({digest_of(one) for one in (question(), question("x"), question(attempt=2), question(model="m"))}) == 4


@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "", ".hidden", "x" * 300, "ä/ö", "-rf", "a\nb", "a:b"])
def test_any_name_is_that_of_a_folder_of_its_own(tmp_path: Path, name: str) -> None:
    found = name_of(question(name=name))
    assert Path(found).name == found and len(found) < 120 and not found.startswith((".", "-"))
    assert found != name_of(question(name=name + "?")) and found.isascii()
    with pytest.raises(Waiting):
        select("suspend", tmp_path, {})(question(name=name))
    assert [box.name for box in waiting(tmp_path)] == [found]


def test_frozen_refuses_questions(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match=rf"SPK332: {NAME} needs an answer that is not on record"):
        select("frozen", tmp_path, {})(question())


def test_a_live_provider_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-0123456789")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(complete("Memory.")) as server:
        table = {"name": "openai/gpt-4o", "endpoint": server.url, "retries": 0, "timeout": 20.0}
        reply = select("live", ".", table)(question(reply_schema={"type": "string"}))
    assert reply.text == "Memory." and reply.provenance.model == "openai/gpt-4o"
    assert server.seen[0].body["messages"] == [{"role": "user", "content": "Why is it slow?"}]
    assert "response_format" not in server.seen[0].body


def test_requests_keep_their_digest_and_their_form(tmp_path: Path) -> None:
    request = Request(unit="u", variant="v", dialect="cpp", messages=(Message(role="user", content="Write."),))
    assert digest_of(request) == "sha256:ab156a74b32253e772cf4d7afbd710b8ecd7bc34ce6ec5763c854446c2c97dc2"
    with pytest.raises(Waiting):
        select("suspend", tmp_path, {})(request)
    box = Mailbox(tmp_path, "u.v.cpp")
    assert box.asked == digest_of(request) and box.request() == request
    page = (box.folder / "request.md").read_text()
    assert "Write the reply (two fenced blocks, see its end) to a file and run: spak answer u.v.cpp FILE" in page
