"""Handler `suspend`: writes the request to a file, and takes the answer from there when it comes. Knows nothing of
models.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spak.effects.asking import digest_of
from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.handlers.answering import MOST, text_of
from spak.handlers.config import ModelConfig
from spak.handlers.mailbox import Mailbox, name_of
from spak.model.request import Asked, Provenance, Reply, Request


def create(root: Path, config: ModelConfig) -> Callable[[Asked], Reply]:
    """A handler over the mailboxes of the project at `root`."""

    def take(request: Asked) -> Reply:
        box = Mailbox(root, name_of(request))
        stale = ""
        try:
            if box.answer.exists() or box.answer.is_symlink():
                if box.asked == digest_of(request):
                    return _read(box, request)
                stale = box.set_aside()
            box.put_request(request)
        except OSError as error:
            what = f"the mailbox of {box.name} cannot be used: {error.strerror}"
            raise SpakError(Diagnostic("SPK346", what, Span(box.shown), "check permissions and free space")) from error
        raise Waiting(*_explain(box, request, stale))

    return take


def _read(box: Mailbox, request: Asked) -> Reply:
    # Neither a pipe, which would never end, nor what a link points to outside: an answer is what was put here.
    if box.answer.is_symlink() or not box.answer.is_file():
        hint = f"remove it, and take the answer in with `spak answer {box.name} FILE`"
        raise SpakError(Diagnostic("SPK346", "the answer is not a plain file", Span(f"{box.shown}/answer.md"), hint))
    with box.answer.open("rb") as file:
        data = file.read(MOST + 1)
    text = text_of(data, f"{box.shown}/answer.md", request)
    about = box.about(data)
    return Reply(text=text, provenance=Provenance(handler="suspend", by=str(about.get("by", "hand"))))


def _explain(box: Mailbox, request: Asked, stale: str) -> list[Diagnostic]:
    attempt = f" (attempt {request.attempt})" if request.attempt > 1 else ""
    notes = (
        f"read    {box.shown}/request.md",
        f"answer  spak answer {box.name} FILE    then run the same command again",
    )
    found = [Diagnostic("SPK330", f"{box.name} waits for an answer{attempt}", notes=notes)]
    if stale:
        changed = "the spec or what goes with it" if isinstance(request, Request) else "what the question is made of"
        what = f"the answer for {box.name} was to another request: {changed} has changed since"
        hint = f"it is kept; if it still fits, run `spak answer {box.name} {stale}`"
        found.append(Diagnostic("SPK331", what, Span(stale), hint))
    return found
