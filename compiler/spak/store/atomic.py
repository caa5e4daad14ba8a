"""Atomic file writes: a reader sees the old bytes or the new ones, never a part. Knows nothing of what is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spak.errors import Diagnostic, SpakError

HINTS = {
    "ENOSPC": "free some space and run the same command again: what was finished is kept",
    "EDQUOT": "the quota is used up: free some space and run the same command again",
    "EFBIG": "a limit on file sizes (ulimit -f) is in force",
    "EROFS": "the file system is mounted read-only",
    "EACCES": "check the owner and permissions of the folder",
    "EPERM": "check the owner and permissions of the folder",
    "EISDIR": "a folder is in the place of a file: remove it",
    "ENOTDIR": "a file is in the place of a folder: remove it",
    "ELOOP": "a symbolic link points to itself: remove it",
    "EMFILE": "raise the limit on open files (ulimit -n)",
}


def write(path: str | Path, data: bytes, mode: int = 0o644, *, durable: bool = True) -> None:
    """Replace the file at `path`, making its folder if need be. Raises SpakError (SPK701) that names the path.

    `durable` false leaves out the fsync: right for whatever is verified when it is read, such as caches.
    """
    try:
        with replacing(path, mode, durable=durable) as handle:
            write_all(handle, data)
    except OSError as error:
        raise broken("write", path, error) from error


@contextmanager
def replacing(path: str | Path, mode: int = 0o644, *, durable: bool = True) -> Iterator[int]:
    """A file descriptor whose content takes the place of `path` when the block ends well. Raises OSError."""
    path = Path(path)
    temporary = path.with_name(f".{path.name[:200]}.{unique()}.tmp")
    handle = _open(temporary)
    try:
        try:
            yield handle
            os.fchmod(handle, mode)
            if durable:
                os.fsync(handle)
        finally:
            os.close(handle)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def unique() -> str:
    """For names that nobody else takes. A PID would not do: containers share folders and count from 1, and what a killed
    process has left bears the PID that the next one gets.
    """
    return os.urandom(8).hex()


def write_all(handle: int, data: bytes | memoryview) -> None:
    """`os.write` until everything is written; a short write of a full disk becomes the error it stands for."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def broken(what: str, path: str | Path, error: OSError) -> SpakError:
    """The error that an OSError at `path` is, with what to do about it."""
    import errno

    name = errno.errorcode.get(error.errno or 0, "")
    reason = error.strerror or str(error)
    return SpakError(Diagnostic("SPK701", f"cannot {what} {os.fspath(path)!r}: {reason}", None, HINTS.get(name, "")))


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)
