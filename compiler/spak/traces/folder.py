"""The folder of a run, `.spak/runs/<id>/`: its files by name, and how one is made and found. Knows nothing of what is
in them.

An id is a number that only grows and four random digits, `0007-7f3a`: the newest run is found without trusting any
clock, and runs of two machines keep apart.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.plain import is_strange
from spak.store import atomic
from spak.store.treelock import holder, start_time

RUNS = Path(".spak/runs")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run of the project at `root`; `shown` is its path as messages print it."""

    root: Path
    id: str

    @property
    def path(self) -> Path:
        return self.root / RUNS / self.id

    @property
    def shown(self) -> str:
        return (RUNS / self.id).as_posix()

    @property
    def program(self) -> Path:
        """Copies of the sources, by their paths in the project: what the run executes, whatever becomes of those."""
        return self.path / "program"

    @property
    def start(self) -> Path:
        return self.path / "start.json"

    @property
    def trace(self) -> Path:
        return self.path / "trace.jsonl"

    @property
    def context(self) -> Path:
        return self.path / "context.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.json"

    @property
    def request(self) -> Path:
        return self.path / "request.json"

    @property
    def prompt(self) -> Path:
        return self.path / "prompt.md"

    @property
    def response(self) -> Path:
        """Where the answer to the waiting query goes."""
        return self.path / "response.txt"

    def read(self, path: Path) -> dict[str, Any]:
        """One of the folder's JSON files. Raises SpakError where it is missing or damaged."""
        shown = f"{self.shown}/{path.name}"
        try:
            if is_strange(path):
                raise ValueError("it is not a plain file")
            data = json.loads(path.read_bytes())
            json.dumps(data, ensure_ascii=False, allow_nan=False).encode()  # or it could not be written again
        except FileNotFoundError:
            raise SpakError(Diagnostic("SPK935", f"run {self.id} has no {path.name}", Span(shown), GONE)) from None
        except (OSError, ValueError, RecursionError) as error:
            raise SpakError(Diagnostic("SPK935", f"{path.name} is damaged: {error}", Span(shown), GONE)) from None
        if not isinstance(data, dict):
            raise SpakError(Diagnostic("SPK935", f"{path.name} is damaged: it holds no map", Span(shown), GONE))
        return data

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work on this run alone; the kernel drops the lock when its holder dies. Raises SpakError with who has it."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise atomic.broken("write", self.path / "lock", error) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                what = f"run {self.id} is at work elsewhere: {holder(handle)}"
                raise SpakError(Diagnostic("SPK924", what, None, "wait for it, or end it")) from None
            try:
                os.ftruncate(handle, 0)
                os.pwrite(handle, json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}).encode(), 0)
            except OSError as error:
                raise atomic.broken("write", self.path / "lock", error) from error
            yield
        finally:
            os.close(handle)


GONE = "the run cannot go on without it; start another with `spak run`"


def new_run(root: Path) -> RunFolder:
    """A fresh folder. Its name is taken by making it, so two runs that start at once get two."""
    runs = root / RUNS
    try:
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            number = max((number_of(one) for one in ids(root)), default=0) + 1
            folder = RunFolder(root, f"{number:04d}-{secrets.token_hex(2)}")
            try:
                folder.path.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise atomic.broken("make", runs, error) from error


def ids(root: Path) -> list[str]:
    """Every run, oldest first."""
    runs = root / RUNS
    names = [path.name for path in runs.iterdir() if path.is_dir() and number_of(path.name)] if runs.is_dir() else []
    return sorted(names, key=lambda name: (number_of(name), name))


def number_of(id: str) -> int:
    """The number an id begins with; 0 where it is no id."""
    number, dash, _ = id.partition("-")
    return int(number) if dash and number.isascii() and number.isdigit() else 0


def find_run(root: Path, prefix: str = "") -> RunFolder:
    """The run whose id is, or begins with, `prefix`, or whose number it is; the newest without one. Raises SpakError."""
    known = ids(root)
    if not known:
        raise SpakError(Diagnostic("SPK923", "there is no run here", None, "`spak run FILE` makes one"))
    found = [one for one in known if one == prefix] or [one for one in known if one.startswith(prefix)]
    if prefix.isascii() and prefix.isdigit():
        found = [one for one in known if number_of(one) == int(prefix)] or found
    if not prefix or len(found) == 1:
        return RunFolder(root, found[-1])
    what = f"{prefix!r} may be any of {', '.join(found)}" if found else f"there is no run {prefix!r}"
    raise SpakError(Diagnostic("SPK923", what, None, f"the newest runs are {', '.join(reversed(known[-5:]))}"))
