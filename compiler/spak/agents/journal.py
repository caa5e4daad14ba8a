"""The journal of a run: what happened is restored from its trace, and what happens is added to it. Knows no statement.

A run is executed from its first statement every time. As long as the trace has a next event, an effect gives what it
gave then and nothing is performed; every event that is made must be the recorded one, byte for byte. Where the trace
ends, the run is live. Resume, replay and the recovery after a kill are therefore one thing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.store import atomic
from spak.traces.comparing import differing
from spak.traces.event import FIELDS, Event
from spak.traces.showing import line, short
from spak.traces.writing import Writer

T = TypeVar("T")


class Halt(SpakError):
    """The run stops where it is, and nothing of that is recorded: it may go on from here another time."""


class Over(Exception):
    """A replay has come to the end of a trace that has no end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an event says beside its place and times."""

    data: dict[str, Any] = field(default_factory=dict)
    inputs: str = ""
    outputs: str = ""
    exit_code: int | None = None
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


def finished(recorded: Sequence[Event]) -> list[Event]:
    """The events that count: trials at the end belong to an effect that was never finished, and will be made again."""
    size = len(recorded)
    while size and recorded[size - 1].kind == "trial":
        size -= 1
    return list(recorded[:size])


class Journal:
    """The events of a run so far. Without a `writer` nothing is ever performed: that is a replay."""

    def __init__(self, run: str, recorded: Sequence[Event], writer: Writer | None, shown: str = "trace.jsonl") -> None:
        self.run = run
        self.seq = 0
        self.took = 0.0  # seconds of the latest effect
        self.trials: list[dict[str, Any]] = []  # of the latest effect
        self.recorded = recorded
        self._writer = writer
        self._shown = shown

    @property
    def live(self) -> bool:
        """Whether what comes next has not happened yet."""
        return self.seq >= len(self.recorded)

    @property
    def next(self) -> Event | None:
        """What the trace says comes next. Raises Over where a replay has nothing more to go by."""
        if not self.live:
            return self.recorded[self.seq]
        if self._writer is None:
            raise Over
        return None

    def add(self, kind: str, step: str, entry: Entry, began: float | None = None) -> Event:
        """An event that follows from what came before. `began` is where `time.perf_counter` stood if it took time."""
        old = self.next
        if old is not None:
            return self._same(old, kind, step, entry)
        return self._write(kind, step, entry, None if began is None else round(time.perf_counter() - began, 6))

    def effect(
        self,
        kind: str,
        step: str,
        perform: Callable[[], T],
        restore: Callable[[Event], T],
        record: Callable[[T], Entry],
    ) -> T:
        """What comes from outside: performed, or restored from the trace. Both are recorded alike.

        Its trials stand before it: they are written as they end, so that a long search can be watched.
        """
        self.trials = []
        while (old := self.next) is not None and (old.kind, old.step) == ("trial", step):
            self.trials.append(old.data)
            self.seq += 1
        if old is None:
            began = time.perf_counter()
            got = _done(perform)
            self.took = round(time.perf_counter() - began, 6)
            self._write(kind, step, record(got), self.took)
            return got
        if (old.kind, old.step) != (kind, step):
            raise self._differs(old, f"{kind}{f' in {step}' if step else ''} comes next")
        try:
            got = restore(old)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._differs(old, f"it lacks what such an event has: {error}") from None
        self._same(old, kind, step, record(got))
        self.took = old.duration or 0.0
        return got

    def trial(self, step: str, data: dict[str, Any]) -> None:
        """One trial of an effect that is being performed has ended."""
        self.trials.append(data)
        self._write("trial", step, Entry(data), None)

    def _write(self, kind: str, step: str, entry: Entry, duration: float | None) -> Event:
        assert self._writer is not None
        event = self._event(kind, step, entry, datetime.now(UTC).isoformat(timespec="microseconds"), duration)
        try:
            self._writer.add(event.to_line())
        except SpakError as error:
            raise Halt(*error.diagnostics) from error
        self.seq += 1
        return event

    def _same(self, old: Event, kind: str, step: str, entry: Entry) -> Event:
        new = self._event(kind, step, entry, old.time, old.duration)
        if new.to_line() != old.to_line():
            raise self._differs(old, f"re-execution gives {line(new).strip()}", new)
        self.seq += 1
        return new

    def _event(self, kind: str, step: str, entry: Entry, when: str, duration: float | None) -> Event:
        return Event(
            self.seq + 1, kind, self.run, step, when, entry.inputs, entry.outputs, duration, entry.exit_code, entry.model,
            entry.tokens_in, entry.tokens_out, entry.cost, entry.data,
        )  # fmt: skip

    def _differs(self, old: Event, what: str, new: Event | None = None) -> Halt:
        parts = [] if new is None else differing(_plain(old), _plain(new))
        notes = [f"recorded: {line(old).strip()}", *(f"{name}: {short(a)} -> {short(b)}" for name, a, b in parts[:5])]
        message = f"the run does not go as its trace says: at event {old.seq} {what}"
        hint = "the trace, the run's copy of the program or the compiler has been changed since"
        return Halt(Diagnostic("SPK926", message, Span(self._shown, old.seq), hint, tuple(notes)))

    def same_bytes(self, data: bytes) -> None:
        """Raises SpakError at the first recorded event that did not happen, or is not written as this journal writes it."""
        if self.seq < len(self.recorded):
            raise self._differs(self.recorded[self.seq], "the run is over")
        for old, row in zip(self.recorded[: self.seq], data.split(b"\n"), strict=False):
            if old.to_line() != row + b"\n":
                raise self._differs(old, "the line is written in another form")

    def sync(self) -> None:
        """Return when everything is on disk."""
        if self._writer is None:
            return
        try:
            self._writer.sync()
        except SpakError as error:
            raise Halt(*error.diagnostics) from error


def _done(perform: Callable[[], T]) -> T:
    """What comes of it. A full disk and the like is no result: what is not on record must not become a failed step."""
    try:
        return perform()
    except (Waiting, Halt):
        raise
    except SpakError as error:
        raise Halt(*error.diagnostics) from error
    except OSError as error:
        raise Halt(*atomic.broken("use", error.filename or "a file", error).diagnostics) from error


def _plain(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS}
