"""Run a child process under limits and collect what it said. Knows nothing of what the child is for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spak.effects.patience import Patience
from spak.effects.strays import none_left

_PR_SET_PDEATHSIG = 1
#: Seconds between two looks, and looks at what says nothing or does not end: while a machine stands still, one of them passes.
_STEP, _LOOKS = 0.5, 10


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a child: seconds of wall clock and CPU, bytes of address space and of each output stream and of
    each file that it writes; 0 is no limit.
    """

    wall_seconds: float = 600.0
    cpu_seconds: int = 0
    memory_bytes: int = 0
    output_bytes: int = 16 << 20
    file_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Completed:
    """How a child ended. `returncode` is negative for a signal; `timed_out` when a wall-clock limit ended it, `flooded`
    when it said more than it may and was ended for it.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    timed_out: bool = False
    flooded: bool = False

    @property
    def ok(self) -> bool:
        return self.returncode == 0

    @property
    def how(self) -> str:
        """'exit status 2', 'signal SIGSEGV', 'timed out': how it ended, in words."""
        if self.timed_out:
            return "timed out"
        if self.flooded:
            return "said too much"
        if self.returncode < 0:
            return f"signal {signal.Signals(-self.returncode).name}"
        return f"exit status {self.returncode}"


def run(
    argv: Sequence[str],
    *,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    limits: Limits = Limits(),
    on_stderr: Callable[[bytes], None] | None = None,
    contained: bool = False,
) -> Completed:
    """Run `argv` in a process group of its own; on time-out or interruption the whole group is killed.

    The child dies with its parent. `env` replaces the environment when given. Raises OSError when it cannot be started.
    `contained`: it may leave no process behind, inside its group or out of it, and is ended when it says more than
    `limits.output_bytes`, which else is merely dropped. This process then starts no other children meanwhile.
    """
    if contained:
        with none_left() as end_strays:
            return _run(argv, cwd, env, stdin, limits, on_stderr, end_strays)
    return _run(argv, cwd, env, stdin, limits, on_stderr, None)


def _run(
    argv: Sequence[str],
    cwd: str | Path | None,
    env: Mapping[str, str] | None,
    stdin: bytes,
    limits: Limits,
    on_stderr: Callable[[bytes], None] | None,
    end_strays: Callable[[], None] | None,
) -> Completed:
    end_with_us = dying_with_parent()

    def in_child() -> None:
        end_with_us()
        if limits.cpu_seconds:
            resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
        if limits.memory_bytes:
            resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        if limits.file_bytes:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    child = subprocess.Popen(
        list(argv),
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=in_child,
    )
    flooded = threading.Event()

    def flood() -> None:
        if end_strays:
            flooded.set()
            if child.returncode is None:
                _kill_group(child)

    out, err = bytearray(), bytearray()
    threads = [
        threading.Thread(target=_drain, args=(child.stdout, out, limits.output_bytes, None, flood), daemon=True),
        threading.Thread(target=_drain, args=(child.stderr, err, limits.output_bytes, on_stderr, flood), daemon=True),
    ]
    if stdin:
        # A child that does not read must not hold us up beyond its time.
        threads.append(threading.Thread(target=_feed, args=(child, stdin), daemon=True))
    else:
        _feed(child, stdin)
    for thread in threads:
        thread.start()
    timed_out = False
    try:
        timed_out = not _ends_within(child, limits.wall_seconds)
    finally:
        if child.poll() is None or end_strays:
            _kill_group(child)
        child.wait()
        if end_strays:
            end_strays()
        for thread in threads:
            _join(thread, [out, err])
    return Completed(tuple(argv), child.returncode, bytes(out), bytes(err), timed_out, flooded.is_set())


def _ends_within(child: subprocess.Popen[bytes], seconds: float) -> bool:
    patience, left = Patience(), seconds
    while True:
        try:
            child.wait(timeout=min(left, _STEP) if seconds else None)
        except subprocess.TimeoutExpired:
            left = seconds - patience.spent()
            if left <= 0:
                return False
        else:
            return True


def _join(thread: threading.Thread, read: Sequence[bytearray]) -> None:
    """Wait for a pipe's end, unless something that the child has left behind keeps it open and says nothing for a while."""
    quiet = 0
    while thread.is_alive() and quiet < _LOOKS:
        before = sum(map(len, read))
        thread.join(timeout=_STEP)
        quiet = quiet + 1 if sum(map(len, read)) == before else 0


def _feed(child: subprocess.Popen[bytes], data: bytes) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError), child.stdin:
        child.stdin.write(data)


def _drain(
    pipe: object, into: bytearray, limit: int, tee: Callable[[bytes], None] | None, flood: Callable[[], None]
) -> None:
    """Read a pipe to its end, keeping the first `limit` bytes: a child that floods us must not block, nor fill
    memory.
    """
    with pipe:  # type: ignore[attr-defined]
        while chunk := pipe.read1(1 << 16):  # type: ignore[attr-defined]
            if tee:
                tee(chunk)
            room = (limit or 1 << 62) - len(into)
            into.extend(chunk[: max(room, 0)])
            if room < len(chunk):
                flood()


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def dying_with_parent() -> Callable[[], None]:
    """For `preexec_fn`: have the kernel kill the child when this process goes, however it goes, or has gone by then."""
    libc, parent = ctypes.CDLL(None), os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return in_child


def ends_soon(child: subprocess.Popen[bytes]) -> bool:
    """Wait for a child that has closed its output, which it mostly does by ending."""
    for _ in range(_LOOKS):
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=_STEP)
            return True
    return False
