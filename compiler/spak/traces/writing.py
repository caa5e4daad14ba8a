"""Appends events to a trace, and has them on disk when asked to. Knows nothing of what they say.

One event is one `write`, so a kill loses at most the event being written; its torn beginning goes when the file is
next opened.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from spak.store import atomic


class Writer:
    """The end of a trace file. `waited` are the seconds spent waiting for the disk."""

    def __init__(self, path: Path, size: int) -> None:
        """Open the file for appending after its first `size` bytes. Raises SpakError (SPK701)."""
        self.path = path
        self.waited = 0.0
        self._dirty = False
        self._size = size
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            os.ftruncate(self._handle, size)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)  # or a crash of the machine could lose the file itself
            os.close(folder)
        except OSError as error:
            raise atomic.broken("write", path, error) from error

    def add(self, line: bytes) -> None:
        """Append a line. Raises SpakError (SPK701), and the file is then as it was before."""
        try:
            atomic.write_all(self._handle, line)
        except OSError as error:
            os.ftruncate(self._handle, self._size)
            raise atomic.broken("write", self.path, error) from error
        self._size += len(line)
        self._dirty = True

    def sync(self) -> None:
        """Return when all that was added is on disk. Raises SpakError (SPK701)."""
        if not self._dirty:
            return
        began = time.perf_counter()
        try:
            os.fdatasync(self._handle)
        except OSError as error:
            raise atomic.broken("write", self.path, error) from error
        self.waited += time.perf_counter() - began
        self._dirty = False

    def close(self) -> None:
        os.close(self._handle)
