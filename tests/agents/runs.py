"""Runs of programs in a project of their own, for real: in this process, or through the command line in another."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spak.errors import Waiting
from spak.pipeline.runs.running import Ended, proceed, run
from spak.pipeline.runs.starting import Order
from spak.traces.event import Event
from spak.traces.folder import RunFolder, find_run
from spak.traces.reading import read_events

COMPILER = Path(__file__).parents[2] / "compiler"
ASIDE = {"run": "", "time": "", "duration": None}


@dataclass
class Project:
    """A folder with a `dodo.py` and one program, `t.dsl`."""

    root: Path

    def write(self, text: str, name: str = "t.dsl") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, text: str = "", name: str = "", **flags: Any) -> Ended:
        """Start the program and execute it; raises Waiting where it waits."""
        if text:
            self.write(text)
        return run(self.root, Order("t.dsl", name, **flags), lambda _: None)

    def waits(self, text: str = "", **flags: Any) -> Waiting:
        """Start the program, which is to wait."""
        return waiting(lambda: self.run(text, **flags))

    def answer(self, text: str | bytes) -> Ended:
        """Put an answer where the newest run takes it from, and go on."""
        data = text.encode() if isinstance(text, str) else text
        self.folder.response.write_bytes(data)
        return self.resume()

    def resume(self, **more: Any) -> Ended:
        return proceed(self.folder, lambda _: None, **more)

    @property
    def folder(self) -> RunFolder:
        return find_run(self.root)

    def events(self, *kinds: str) -> list[Event]:
        found = read_events(self.folder.trace)
        return [one for one in found if not kinds or one.kind in kinds]

    def data(self, *kinds: str) -> list[dict[str, Any]]:
        return [one.data for one in self.events(*kinds)]

    def spak(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The command line in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "spak", *args], cwd=self.root, env=environment(), input=stdin, text=True, encoding="utf-8",
            errors="surrogateescape", capture_output=True, timeout=300, check=False,
        )  # fmt: skip


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(COMPILER), "NO_COLOR": "1"}


def waiting(call: Any) -> Waiting:
    try:
        call()
    except Waiting as error:
        return error
    raise AssertionError("it does not wait")


def plain(events: list[Event]) -> list[bytes]:
    """Events without what differs between any two runs: their times and the run's name."""
    return [replace(one, **ASIDE).to_line() for one in events]
