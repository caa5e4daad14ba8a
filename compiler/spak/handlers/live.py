"""Handler `live`: asks a model through litellm in a child process. Knows no provider.

litellm is large and slow to import, patches what it touches and prints as it likes, so it never enters the build's own
process. The child answers the questions of one process that come one after another.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spak.effects import Completed
from spak.errors import Diagnostic, SpakError
from spak.handlers import clients
from spak.handlers.config import ModelConfig
from spak.handlers.mailbox import name_of
from spak.model.request import Asked, Provenance, Reply

#: Lines of the child's standard error that start so are progress; the rest is kept for when it breaks down.
PROGRESS = "spak: "

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.I)


def create(root: Path, config: ModelConfig) -> Callable[[Asked], Reply]:
    """A handler that asks the configured model. Raises SpakError at once if the client is not installed."""
    if importlib.util.find_spec("litellm") is None:
        raise SpakError(Diagnostic("SPK334", "litellm is not installed", hint="pip install 'spak[llm]'"))

    def ask(request: Asked) -> Reply:
        if not (request.model or config.name):
            hint = 'set `name` under [model] in spak.toml, for example "anthropic/claude-sonnet-4-5"'
            raise SpakError(Diagnostic("SPK335", f"no model is configured to answer {name_of(request)}", hint=hint))
        return _reply(_ask_child(request, config), request)

    return ask


def _ask_child(request: Asked, config: ModelConfig) -> Completed:
    order = {
        "name": name_of(request),
        "model": request.model or config.name,
        "endpoint": request.endpoint or config.endpoint,
        "sampling": request.sampling or config.sampling,
        "messages": [message.model_dump() for message in request.messages],
        "config": config.model_dump(exclude={"handler", "name", "endpoint", "sampling"}),
    }
    tries = config.retries + 1
    seconds = (
        tries * (config.timeout + config.backoff_max) + 120
    )  # the child keeps time itself: this is for a hung child
    return clients.ask(
        [sys.executable, "-m", "spak.handlers.live_child"],
        json.dumps(order).encode(),
        env=_environment(),
        seconds=seconds,
        most=64 << 20,
        hear=_Progress(),
    )


def _environment() -> dict[str, str]:
    here = str(Path(__file__).resolve().parents[2])
    paths = [here, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


class _Progress:
    """Passes the child's progress lines on to standard error, whole lines only, as several children may be at work."""

    def __init__(self) -> None:
        self.rest = ""

    def __call__(self, chunk: bytes) -> None:
        *lines, self.rest = (self.rest + chunk.decode("utf-8", "replace")).split("\n")
        for line in lines:
            if line.startswith(PROGRESS):
                sys.stderr.write(line.removeprefix(PROGRESS) + "\n")


def _reply(done: Completed, request: Asked) -> Reply:
    name = name_of(request)
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        words = _last_words(done)
        if done.timed_out:
            raise SpakError(Diagnostic("SPK339", f"the model client for {name} hung", notes=words)) from None
        raise SpakError(
            Diagnostic("SPK342", f"the model client for {name} ended with {done.how}", notes=words)
        ) from None
    if error := result.get("error"):
        what = redact(f"{name}: {error['message']}")
        raise SpakError(Diagnostic(error["code"], what, hint=error.get("hint", "")))
    provenance = Provenance(
        handler="live",
        by=result["model"],
        model=result["model"],
        finish=result["finish"],
        tokens_in=result["tokens_in"],
        tokens_out=result["tokens_out"],
        cost=result["cost"],
    )
    return Reply(text=result["text"], provenance=provenance)


def _last_words(done: Completed) -> tuple[str, ...]:
    lines = redact(done.stderr.decode("utf-8", "replace")).splitlines()
    return tuple(line for line in lines if not line.startswith(PROGRESS))[-5:]


def redact(text: str) -> str:
    """Blank every secret of the environment: providers echo keys in their error messages."""
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= 8:
            text = text.replace(value, "***")
    return text
