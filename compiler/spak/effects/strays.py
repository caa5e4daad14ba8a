"""What a child leaves behind: processes that left its group to outlive it, found and ended. Knows nothing of the child.

A process whose parent has gone belongs to its nearest ancestor that adopts such orphans, or to init. While a child runs
that may leave nothing behind, this process adopts; then whatever it has that it had not before is ended, until nothing
is left: a daemon's own children come to us when the daemon is gone. That needs no namespaces, which containers forbid.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_SECONDS = 5.0  # in which none of them ends, that waits for a disk: then they are left
_PAUSE = 0.001


@contextmanager
def none_left() -> Iterator[Callable[[], None]]:
    """While this lasts orphans come to us; call what it gives when the child has ended, to end them.

    Whoever uses it starts no other children meanwhile, in other threads either: they could not be told apart.
    """
    libc = ctypes.CDLL(None)
    adopting = libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    before = children() if adopting else frozenset()
    try:
        yield (lambda: _end(before)) if adopting else (lambda: None)
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def children() -> frozenset[int]:
    """The processes whose parent is this one."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except OSError:  # a thread that has just ended, or a kernel without the list
            return _by_parent()
    return frozenset(found)


def _by_parent() -> frozenset[int]:
    """The same, the long way."""
    me, found = os.getpid(), set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == me:
                    found.add(int(entry.name))
    return frozenset(found)


def _end(before: frozenset[int]) -> None:
    until = time.monotonic() + _SECONDS
    while (left := _since(before)) and time.monotonic() < until:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        gone = 0
        for pid in left:
            with suppress(ChildProcessError):
                gone += os.waitpid(pid, os.WNOHANG)[0] == pid
        if gone:
            until = time.monotonic() + _SECONDS
        else:
            time.sleep(_PAUSE)


def _since(before: frozenset[int]) -> frozenset[int]:
    """The children that were not there before. The kernel's list may lack one while another ends: nobody is seen twice."""
    return (children() - before) or (children() - before)
