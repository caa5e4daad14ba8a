"""Events of a build, told to whoever listens: NDJSON files, traces, progress. Knows no listener.

An event is a flat JSON object: `event` ("begin", "start", "finish", "warning", "end"), `t` (seconds since the build
began) and fields
of its own. `start` and `finish` carry the action's `name`; `finish` is a Result as JSON.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from spak.store import atomic

Event = dict[str, Any]
Listener = Callable[[Event], None]


class Events:
    """Tells listeners, one event at a time."""

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = list(listeners)
        self._lock = threading.RLock()
        self._began = time.monotonic()

    def listen(self, listener: Listener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def emit(self, event: str, **fields: Any) -> None:
        """Tell everybody."""
        with self._lock:
            body = {"event": event, "t": round(time.monotonic() - self._began, 6), **fields}
            for listener in self._listeners:
                listener(body)


class NdjsonFile:
    """A listener that writes one JSON object a line, flushed at once, to a file or ("-") to stdout."""

    def __init__(self, target: str) -> None:
        try:
            self._file: TextIO = sys.stdout if target == "-" else Path(target).open("w", encoding="utf-8")  # noqa: SIM115  (closed by close)
        except OSError as error:
            raise atomic.broken("write", target, error) from error
        self._target = target

    def __call__(self, event: Event) -> None:
        try:
            self._file.write(json.dumps(event, sort_keys=True) + "\n")
            self._file.flush()
        except OSError as error:
            raise atomic.broken("write", self._target, error) from error

    def close(self) -> None:
        """Close the file; stdout stays open."""
        if self._file is not sys.stdout:
            self._file.close()

    def __enter__(self) -> NdjsonFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
