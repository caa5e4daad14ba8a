"""Workers as the build sees them: start a job, wait for it, kill it. Knows nothing of the graph, of keys or of
caches.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spak.effects.patience import Patience
from spak.errors import Diagnostic
from spak.pipeline.execution.worker import BROKEN

SAID_BYTES = 4000
FLOOD_BYTES = 64 << 20
FIXED_ENV = {
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYDANTIC_DISABLE_PLUGINS": "__all__",  # no stage uses one, and looking for them reads every installed distribution
}
KEPT_ENV = ("HOME", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Done:
    """How a job ended: an outcome, or why there is none. `stopped` if the build itself was ended meanwhile."""

    outcome: dict[str, Any] | None
    diagnostics: tuple[Diagnostic, ...] = ()
    stopped: bool = False


def base_env(env: Mapping[str, str]) -> dict[str, str]:
    """What every worker sees of the environment; the rest must be declared."""
    return {**{name: env[name] for name in KEPT_ENV if name in env}, **FIXED_ENV}


class Workers:
    """Runs jobs in processes that die with this one. Safe to share between threads; the nursery starts with the
    first job or `start`.
    """

    def __init__(self, root: str, env: Mapping[str, str]) -> None:
        self.root, self.env = root, env
        self._nursery: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._stopping = False

    def run(self, job: dict[str, Any], *, seconds: float, cwd: str = "", argv: tuple[str, ...] = ()) -> Done:
        """Run a job to its end. `argv`, if given, is a command that serves it instead of the nursery (a sandbox)."""
        request = os.memfd_create("request")
        errors = os.memfd_create("stderr")
        try:
            body = {**job, "cwd": cwd or self.root}
            os.write(request, json.dumps(body).encode())
            os.lseek(request, 0, os.SEEK_SET)
            status, why = (
                self._by_command(argv, request, errors, seconds) if argv else self._by_fork(request, errors, seconds)
            )
            return self._judge(job["stage"], status, why, _content(request), _content(errors, SAID_BYTES))
        finally:
            os.close(request)
            os.close(errors)

    def start(self) -> None:
        """Start the nursery. Call it from the main thread: the kernel ties a child's life to the *thread* that
        started it.
        """
        with self._lock:
            if not self._stopping:
                self._start_nursery()

    def stop(self) -> None:
        """End everything that runs, now; jobs in flight return as stopped."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        for pid in running:
            _kill_group(pid)

    def close(self) -> None:
        """Let the nursery go."""
        with self._lock:
            nursery, self._nursery = self._nursery, None
            control, self._control = self._control, None
        if control is not None:
            control.close()
        if nursery is not None:
            try:
                nursery.wait(timeout=2)
            except subprocess.TimeoutExpired:
                nursery.kill()
                nursery.wait()

    def _by_fork(self, request: int, errors: int, seconds: float) -> tuple[int, str]:
        mine, theirs = socket.socketpair()
        with mine:
            with theirs, self._lock:
                if self._stopping:
                    return -signal.SIGTERM, ""
                socket.send_fds(self._start_nursery(), [b"j"], [theirs.fileno(), request, errors])
            said = mine.recv(8, socket.MSG_WAITALL)
            if len(said) != 8:
                return -signal.SIGKILL, "its parent process died"
            return self._wait(int.from_bytes(said, "little"), mine, errors, seconds)

    def _wait(self, pid: int, mine: socket.socket, errors: int, seconds: float) -> tuple[int, str]:
        self._enter(pid)
        why, patience = "", Patience()
        try:
            while not select.select([mine], [], [], 0.5)[0]:
                if why:
                    continue
                why = _excess(patience, seconds, errors)
                if why:
                    _kill_group(pid)
            said = mine.recv(8, socket.MSG_WAITALL)
        except BaseException:
            _kill_group(pid)
            mine.recv(8, socket.MSG_WAITALL)  # it must be gone before its outputs are removed
            raise
        finally:
            self._leave(pid)
        if len(said) != 8:
            return -signal.SIGKILL, why or "its parent process died"
        return os.waitstatus_to_exitcode(int.from_bytes(said, "little")), why

    def _by_command(self, argv: tuple[str, ...], request: int, errors: int, seconds: float) -> tuple[int, str]:
        answer = os.memfd_create("stdout")
        try:
            child = subprocess.Popen(
                argv, stdin=request, stdout=answer, stderr=errors, env=dict(self.env), start_new_session=True
            )
            self._enter(child.pid)
            why, patience = "", Patience()
            while True:
                try:
                    status = child.wait(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    why = why or _excess(patience, seconds, errors)
                    if why:
                        _kill_group(child.pid)
            self._leave(child.pid)
            os.ftruncate(request, 0)
            os.pwrite(request, _content(answer), 0)
            return status, why
        finally:
            os.close(answer)

    def _enter(self, pid: int) -> None:
        with self._lock:
            self._running.add(pid)
            stopping = self._stopping
        if stopping:
            _kill_group(pid)

    def _leave(self, pid: int) -> None:
        _kill_group(pid)  # whatever it has left behind
        with self._lock:
            self._running.discard(pid)

    def _start_nursery(self) -> socket.socket:
        if self._control is not None and self._nursery is not None and self._nursery.poll() is None:
            return self._control
        mine, theirs = socket.socketpair()
        with theirs:
            argv = [sys.executable, "-m", "spak.pipeline.execution.nursery", str(theirs.fileno())]
            self._nursery = subprocess.Popen(
                argv,
                env=dict(self.env),
                cwd=self.root,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control = mine
        return mine

    def _judge(self, stage: str, status: int, why: str, answer: bytes, said: bytes) -> Done:
        if self._stopping:
            return Done(None, stopped=True)
        try:
            body = json.loads(answer) if status in (0, BROKEN) else None
        except ValueError:
            body = None
        if status == 0 and isinstance(body, dict) and "ok" in body:
            return Done(body)
        if status == BROKEN and isinstance(body, dict) and "diagnostics" in body:
            return Done(None, tuple(Diagnostic.from_json(one) for one in body["diagnostics"]))
        how = why or (f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}")
        notes = tuple(said.decode(errors="replace").strip().splitlines()[-20:])
        what = f"the worker of stage {stage!r} ended without a result: {how}"
        return Done(None, (Diagnostic("SPK705", what, None, "its last words follow" if notes else "", notes),))


def _excess(patience: Patience, seconds: float, errors: int) -> str:
    if seconds and patience.spent() > seconds:
        return f"no result within {seconds:g} s"
    if os.fstat(errors).st_size > FLOOD_BYTES:
        return f"it printed more than {FLOOD_BYTES >> 20} MiB"
    return ""


def _content(handle: int, last: int = 0) -> bytes:
    size = os.fstat(handle).st_size
    return os.pread(handle, last or size, max(0, size - last) if last else 0)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, and left nothing behind
