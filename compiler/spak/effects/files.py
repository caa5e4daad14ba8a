"""Files below a folder, reached one component at a time so that nothing leads out of it. Knows nothing of what they hold.

Each folder is opened inside the one before, without following links: a link swapped in at any moment is met as a link,
and refused, and a folder that was opened stays the one that it was. `base` is trusted, and so is the way to it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from spak.store.atomic import unique, write_all

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Crossing(OSError):
    """A symbolic link stands on the way; `filename` says where, relative to the base."""


class Odd(OSError):
    """A folder, a pipe, a device or the like stands where a plain file is needed."""


class Huge(OSError):
    """There are more bytes than one is ready to read."""


@contextmanager
def folder(base: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder at `parts` below `base`; `make` makes what is missing. Raises OSError."""
    handle = os.open(base, _FOLDER)
    try:
        for depth, part in enumerate(parts):
            inner = _step(handle, part, "/".join(parts[: depth + 1]), make)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def read(base: Path, parts: Sequence[str], most: int) -> bytes:
    """The content of a plain file of at most `most` bytes. Raises OSError."""
    shown = "/".join(parts)
    with folder(base, parts[:-1]) as handle:
        _refuse_links(handle, parts[-1], shown)
        # Without O_NONBLOCK a pipe of that name would hold us up for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        with os.fdopen(os.open(parts[-1], flags, dir_fd=handle), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Odd(0, "not a plain file", shown)
            data = file.read(most + 1)
    if len(data) > most:
        raise Huge(0, f"more than {most} bytes", shown)
    return data


def write(base: Path, parts: Sequence[str], data: bytes) -> None:
    """Replace a file, whole and durably: a reader sees the old bytes or the new ones. Raises OSError.

    Missing folders are made. What is there keeps its permissions; another name of it, its content.
    """
    shown = "/".join(parts)
    with folder(base, parts[:-1], make=True) as handle:
        mode = _refuse_links(handle, parts[-1], shown)
        if mode is not None and not stat.S_ISREG(mode):
            raise Odd(0, "not a plain file", shown)
        temporary = f".{parts[-1][:60]}.{unique()}.tmp"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(temporary, flags, 0o600, dir_fd=handle)
        try:
            try:
                write_all(file, data)
                os.fchmod(file, 0o644 if mode is None else mode & 0o777)
                os.fsync(file)
            finally:
                os.close(file)
            os.replace(temporary, parts[-1], src_dir_fd=handle, dst_dir_fd=handle)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=handle)
            raise
        os.fsync(handle)


def _step(handle: int, part: str, shown: str, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(part, 0o755, dir_fd=handle)
    try:
        return os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=handle)
    except OSError as error:
        _refuse_links(handle, part, shown)
        raise OSError(error.errno, error.strerror, shown) from None


def _refuse_links(handle: int, name: str, shown: str) -> int | None:
    """The mode of what has this name, None if nothing has. Raises Crossing for a link."""
    try:
        mode = os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        raise Crossing(0, "a symbolic link", shown)
    return mode
