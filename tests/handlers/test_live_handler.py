"""The live path against a real HTTP server: what is sent, what is taken, what is tried again, and what is never
locked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import provider
import pytest
from provider import complete, serving
from sample_project import KERNEL, Project, reply_text, wrong
from spak.codegen import run
from spak.effects import Effects
from spak.errors import SpakError
from spak.handlers import select
from spak.model.request import Message, Reply, Request

SECRET = "sk-not-a-real-key-0123456789"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def request(**changes: Any) -> Request:
    messages = (Message(role="system", content="You write kernels."), Message(role="user", content="Write one."))
    base: dict[str, Any] = {
        "unit": "u",
        "variant": "v",
        "dialect": "cpp",
        "messages": messages,
        "sampling": {"temperature": 0.5},
    }
    return Request(**(base | changes))


def same_environment() -> None:
    """One client answers what is asked in one environment; pytest writes the name of each test into its own."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


def ask(url: str, asked: Request | None = None, **config: Any) -> Reply:
    table = {"name": "openai/gpt-4o", "endpoint": url, "backoff": 0.01, "retries": 2, "timeout": 20.0} | config
    same_environment()
    return select("live", ".", table)(asked or request())


def failure(url: str, **config: Any) -> str:
    with pytest.raises(SpakError) as raised:
        ask(url, **config)
    return str(raised.value)


@pytest.mark.parametrize("stream", [True, False])
def test_success(stream: bool) -> None:
    text = reply_text(words="äöü \N{SNOWMAN}")
    with serving(complete(text)) as server:
        reply = ask(server.url, stream=stream)
    assert reply.text == text
    got = reply.provenance
    assert (got.handler, got.by, got.finish, got.tokens_in, got.tokens_out) == (
        "live",
        "openai/gpt-4o",
        "stop",
        1000,
        200,
    )
    assert got.cost is not None and got.cost > 0
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions" and seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.body["messages"] == [message.model_dump() for message in request().messages]
    assert seen.body["temperature"] == 0.5 and seen.body.get("stream", False) is stream


@pytest.mark.parametrize("stream", [True, False])
def test_counts_the_provider_does_not_give_are_unknown(stream: bool) -> None:
    with serving(complete("x", usage=False)) as server:
        got = ask(server.url, stream=stream).provenance
    assert (got.tokens_in, got.tokens_out, got.cost) == (None, None, None)


def test_429_is_tried_again_when_the_server_says(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(provider.error(429, "slow down", retry_after="1"), complete("x")) as server:
        started = time.monotonic()
        assert ask(server.url, backoff=0.0).text == "x"
    assert len(server.seen) == 2 and time.monotonic() - started > 1
    assert "u.v.cpp: the provider failed (429): slow down; next try in 1.0 s (1 of 2)" in capsys.readouterr().err


def test_500_is_tried_again() -> None:
    with serving(provider.error(500), provider.error(503), complete("x")) as server:
        assert ask(server.url).text == "x"
    assert len(server.seen) == 3


def test_tries_are_limited() -> None:
    with serving(provider.error(500, "boom")) as server:
        told = failure(server.url, retries=1)
    assert "SPK337" in told and "boom (2 tries)" in told and len(server.seen) == 2


def test_connection_refused() -> None:
    with provider.nobody() as url:
        assert "SPK338" in failure(url, retries=1)


@pytest.mark.parametrize("stream", [True, False])
def test_time_out(stream: bool) -> None:
    with serving(provider.silent) as server:
        assert "SPK339: u.v.cpp: no answer within 1 s" in failure(server.url, timeout=1.0, retries=0, stream=stream)


def test_time_out_is_tried_again() -> None:
    """More than once, where a busy machine does not get an answer through in a second."""
    with serving(provider.silent, complete("x")) as server:
        assert ask(server.url, timeout=1.0, retries=30).text == "x"
    assert len(server.seen) >= 2


def test_wrong_key_is_final_and_never_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with serving(provider.error(401, "Incorrect API key provided: echo_key")) as server:
        told = failure(server.url)
    assert "SPK336" in told and "provided: ***" in told and len(server.seen) == 1
    assert SECRET not in told + "".join(capfd.readouterr())


@pytest.mark.parametrize("status", [400, 404, 422])
def test_rejected_requests_are_final(status: int) -> None:
    with serving(provider.error(status, "no such model")) as server:
        assert "SPK340" in failure(server.url)
    assert len(server.seen) == 1


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("body", [b'{"id": "1", "choi', b"<html>not here</html>", b'{"id": "1", "choices": []}'])
def test_unusable_bodies(stream: bool, body: bytes) -> None:
    with serving(provider.raw(body)) as server:
        assert "SPK341" in failure(server.url, retries=0, stream=stream)


def test_stream_that_breaks_off_is_not_taken_for_an_answer() -> None:
    with serving(provider.broken_stream(reply_text()), complete("whole")) as server:
        assert ask(server.url, retries=1).text == "whole"
    assert len(server.seen) == 2


def settle(project: Project, url: str, **config: Any) -> Any:
    """The codegen stage with the live handler and a judge of the test's own."""
    table = {"name": "openai/gpt-4o", "endpoint": url, "backoff": 0.01, "retries": 1} | config
    same_environment()
    return run(project.options(), Effects(asker=select("live", project.root, table), judger=project.judge))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("step", "code"),
    [
        (complete(reply_text()[:40], finish="length"), "SPK323"),
        (complete("", finish="content_filter"), "SPK324"),
        (complete(None, refusal="I can't help with that."), "SPK324"),
    ],
    ids=["truncated", "filtered", "refused"],
)
def test_truncated_and_refused_replies_are_final_and_never_locked(
    project: Project, stream: bool, step: provider.Step, code: str
) -> None:
    with serving(step) as server, pytest.raises(SpakError, match=code):
        settle(project, server.url, stream=stream)
    assert len(server.seen) == 1 and project.tree() == {}


def test_wrong_format_and_failing_replies_are_repaired(project: Project) -> None:
    with serving(complete("Just words."), complete(wrong(1)), complete(reply_text())) as server:
        outcome = settle(project, server.url)
    assert outcome.ok and outcome.summary["attempts"] == 3 and outcome.summary["cost"] > 0
    assert project.kernel.read_text() == KERNEL
    last = server.seen[2].body["messages"]
    assert [one["role"] for one in last] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "SPK306" in last[3]["content"] and "SPK601" in last[5]["content"] and "wrong 1" in last[4]["content"]
    entry = project.entry()
    assert entry and entry.provenance.model == "openai/gpt-4o" and entry.provenance.tokens_in == 1000


def test_no_key_is_ever_written(project: Project) -> None:
    with serving(complete(reply_text())) as server:
        assert settle(project, server.url).ok
    for path in project.root.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_missing_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpakError, match=r"SPK334.*pip install 'spak\[llm\]'"):
        select("live", ".", {"name": "m"})


def test_no_model() -> None:
    with pytest.raises(SpakError, match="SPK335"):
        select("live", ".", {})(request())


def test_named_key_that_is_not_set() -> None:
    told = failure("http://127.0.0.1:1/v1", key="SURELY_NOT_SET")
    assert "SPK336" in told and "SURELY_NOT_SET" in told


def test_an_endpoint_with_a_model_of_its_own_and_configured_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("MY_KEY", SECRET)
    with serving(complete("x", usage=True)) as server:
        reply = ask(server.url, name="Qwen/coder-32b", key="MY_KEY", price_in=1.0, price_out=10.0)
    assert reply.provenance.cost == pytest.approx((1000 * 1.0 + 200 * 10.0) / 1e6)
    assert (
        server.seen[0].body["model"] == "Qwen/coder-32b"
        and server.seen[0].headers["authorization"] == f"Bearer {SECRET}"
    )


def test_child_that_breaks_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "litellm.py").write_text(
        "import os, sys\nprint('dying', os.environ['OPENAI_API_KEY'], file=sys.stderr)\nos._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = failure("http://127.0.0.1:1/v1")
    assert "SPK342" in told and "exit status 7" in told and "dying ***" in told


def test_a_client_at_work_ends_with_who_asked_it() -> None:
    """It waits for a slow provider, not for us; yet nobody is left to take the answer."""
    order = {"name": "u", "model": "openai/gpt-4o", "sampling": {}, "messages": [{"role": "user", "content": "?"}]}
    config = {"retries": 0, "backoff": 0, "backoff_max": 0, "timeout": 600, "stream": False, "key": ""}
    asked = threading.Event()

    def never(call: provider.Call) -> None:
        asked.set()
        provider.silent(call)

    with serving(never) as server:
        line = json.dumps({**order, "endpoint": server.url, "config": config}).encode() + b"\n"
        argv = [sys.executable, "-m", "spak.handlers.live_child"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdin and child.stdout
            child.stdin.write(line)
            child.stdin.flush()
            assert asked.wait(120)
            child.stdin.close()
            assert child.stdout.read() == b"" and child.wait() == 0
