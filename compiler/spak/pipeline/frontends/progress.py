"""Progress of a build for people: one moving line on a terminal, one line for each action elsewhere. Knows only
events.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from spak.errors import Diagnostic
from spak.pipeline.execution.events import Event

WORDS = {
    "ran": "done",
    "restored": "restored from the cache",
    "failed": "FAILED",
    "waiting": "waits for an answer",
}  # the others are many and say little: the table at the end has them
COLOURS = {"FAILED": "\033[31m", "waits for an answer": "\033[33m", "done": "\033[32m"}


class Progress:
    """A listener. Colours only on a terminal, and not where NO_COLOR is set."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._tty = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._tty and not os.environ.get("NO_COLOR")
        self._running: dict[str, None] = {}
        self._total = self._done = 0
        self._shown: set[str] = set()

    def __call__(self, event: Event) -> None:
        kind = event["event"]
        if kind == "begin":
            self._total = event["actions"]
        elif kind == "start":
            self._running[event["name"]] = None
        elif kind == "finish":
            self._finish(event)
        elif kind == "warning":
            self._line(str(Diagnostic.from_json(event)))
        elif kind == "notice":
            self._line(event["text"])
        if self._tty:
            self._draw(clear=kind == "end")

    def _finish(self, event: Event) -> None:
        self._done += 1
        self._running.pop(event["name"], None)
        word = WORDS.get(event["status"], "")
        if not word:
            return
        place = f"[{min(self._done, self._total)}/{self._total}]" if self._total else ""
        why = f" ({event['reason']})" if event["reason"] else ""
        colour, plain = (COLOURS.get(word, ""), "\033[0m") if self._colour else ("", "")
        self._line(f"{place} {event['name']}: {colour}{word}{plain if colour else ''}{why}".strip())
        for one in event["diagnostics"]:
            text = str(Diagnostic.from_json(one))
            if text not in self._shown:
                self._shown.add(text)
                self._line("    " + text.replace("\n", "\n    "))

    def _line(self, text: str) -> None:
        if self._tty:
            self._stream.write("\r\033[K")
        self._stream.write(text + "\n")
        self._stream.flush()

    def _draw(self, clear: bool) -> None:
        text = "" if clear or not self._running else f"[{self._done}/{self._total}] {', '.join(self._running)}"
        width = shutil.get_terminal_size().columns - 1
        self._stream.write("\r\033[K" + text[:width])
        self._stream.flush()
