"""A provider over real HTTP for the tests: an OpenAI-compatible server that answers from a script. Knows nothing of
SPAK.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[["Call"], None]


@dataclass
class Seen:
    """A request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Provider:
    """Answers the n-th call with the n-th step, and every further one with the last."""

    steps: list[Step]
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def take(self, seen: Seen) -> Step:
        self.seen.append(seen)
        return self.steps[min(len(self.seen), len(self.steps)) - 1]


class Call(BaseHTTPRequestHandler):
    """One HTTP request; steps answer through it."""

    protocol_version = "HTTP/1.1"
    provider: Provider
    body: dict[str, Any]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        self.body = json.loads(raw)
        step = self.provider.take(Seen(self.path, {k.lower(): v for k, v in self.headers.items()}, self.body))
        with suppress(BrokenPipeError, ConnectionResetError):  # the client gave up, as some tests want it to
            step(self)

    def send(self, status: int, data: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


def complete(text: str | None, *, finish: str = "stop", refusal: str | None = None, usage: bool = True) -> Step:
    """A complete answer; streamed, in pieces of 7 characters, when the client asks for a stream."""

    def step(call: Call) -> None:
        model = call.body["model"]
        counts = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200} if usage else None
        if not call.body.get("stream"):
            message = {"role": "assistant", "content": text, "refusal": refusal}
            answer = {"id": "1", "object": "chat.completion", "created": 1, "model": model}
            answer["choices"] = [{"index": 0, "message": message, "finish_reason": finish}]
            call.send(200, json.dumps(answer | ({"usage": counts} if counts else {})).encode())
            return
        whole = text or ""
        deltas = [{"content": whole[n : n + 7]} for n in range(0, len(whole), 7)]
        deltas += [{"refusal": refusal}] if refusal else []
        _stream(call, [*(_chunk(model, one, None) for one in deltas), _chunk(model, {}, finish)], counts)

    return step


def broken_stream(text: str) -> Step:
    """A stream that ends in the middle: no finish reason, no end marker."""
    return lambda call: _stream(call, [_chunk(call.body["model"], {"content": text}, None)], None, end=False)


def error(status: int, message: str = "no", **headers: str) -> Step:
    """An error as the OpenAI protocol words it. `echo_key` in the message is replaced by the key that was sent."""

    def step(call: Call) -> None:
        words = message.replace("echo_key", call.headers.get("authorization", "").removeprefix("Bearer "))
        call.send(status, json.dumps({"error": {"message": words, "type": "x", "code": None}}).encode(), **headers)

    return step


def raw(data: bytes, content_type: str = "application/json") -> Step:
    """Any bytes with status 200."""
    return lambda call: call.send(200, data, content_type=content_type)


def silent(call: Call) -> None:
    """No answer, as long as the provider runs."""
    call.provider.over.wait()


@contextmanager
def serving(*steps: Step) -> Iterator[Provider]:
    """A running provider; `url` is its base URL."""
    provider = Provider(list(steps))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Call,), {"provider": provider}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield provider
    finally:
        provider.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def nobody() -> Iterator[str]:
    """A base URL where nobody listens, and nobody else will meanwhile."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{place.getsockname()[1]}/v1"


def _chunk(model: str, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def _stream(call: Call, chunks: list[dict[str, Any]], counts: dict[str, int] | None, end: bool = True) -> None:
    call.send_response(200)
    call.send_header("content-type", "text/event-stream")
    call.send_header("connection", "close")
    call.end_headers()
    call.close_connection = True
    if counts and call.body.get("stream_options", {}).get("include_usage"):
        chunks = [*chunks, {**chunks[-1], "choices": [], "usage": counts}]
    for chunk in chunks:
        call.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        call.wfile.flush()
    if end:
        call.wfile.write(b"data: [DONE]\n\n")
