"""Questions outside of builds: asked through the project's handler, and every reply put on record. Knows no question.

A conversation of several questions suspends at each and begins anew when its command is run again. What has been answered is
taken from the record, so that it comes to the point where it was, whoever answers and whenever it was killed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from spak import handlers
from spak.effects.asking import digest_of
from spak.handlers.mailbox import Mailbox, name_of
from spak.lift.asking import Asked
from spak.model.base import canonical_json
from spak.model.request import Question, Reply
from spak.pipeline.graph.project import load_project
from spak.store import atomic

RECORD = Path(".spak/asked")


@dataclass
class Asker:
    """Asks at most once for each question; `.spak/asked/` holds what was answered, and can be deleted to ask anew."""

    root: Path
    handler: str = ""

    def __post_init__(self) -> None:
        project = load_project(self.root)
        self.to = Asked(project.model.name, project.model.endpoint, project.model.sampling)
        self._ask = handlers.select(self.handler or project.model.handler, self.root, project.settings.model)

    def __call__(self, question: Question) -> Reply:
        """The reply. Raises Waiting when it comes from outside later, and SpakError when there can be none."""
        path = self._record(question)
        if (known := _read(path)) is not None:
            return known
        reply = self._ask(question)
        atomic.write(path, canonical_json(reply))
        Mailbox(self.root, name_of(question)).close()  # its answer is on record
        return reply

    def _record(self, question: Question) -> Path:
        return self.root / RECORD / f"{digest_of(question).removeprefix('sha256:')}.json"


def _read(path: Path) -> Reply | None:
    """A reply on record; one that cannot be read is asked for again."""
    try:
        return Reply(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, ValidationError):
        return None
