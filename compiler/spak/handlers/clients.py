"""Processes that speak to providers: started for a question, kept for the next one. Knows nothing of what is asked.

A client takes a line on standard input and gives one on standard output; what it says on standard error while it is at
work belongs to the question. One that is idle is kept, for it takes seconds to start; it ends with this process, whose end
closes its standard input.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from spak.effects import Completed
from spak.effects.run import ends_soon

_CHUNK = 1 << 16

Hear = Callable[[bytes], None]


class Client:
    """One running child process."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start it. Raises OSError when it cannot be started."""
        self.argv, self.env, self.owner = tuple(argv), dict(env), os.getpid()
        self._child = subprocess.Popen(
            self.argv,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for pipe in self._pipes():
            os.set_blocking(pipe, False)

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def ask(self, line: bytes, *, seconds: float, most: int, hear: Hear) -> Completed:
        """Send a line and wait for the answer, of at most `most` bytes. Unless it comes, the process has ended after this."""
        told, said, answered = bytearray(), bytearray(), False
        timed_out = False
        try:
            with selectors.DefaultSelector() as selector:
                answered, timed_out = self._talk(selector, memoryview(line + b"\n"), (told, said), seconds, most, hear)
        finally:
            if not answered:
                self.close()
        flooded = len(told) > most
        return Completed(
            self.argv, 0 if answered else self._child.returncode, bytes(told), bytes(said), timed_out, flooded
        )

    def _talk(
        self,
        selector: selectors.BaseSelector,
        left: memoryview,
        into: tuple[bytearray, bytearray],
        seconds: float,
        most: int,
        hear: Hear,
    ) -> tuple[bool, bool]:
        """Whether it answered, and whether it ran out of time. Fills `into` with its output and its errors."""
        order, answer, errors = self._pipes()
        told, said = into
        selector.register(order, selectors.EVENT_WRITE)
        selector.register(answer, selectors.EVENT_READ)
        selector.register(errors, selectors.EVENT_READ)

        def listen() -> None:
            while chunk := _read(errors):
                said.extend(chunk[: max(most - len(said), 0)])
                hear(chunk)
            if chunk is not None:
                selector.unregister(errors)

        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            ready = {key.fd for key, _ in selector.select(until - now)}
            if order in ready:
                with suppress(BrokenPipeError):
                    left = left[os.write(order, left[:_CHUNK]) :]
                    if left:
                        ready.discard(order)
                if order in ready:
                    selector.unregister(order)
            if errors in ready:
                listen()
            if answer in ready:
                chunk = _read(answer)
                told.extend(chunk or b"")
                if told.endswith(b"\n") or chunk == b"" or len(told) > most:
                    if errors in selector.get_map():
                        listen()
                    if chunk == b"":
                        ends_soon(self._child)  # by itself, that how it ended can be told
                    return told.endswith(b"\n"), False
        return False, True

    def _pipes(self) -> tuple[int, int, int]:
        child = self._child
        assert child.stdin and child.stdout and child.stderr
        return child.stdin.fileno(), child.stdout.fileno(), child.stderr.fileno()

    def close(self) -> None:
        """End it and whatever it has started."""
        if self._child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()


def _read(pipe: int) -> bytes | None:
    """What there is, b"" at the end; None for nothing yet."""
    try:
        return os.read(pipe, _CHUNK)
    except BlockingIOError:
        return None


_lock = threading.Lock()
_idle: list[Client] = []  # one at most: each holds hundreds of megabytes


def ask(
    argv: Sequence[str], line: bytes, *, env: Mapping[str, str], seconds: float, most: int, hear: Hear
) -> Completed:
    """Have an idle client of the same command and environment answer, or a new one. Raises OSError when it cannot start."""
    client = _take(tuple(argv), dict(env)) or Client(argv, env)
    done = client.ask(line, seconds=seconds, most=most, hear=hear)
    if client.alive:
        _give_back(client)
    return done


def _take(argv: tuple[str, ...], env: dict[str, str]) -> Client | None:
    with _lock:
        if _idle and (_idle[0].argv, _idle[0].env, _idle[0].owner) == (argv, env, os.getpid()) and _idle[0].alive:
            return _idle.pop()
    return None


def _give_back(client: Client) -> None:
    with _lock:
        old, _idle[:] = list(_idle), [client]
    _end(old)


def _end(clients: list[Client]) -> None:
    for one in clients:
        if one.owner == os.getpid():
            one.close()


@atexit.register
def _end_idle() -> None:
    with _lock:
        old, _idle[:] = list(_idle), []
    _end(old)
