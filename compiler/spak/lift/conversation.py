"""Asking until a reply stands: each refusal is sent back with its reasons. Knows neither the question nor who answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from spak.model.request import Message, Question, Reply

T = TypeVar("T")

MOST_REASONS = 60


class Judged(Generic[T]):
    """What came of a reply, and why it does not stand; no reasons means that it does."""

    def __init__(self, value: T, reasons: Sequence[str] = ()) -> None:
        self.value, self.reasons = value, tuple(reasons)


def converse(
    question: Question, ask: Callable[[Question], Reply], judge: Callable[[str], Judged[T]], attempts: int
) -> tuple[Judged[T], Reply, int]:
    """Ask at most `attempts` times: what was last judged, its reply, and the number of the attempt. `ask` may raise
    Waiting; asked again with the same replies on record, everything comes to the same point.
    """
    while True:
        reply = ask(question)
        judged = judge(reply.text)
        if not judged.reasons or question.attempt >= attempts:
            return judged, reply, question.attempt
        messages = (
            *question.messages,
            Message(role="assistant", content=reply.text),
            Message(role="user", content=refusal(judged.reasons)),
        )
        question = question.model_copy(update={"attempt": question.attempt + 1, "messages": messages})


def refusal(reasons: Sequence[str]) -> str:
    """The message that sends a reply back."""
    lines = [f"- {one}" for one in reasons[:MOST_REASONS]]
    if len(reasons) > MOST_REASONS:
        lines.append(f"- and {len(reasons) - MOST_REASONS} more")
    listed = "\n".join(lines)
    return (
        f"The file does not stand as it is:\n\n{listed}\n\nGive the whole file again, in one fenced block: mend what can be "
        "mended from the traces above, and leave out what they do not bear out.\n"
    )
