"""One measurement at a time on a machine, whoever starts it. Knows nothing of what is measured.

`flock` on a file that every user can open: the kernel lets it go when its holder dies. Two measurements side by side would
measure each other.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.store.treelock import POLL_SECONDS, holder

#: Where the file may lie: the first folder that everyone may write to.
FOLDERS = ("/run/lock", "/dev/shm", "/tmp")
NAME = "spak-measure.lock"
#: Set in the environment of commands that are measured under the lock.
HELD = "SPAK_MEASURING"


@contextmanager
def exclusively(say: Callable[[str], None] = lambda text: None, path: Path | None = None) -> Iterator[None]:
    """Hold the machine's lock; `say` for whom one waits. Raises SpakError (SPK656) where there is no place for the file.

    A command that a sweep measures runs while the sweep holds the lock: what it measures itself is not made to wait for that.
    """
    if os.environ.get(HELD) and path is None:
        yield
        return
    handle = _open(path)
    try:
        waited = ""
        while not _try(handle):
            who = holder(handle)
            if who != waited:
                say(f"waiting for {who}, which measures on this machine")
                waited = who
            time.sleep(POLL_SECONDS)
        _sign(handle)
        yield
    finally:
        os.close(handle)


def _open(path: Path | None) -> int:
    wrong = ""
    for place in [path] if path else [Path(folder) / NAME for folder in FOLDERS]:
        try:
            return _shared(place)
        except OSError as error:
            wrong = f"{place}: {error.strerror}"
    hint = f"make one of {', '.join(FOLDERS)} writable"
    raise SpakError(Diagnostic("SPK656", f"there is no place for the lock of measurements: {wrong}", None, hint))


def _shared(place: Path) -> int:
    """The file, open to every user. In a folder that all may write to, the kernel may forbid O_CREAT on another's file: it is
    opened without first. A link is not followed.
    """
    try:
        handle = os.open(place, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode):
        os.close(handle)
        raise OSError(0, "is no regular file")
    if state.st_uid == os.getuid() and stat.S_IMODE(state.st_mode) != 0o666:
        os.fchmod(handle, 0o666)
    return handle


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sign(handle: int) -> None:
    """Say who holds it; that may fail, and keeps nobody from measuring."""
    import json

    from spak.store.treelock import start_time

    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}).encode(), 0)
    except OSError:
        return
