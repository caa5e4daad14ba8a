"""The journal: what was finished in this tree, one record a task. Knows nothing of what the records mean.

The file is a header line and records, each framed by its length and CRC. It is only ever appended to, so kill -9 loses
at most the
record being written: a torn tail is dropped when the file is next opened. A rewrite that drops superseded records is
atomic.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from spak.store import atomic

HEADER = b"spak journal 1\n"
FAMILY = b"spak journal "
SLACK = 1000  # superseded records that are not worth a rewrite

Record = dict[str, Any]


class Journal:
    """The latest record of each task, by name. Safe to share between threads; one process at a time may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        self._handle = -1
        self._end = 0
        self._lock = threading.Lock()
        self._count = 0
        self._records: dict[str, Record] = {}
        self._read = (0, 0)  # inode and size of what was read
        self.reload()

    def reload(self) -> None:
        """Read the file. What cannot be read is state that is gone, which costs time and nothing else."""
        data, self._read = b"", (0, 0)
        with suppress(OSError), self.path.open("rb") as file:
            data = file.read()
            self._read = (os.fstat(file.fileno()).st_ino, len(data))
        self.notice = _foreign(data, self.path.name)
        self._records, self._end, self._count = {}, 0, 0
        if not data.startswith(HEADER):
            return
        self._end = len(HEADER)
        while (record := _frame(data, self._end)) is not None:
            body, self._end = record
            self._apply(body)

    def get(self, name: str) -> Record | None:
        """The latest record of a task."""
        return self._records.get(name)

    def names(self) -> list[str]:
        """The tasks that have a record, sorted."""
        return sorted(self._records)

    def open(self) -> None:
        """Make the file ready for appending: its torn tail goes. Raises SpakError (SPK701).

        It is read again if another process has written it since: what that one has appended is no torn tail.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            now = os.fstat(self._handle)
            if self._read != (now.st_ino, now.st_size):
                self.reload()
            if self._end == 0:
                os.ftruncate(self._handle, 0)
                os.pwrite(self._handle, HEADER, 0)
                self._end = len(HEADER)
            os.ftruncate(self._handle, self._end)
        except OSError as error:
            raise atomic.broken("write", self.path, error) from error

    def put(self, name: str, record: Record) -> None:
        """Append a task's record. Raises SpakError (SPK701), and the file is then as it was before."""
        self._append({"name": name, **record})

    def forget(self, name: str) -> None:
        """Drop a task's record, if it has one."""
        if name in self._records:
            self._append({"name": name, "gone": True})

    def _append(self, body: Record) -> None:
        data = frame(body)
        with self._lock:
            self._apply(body)
            if self._handle < 0:
                return
            try:
                if os.pwrite(self._handle, data, self._end) != len(data):
                    raise OSError(28, os.strerror(28))
            except OSError as error:
                os.ftruncate(self._handle, self._end)
                raise atomic.broken("write", self.path, error) from error
            self._end += len(data)

    def _apply(self, body: Record) -> None:
        self._count += 1
        name = str(body.get("name", ""))
        if body.get("gone"):
            self._records.pop(name, None)
        else:
            self._records[name] = body

    def close(self) -> None:
        """Stop writing; a file that is mostly superseded records is rewritten first. Never raises."""
        if self._handle < 0:
            return
        os.close(self._handle)
        self._handle = -1
        if self._count > 2 * len(self._records) + SLACK:
            self.compact()

    def compact(self) -> None:
        """Rewrite the file with the live records only. A failure leaves the old file, which says the same."""
        from spak.errors import SpakError

        body = b"".join(frame(self._records[name]) for name in sorted(self._records))
        try:
            atomic.write(self.path, HEADER + body)
        except SpakError:
            return
        self._end, self._count = len(HEADER) + len(body), len(self._records)


def frame(body: Record) -> bytes:
    """A record as it stands in the file."""
    data = json.dumps(body, sort_keys=True).encode()
    return len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little") + data


def _frame(data: bytes, at: int) -> tuple[Record, int] | None:
    """The record at an offset and the offset after it; None at the end, or where the tail is torn."""
    length = int.from_bytes(data[at : at + 4], "little")
    end = at + 8 + length
    if len(data) < at + 8 or len(data) < end:
        return None
    body = data[at + 8 : end]
    if zlib.crc32(body) != int.from_bytes(data[at + 4 : at + 8], "little"):
        return None
    record = json.loads(body)
    return (record, end) if isinstance(record, dict) else None


def _foreign(data: bytes, name: str) -> str:
    """What to tell about a file that is not this version's; '' for one that is, or is not there."""
    if not data or data.startswith(HEADER) or HEADER.startswith(data):
        return ""
    if data.startswith(FAMILY):
        version = data[len(FAMILY) : len(FAMILY) + 8].split(b"\n")[0].decode(errors="replace")
        return f"the build state ({name}) is of version {version!r} and is not used: the cache has what it has"
    return f"the build state ({name}) is damaged and is not used: the cache has what it has"
