"""Where the answer to a query comes from: the run's folder, a folder of answers, a model; else the run waits. Knows
no schema.

An answer belongs to one prompt. Where it says which (`<!-- prompt sha256:... -->` in its first line), that must be
the one asked; an answer that lies in the folder counts only for the prompt that was written there when the run began
to wait.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.agents.journal import Halt
from spak.errors import Diagnostic, Span, Waiting
from spak.store import atomic
from spak.traces.folder import RunFolder

if TYPE_CHECKING:
    from spak.model.request import Question, Reply

MOST_BYTES = 16 << 20
BOUND = re.compile(r"<!-- prompt (sha256:[0-9a-f]{64}) -->[ \t]*\r?\n?")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it is asked: the `number`-th of its step, recorded as event `seq`."""

    question: Question
    digest: str
    step: str
    number: int
    seq: int
    span: Span
    refused: str = ""  # why the answer before was


@dataclass(frozen=True, slots=True)
class Given:
    """An answer and who gave it."""

    text: str
    by: str
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


@dataclass
class Answers:
    """`directory` holds `STEP.N.md` for the N-th query of a step; `ask` puts a question to a model; `frozen` lets
    nobody be asked.
    """

    folder: RunFolder
    directory: Path | None = None
    ask: Callable[[Question], Reply] | None = None
    frozen: bool = False
    notes: list[Diagnostic] = field(default_factory=list)

    def take(self, asked: Asked) -> Given:
        """The answer. Raises Waiting where it comes later, and Halt for what is there and cannot be it."""
        given = self._taken(asked) or self._response(asked) or self._file(asked)
        if given is not None:
            return given
        if self.ask is not None:
            return self._model(asked, self.ask)
        if self.frozen:
            what = f"step {asked.step} asks for an answer that is not on record, and nobody may be asked"
            raise Halt(
                Diagnostic("SPK939", what, placed(asked.span), "run it with `--handler suspend` or `--answers DIR`")
            )
        self._wait(asked)
        raise Waiting(*self._explain(asked))

    def settled(self) -> None:
        """The answer is on record: nothing is waited for."""
        for path in (self.folder.request, self.folder.prompt):
            path.unlink(missing_ok=True)

    # ---- the run's folder ----

    def _kept(self, asked: Asked) -> Path:
        return self.folder.path / "answers" / f"{asked.seq}.txt"

    def _taken(self, asked: Asked) -> Given | None:
        """An answer that was taken, by a run that was then killed before it was on record."""
        path = self._kept(asked)
        return Given(self._text(path, asked), "hand") if path.exists() else None

    def _response(self, asked: Asked) -> Given | None:
        """`response.txt`, if it was written to this prompt. It is moved away before it counts: it never counts twice."""
        path = self.folder.response
        if not os.path.lexists(path):
            return None
        waiting = self._waiting()
        if (waiting.get("prompt"), waiting.get("event")) != (asked.digest, asked.seq):
            aside = path.with_name(f"response.for-event-{waiting.get('event', 'none')}.txt")
            path.rename(aside)
            what = f"response.txt was there before step {asked.step} asked: it is no answer to its prompt"
            self.notes.append(
                Diagnostic("SPK927", what, Span(f"{self.folder.shown}/{aside.name}"), "it is kept under this name")
            )
            return None
        self._text(path, asked)
        kept = self._kept(asked)
        kept.parent.mkdir(exist_ok=True)
        path.rename(kept)
        return self._taken(asked)

    def _waiting(self) -> dict[str, Any]:
        try:
            found = json.loads(self.folder.request.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _wait(self, asked: Asked) -> None:
        """Write what is asked, the request last: it says that the folder waits."""
        question = asked.question
        atomic.write(self.folder.prompt, readable(asked).encode())
        request = {
            "run": self.folder.id, "step": asked.step, "attempt": question.attempt, "prompt": asked.digest, "event": asked.seq,
            "answer": f"{self.folder.shown}/{self.folder.response.name}", "refused": asked.refused,
            "question": question.model_dump(mode="json"),
        }  # fmt: skip
        atomic.write(self.folder.request, (json.dumps(request, indent=2, ensure_ascii=False) + "\n").encode())

    def _explain(self, asked: Asked) -> list[Diagnostic]:
        run, shown = self.folder.id, self.folder.shown
        attempt = f" (attempt {asked.question.attempt})" if asked.question.attempt > 1 else ""
        notes = (
            *([f"why     {asked.refused}"] if asked.refused else []),
            f"read    {shown}/{self.folder.prompt.name}",
            f"answer  {shown}/{self.folder.response.name}",
        )
        what = f"run {run} waits for an answer at step {asked.step}{attempt}"
        hint = f"write the answer to the file below, then run `spak step --resume {run}`"
        return [Diagnostic("SPK922", what, placed(asked.span), hint, notes), *self.notes]

    # ---- elsewhere ----

    def _file(self, asked: Asked) -> Given | None:
        if self.directory is None:
            return None
        path = self.directory / f"{asked.step}.{asked.number}.md"
        return Given(self._text(path, asked), "file") if path.exists() else None

    def _model(self, asked: Asked, ask: Callable[[Question], Reply]) -> Given:
        from spak.errors import SpakError

        try:
            reply = ask(asked.question)
        except Waiting:
            raise
        except SpakError as error:  # nobody could be asked: that is no failure of the step
            raise Halt(*error.diagnostics) from error
        by = reply.provenance
        return Given(reply.text, by.by or by.handler, by.model, by.tokens_in, by.tokens_out, by.cost)

    def _text(self, path: Path, asked: Asked) -> str:
        """An answer's text, without the line that binds it. Raises Halt for what is no answer to this prompt."""
        shown = f"{self.folder.shown}/{path.name}" if path.parent == self.folder.path else path.name
        # Neither a pipe, which would never end, nor what a link points to elsewhere: an answer is what was put here.
        if path.is_symlink() or not path.is_file():
            raise Halt(
                Diagnostic("SPK928", "the answer is not a plain file", Span(shown), "remove it, and write a file")
            )
        try:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Halt(Diagnostic("SPK928", f"the answer cannot be read: {error.strerror}", Span(shown))) from None
        return checked(data, shown, asked.digest)


def checked(data: bytes, shown: str, digest: str) -> str:
    """An answer's bytes as text, without the line that binds it to its prompt. Raises Halt for what is no answer to
    that prompt.
    """
    if len(data) > MOST_BYTES:
        raise Halt(
            Diagnostic("SPK928", f"the answer has more than {MOST_BYTES} bytes", Span(shown), "answer what was asked")
        )
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, col = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        what = f"byte 0x{data[error.start]:02x} of the answer is not UTF-8"
        raise Halt(Diagnostic("SPK928", what, Span(shown, line, col), "save the answer as UTF-8")) from None
    bound = BOUND.match(text)
    if bound and bound[1] != digest:
        what = f"the answer is for another prompt: {bound[1][:19]}..., and {digest[:19]}... is asked"
        hint = "answer the prompt that is asked now, or remove the line if this still fits"
        raise Halt(Diagnostic("SPK927", what, Span(shown), hint))
    text = text[bound.end() :] if bound else text
    if not text.strip():
        raise Halt(
            Diagnostic("SPK928", "the answer is empty", Span(shown), "write the answer, and run the same command again")
        )
    return text


def placed(span: Span) -> Span | None:
    return span if span.file else None


def readable(asked: Asked) -> str:
    """The prompt as a page. Its first line binds an answer that begins with it."""
    parts = [f"<!-- prompt {asked.digest} -->"]
    for message in asked.question.messages:
        parts.append(f"<!-- {message.role} -->\n\n{message.content.rstrip()}")
    return "\n\n".join(parts) + "\n"
