"""`spak.lock`: the committed record of which reply answers which request. Knows nothing of stages or of who answers.

The file is TOML with one `[[entry]]` a unit, variant and dialect. Reading takes no lock, since every write replaces the
whole file; writing reads, changes and replaces it under an exclusive lock, so threads and processes may update at once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from spak.errors import Diagnostic, SpakError, Span
from spak.lock.entry import Entry, Key, TargetEvidence
from spak.lock.text import dump, parse
from spak.store import atomic

__all__ = ["Entry", "Lock", "TargetEvidence", "remove", "update"]


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it was read."""

    entries: dict[Key, Entry]

    @classmethod
    def load(cls, path: str | Path) -> Lock:
        """Read a lock; a file that is not there is an empty lock. Raises SpakError with every mistake at its line."""
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            return cls({})
        except OSError as error:
            raise SpakError(_cannot("read", path, error)) from error
        return cls(dict(_parsed(data, str(path))))

    def get(self, unit: str, variant: str, dialect: str) -> Entry | None:
        """The entry, or None."""
        return self.entries.get((unit, variant, dialect))

    def dump(self) -> bytes:
        """The lock's text."""
        return dump(self.entries.values())


@lru_cache(maxsize=2)
def _parsed(data: bytes, file: str) -> dict[Key, Entry]:
    """One command reads the same lock several times."""
    return parse(data, file)


def update(path: str | Path, entry: Entry) -> None:
    """Put an entry in place of the one with its key. Nothing is written if nothing changes."""
    _edit(path, lambda entries: {**entries, entry.key: entry})


def remove(path: str | Path, key: Key) -> None:
    """Take an entry out, if it is there."""
    _edit(path, lambda entries: {k: v for k, v in entries.items() if k != key})


def _edit(path: str | Path, change: Callable[[dict[Key, Entry]], dict[Key, Entry]]) -> None:
    with _exclusive(Path(path)):
        old = Lock.load(path)
        new = Lock(change(old.entries))
        if new.entries == old.entries:
            return
        atomic.write(path, new.dump())


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold the lock's lock: `flock` belongs to the open file, so it keeps threads of one process apart as well."""
    folder = path.parent / ".spak"
    try:
        folder.mkdir(exist_ok=True)
        handle = os.open(folder / f"{path.name}.flock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SpakError(_cannot("lock", path, error)) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _cannot(do: str, path: str | Path, error: OSError) -> Diagnostic:
    return Diagnostic(
        "SPK358", f"cannot {do} the lock: {error.strerror}", Span(str(path)), "check the permissions and free space"
    )
