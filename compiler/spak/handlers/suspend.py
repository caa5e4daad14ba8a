"""Handler `suspend`: writes the request to a file, and takes the answer from there when it comes. Knows nothing of
models.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.handlers.config import ModelConfig
from spak.handlers.mailbox import Mailbox, name_of
from spak.model.base import canonical_json
from spak.model.request import Provenance, Reply, Request

_MOST = 16 << 20  # what a reply may hold is far less; what is no reply is not read to its end


def create(root: Path, config: ModelConfig) -> Callable[[Request], Reply]:
    """A handler over the mailboxes of the project at `root`."""

    def take(request: Request) -> Reply:
        box = Mailbox(root, name_of(request))
        stale = ""
        try:
            if box.answer.exists() or box.answer.is_symlink():
                if box.asked == sha256_bytes(canonical_json(request)):
                    return _read(box)
                stale = box.set_aside()
            box.put_request(request)
        except OSError as error:
            what = f"the mailbox of {box.name} cannot be used: {error.strerror}"
            raise SpakError(Diagnostic("SPK346", what, Span(box.shown), "check permissions and free space")) from error
        raise Waiting(*_explain(box, request, stale))

    return take


def _read(box: Mailbox) -> Reply:
    # Neither a pipe, which would never end, nor what a link points to outside: an answer is what was put here.
    if box.answer.is_symlink() or not box.answer.is_file():
        hint = f"remove it, and take the answer in with `spak answer {box.name} FILE`"
        raise SpakError(Diagnostic("SPK346", "the answer is not a plain file", Span(f"{box.shown}/answer.md"), hint))
    with box.answer.open("rb") as file:
        data = file.read(_MOST + 1)
    if len(data) > _MOST:
        what = f"the answer has more than {_MOST} bytes"
        raise SpakError(Diagnostic("SPK304", what, Span(f"{box.shown}/answer.md"), "answer with the two blocks only"))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        col = error.start - data.rfind(b"\n", 0, error.start)
        span = Span(f"{box.shown}/answer.md", line, col)
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise SpakError(Diagnostic("SPK302", what, span, "save the answer as UTF-8")) from None
    about = box.about(data)
    return Reply(text=text, provenance=Provenance(handler="suspend", by=str(about.get("by", "hand"))))


def _explain(box: Mailbox, request: Request, stale: str) -> list[Diagnostic]:
    attempt = f" (attempt {request.attempt})" if request.attempt > 1 else ""
    notes = (
        f"read    {box.shown}/request.md",
        f"answer  spak answer {box.name} FILE    then run the same command again",
    )
    found = [Diagnostic("SPK330", f"{box.name} waits for an answer{attempt}", notes=notes)]
    if stale:
        what = f"the answer for {box.name} was to another request: the spec or what goes with it has changed since"
        hint = f"it is kept; if it still fits, run `spak answer {box.name} {stale}`"
        found.append(Diagnostic("SPK331", what, Span(stale), hint))
    return found
