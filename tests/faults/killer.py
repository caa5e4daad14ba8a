"""The driver, killed from within: KILL=place:n ends it with SIGKILL in the middle of the n-th write of that kind."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from spak.store import atomic, journal

from tests.faults import drive


def install(place: str, number: int) -> None:
    """Replace the system call of that place by one that does half of its work and dies."""
    left = [number]

    def last() -> bool:
        left[0] -= 1
        return left[0] == 0

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    class Os:
        """`os` with one call that dies."""

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    fake = Os()
    if place == "append":

        def pwrite(handle: int, data: bytes, at: int) -> int:
            if last():
                os.pwrite(handle, data[: len(data) // 2], at)
                die()
            return os.pwrite(handle, data, at)

        fake.pwrite = pwrite  # type: ignore[attr-defined]
        journal.os = fake  # type: ignore[attr-defined]
        return
    if place == "compact":
        journal.SLACK = -(10**9)

    def write(handle: int, data: bytes) -> int:
        path = str(Path(f"/proc/self/fd/{handle}").readlink())
        kind = "compact" if "journal" in path else "cas" if "/cas/" in path else "ac" if "/ac/" in path else "other"
        if kind == place and last():
            os.write(handle, bytes(data)[: len(data) // 2])
            die()
        return os.write(handle, data)

    fake.write = write  # type: ignore[attr-defined]
    atomic.os = fake  # type: ignore[attr-defined]


if __name__ == "__main__":
    place, _, number = os.environ["KILL"].partition(":")
    install(place, int(number))
    sys.exit(drive.main())
