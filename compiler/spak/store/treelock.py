"""One build at a time in a tree. Knows nothing of builds.

The lock is `flock` on a file, which the kernel drops when its holder dies, however it dies: there is no stale lock to
break, and a
reused PID cannot be mistaken for the holder. The file's content only says whom one waits for.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.store import atomic

POLL_SECONDS = 0.05


class TreeLock:
    """Held from `acquire` to `release`, or to the process's end."""

    def __init__(self, path: Path, does: str = "builds in this tree") -> None:
        """`does`: what its holder does, in words."""
        self.path, self.does = path, does
        self._handle = -1

    def acquire(self, say: Callable[[str], None], wait: bool = True) -> bool:
        """Take the lock; while another build holds it, `say` for whom one waits and wait. Returns whether one had to
        wait.

        Raises SpakError: SPK701 where the file cannot be made, SPK703 if it is held and `wait` is false.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise atomic.broken("write", self.path, error) from error
        waited = ""
        try:
            while not _try(handle, self.path):
                who = holder(handle)
                if not wait:
                    raise SpakError(
                        Diagnostic("SPK703", f"another build works in this tree: {who}", None, "wait for it, or end it")
                    )
                if who != waited:
                    say(f"waiting for {who}, which {self.does}")
                    waited = who
                time.sleep(POLL_SECONDS)
            _sign(handle)
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return bool(waited)

    def release(self) -> None:
        """Let the next one in. The file stays: removing it would let two builds hold two files of one name."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _try(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR):
            return False
        raise atomic.broken("lock", path, error) from error
    return True


def _sign(handle: int) -> None:
    """Say who holds the lock. A full disk must not keep anyone from building, so this may fail."""
    text = json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}).encode()
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text, 0)
    except OSError:
        return


def holder(handle: int) -> str:
    """Whom one waits for, in words: 'PID 1234', or what is known when that process is not the one that signed."""
    try:
        signed = json.loads(os.pread(handle, 200, 0))
        pid, start = int(signed["pid"]), int(signed["start"])
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
    if start_time(pid) != start:
        return f"another process (PID {pid} signed the lock and is gone)"
    return f"PID {pid}"


def start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 if there is none. With the PID it names a process
    uniquely.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(text.rsplit(")", 1)[1].split()[19])
