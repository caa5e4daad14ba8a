"""Content-addressed blobs: a file's digest is its name. Knows nothing of actions.

Blobs are verified as they are read, so that a damaged one is a miss. They are copied (or cloned, where the file system
can) and
never hard-linked out: an output that is tampered with must not take the blob with it.
"""

# ruff: noqa: PTH116, PTH123
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from spak.store import atomic

FICLONE = 0x40049409
CHUNK = 1 << 20
LIMIT = 4 << 30


class Cas:
    """The blobs below one folder, which several trees and processes may share."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder = folder
        self.limit = limit
        self._added = 0

    def path(self, digest: str) -> Path:
        """Where the blob of `sha256:...` is or would be."""
        hexa = digest.removeprefix("sha256:")
        return self.folder / hexa[:2] / hexa[2:]

    def put_file(self, source: str | Path, digest: str) -> bool:
        """Keep a copy of a file whose digest is known. False if it could not be kept, or is not what the digest
        says.
        """
        blob = self.path(digest)
        try:
            if blob.stat().st_size == os.stat(source).st_size:
                _touch(blob)
                return True
        except OSError:
            pass
        try:
            with atomic.replacing(blob, 0o444, durable=False) as handle:
                if copy(source, handle) != digest:
                    raise OSError(f"{source} changed while it was copied")
                self._added += os.fstat(handle).st_size
        except OSError:
            return False
        return True

    def checkout(self, digest: str, target: str | Path, mode: int) -> bool:
        """Put the blob's content at `target`, atomically. False is a miss; a damaged blob is removed and missed.

        Raises SpakError when the target cannot be written: that is no fault of the cache.
        """
        blob = self.path(digest)
        try:
            source = open(blob, "rb", buffering=0)  # noqa: SIM115  (opened once: another process may remove it meanwhile)
        except OSError:
            return False
        with source:
            _touch(blob)
            try:
                with atomic.replacing(target, mode, durable=False) as handle:
                    if fill(source, handle) != digest:
                        raise _Damaged
            except _Damaged:
                with suppress(OSError):  # a cache that cannot be written is no worse than one that has nothing
                    blob.unlink()
                return False
            except OSError as error:
                raise atomic.broken("write", target, error) from error
        return True

    def trim(self) -> int:
        """Remove the least recently used blobs beyond the limit; returns the bytes removed. Looks only when
        something was added.
        """
        if not self._added:
            return 0
        self._added = 0
        found = []
        for blob in self.folder.glob("??/*"):
            try:
                entry = blob.stat()
            except OSError:
                continue
            found.append((entry.st_mtime_ns, entry.st_size, blob))
        excess = sum(size for _, size, _ in found) - self.limit
        removed = 0
        for _, size, blob in sorted(found):
            if removed >= excess:
                break
            with suppress(OSError):  # gone, or another user's: it is theirs to remove
                blob.unlink()
            removed += size
        return removed


class _Damaged(Exception):
    """A blob whose content is not what its name says."""


def _touch(blob: Path) -> None:
    """Note the use: the least recently used goes first. A cache that cannot be written still serves."""
    try:
        os.utime(blob)
    except OSError:
        return


def copy(source: str | Path, handle: int) -> str:
    """Fill an open file with a file's content and return the digest of what was read. Raises OSError."""
    with open(source, "rb", buffering=0) as file:
        return fill(file, handle)


def fill(source: FileIO, handle: int) -> str:
    """The same from an open file."""
    hasher = hashlib.sha256()
    cloned = _clone(source.fileno(), handle)
    while chunk := source.read(CHUNK):
        hasher.update(chunk)
        if not cloned:
            atomic.write_all(handle, chunk)
    return "sha256:" + hasher.hexdigest()


def _clone(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True
