"""Taking answers: finds what waits and puts a reply into its mailbox. Knows neither the reply's form nor the command
line.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.handlers.mailbox import Mailbox, waiting
from spak.model.request import Asked, Request

MOST = 16 << 20  # what a reply may hold is far less; what is no reply is not read to its end


def listed(root: Path) -> list[dict[str, Any]]:
    """What waits: name, kind, unit, variant and dialect (of a request), attempt, where it is, and whether an answer
    lies there already.
    """
    found = []
    for box in waiting(root):
        asked = box.request()
        assert asked
        unit = asked if isinstance(asked, Request) else None
        found.append(
            {
                "name": box.name,
                "kind": "request" if unit else "question",
                "unit": unit.unit if unit else "",
                "variant": unit.variant if unit else "",
                "dialect": unit.dialect if unit else "",
                "attempt": asked.attempt,
                "request": f"{box.shown}/request.md",
                "digest": box.asked,
                "answered": box.answer.exists(),
            }
        )
    return found


def find(root: Path, name: str) -> Mailbox:
    """The mailbox called `name`. Raises SpakError if nothing waits there."""
    box = Mailbox(root, name)
    names = [one.name for one in waiting(root)]
    if name in names:
        return box
    near = get_close_matches(name, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else "`spak answer` lists what waits; `spak build` finds out"
    raise SpakError(Diagnostic("SPK345", f"nothing waits under the name `{name}`", hint=hint))


def text_of(data: bytes, file: str, asked: Asked | None = None) -> str:
    """An answer's text. Raises SpakError with the place of what is no text, or of what is empty where a question is
    answered; the form of a reply to a request is its reader's business.
    """
    form = "what was asked for" if not isinstance(asked, Request) else "the two blocks"
    if len(data) > MOST:
        raise SpakError(
            Diagnostic("SPK304", f"the answer has more than {MOST} bytes", Span(file), f"answer with {form} only")
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        col = error.start - data.rfind(b"\n", 0, error.start)
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise SpakError(Diagnostic("SPK302", what, Span(file, line, col), "save the answer as UTF-8")) from None
    if not isinstance(asked, Request) and not text.strip():
        raise SpakError(Diagnostic("SPK301", "the answer is empty", Span(file), f"answer with {form}"))
    return text
