"""Digests of files, remembered by their stat, so that a shared header is read once. Knows nothing of actions.

A digest is trusted only while (mtime, size, inode, ctime) are what they were *and* the file had been at rest when it
was read:
file systems stamp times with a granularity of some milliseconds, so a file changed twice within one tick looks
unchanged. The
inode's ctime is what makes this safe against restored mtimes; nobody but the kernel sets it.
"""

# ruff: noqa: PTH116
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import threading
import time
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.store import atomic

Stat = tuple[int, int, int, int]  # mtime_ns, size, inode, ctime_ns

ABSENT = "absent"
REST_NS = 20_000_000  # two ticks of the slowest kernel clock
COARSE_REST_NS = 2_100_000_000  # file systems that keep whole seconds
MAGIC = b"spak digests 1\n"


def stat_of(entry: os.stat_result) -> Stat:
    """What the manifest and the digests remember of a file."""
    return (entry.st_mtime_ns, entry.st_size, entry.st_ino, entry.st_ctime_ns)


def at_rest(when: Stat, now: int) -> bool:
    """Whether a file with this stat, read at `now`, cannot have changed since without its stat showing it."""
    coarse = when[0] % 1_000_000_000 == 0 and when[3] % 1_000_000_000 == 0
    return when[3] < now - (COARSE_REST_NS if coarse else REST_NS)


class Digests:
    """The digests of a tree's files. Safe to share between threads."""

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        self._known: dict[str, tuple[Stat, str]] = {}
        self._lock = threading.Lock()
        self._dirty = False
        self.read = 0  # files hashed, for tests and benchmarks
        if store is not None:
            self._known = _load(store)

    def of(self, path: str) -> str:
        """`sha256:...` of a regular file (links are followed), or ABSENT. Raises SpakError for anything else
        (SPK702).
        """
        try:
            entry = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except OSError as error:
            raise atomic.broken("read", path, error) from error
        now = stat_of(entry)
        known = self._known.get(path)
        if known is not None and known[0] == now:
            return known[1]
        _refuse_special(path, entry)
        return self._hash(path)

    def settled(self, path: str) -> tuple[Stat, str] | None:
        """The stat and digest that may stand for the file until its stat changes; None while it is too fresh to
        tell.
        """
        digest = self.of(path)
        return None if digest == ABSENT else self._known.get(path)

    def same(self, paths: Iterable[tuple[str, str]]) -> str:
        """The first of the (path, digest) whose content is another one now, or ''."""
        for path, digest in paths:
            if self.of(path) != digest:
                return path
        return ""

    def _hash(self, path: str) -> str:
        began = time.time_ns()
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return ABSENT
        except OSError as error:
            raise atomic.broken("read", path, error) from error
        try:
            entry = os.fstat(handle)
            _refuse_special(path, entry)
            with open(handle, "rb", buffering=0, closefd=False) as file:
                digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
            after = os.fstat(handle)
        except OSError as error:
            raise atomic.broken("read", path, error) from error
        finally:
            os.close(handle)
        self.read += 1
        when = stat_of(entry)
        with self._lock:
            if when == stat_of(after) and at_rest(when, began):
                self._known[path] = (when, digest)
                self._dirty = True
            else:
                self._known.pop(path, None)
        return digest

    def save(self) -> None:
        """Keep what is known for the next run. A failure costs that run some time and nothing else."""
        if self._store is None or not self._dirty:
            return
        with self._lock:
            body = marshal.dumps(self._known)
            self._dirty = False
        try:
            atomic.write(self._store, MAGIC + zlib.crc32(body).to_bytes(4, "little") + body, durable=False)
        except SpakError:
            return


def _refuse_special(path: str, entry: os.stat_result) -> None:
    if stat.S_ISREG(entry.st_mode):
        return
    kind = "a folder" if stat.S_ISDIR(entry.st_mode) else "a FIFO" if stat.S_ISFIFO(entry.st_mode) else "a special file"
    raise SpakError(
        Diagnostic("SPK702", f"{path!r} is {kind}, where a file is expected", None, "put the file back, or remove this")
    )


def _load(store: Path) -> dict[str, tuple[Stat, str]]:
    try:
        data = store.read_bytes()
        head, body = data[: len(MAGIC) + 4], data[len(MAGIC) + 4 :]
        if head != MAGIC + zlib.crc32(body).to_bytes(4, "little"):
            return {}
        known: Any = marshal.loads(body)  # our own file, framed by a checksum; json is three times slower
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    return known if isinstance(known, dict) else {}
