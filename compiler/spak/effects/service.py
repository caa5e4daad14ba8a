"""A child process that answers one JSON line for each JSON line it is sent. Knows nothing of what is asked.

The child may crash or hang: that is an `Answer`, never an exception, and the caller starts another one.
"""

from __future__ import annotations

import json
import os
import re
import resource
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spak.effects.patience import Patience
from spak.effects.run import Limits, dying_with_parent, ends_soon

_UNLIMITED = Limits(wall_seconds=0)


@dataclass(frozen=True, slots=True)
class Answer:
    """`state` is "ok" (see `data`), "died" (see `how`: 'signal SIGSEGV') or "hung"; `said` is the end of its stderr."""

    state: str
    data: dict[str, Any] = field(default_factory=dict)
    how: str = ""
    said: str = ""


class Service:
    """One running child. `limits.wall_seconds` and `cpu_seconds` are those of its whole life; each call has its own."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        fds: Sequence[int] = (),
        limits: Limits = _UNLIMITED,
    ) -> None:
        """Start it. Raises OSError when it cannot be started."""
        self._stderr = os.memfd_create("stderr")

        end_with_us = dying_with_parent()

        def in_child() -> None:
            end_with_us()
            for what, value in (
                (resource.RLIMIT_CORE, 0),
                (resource.RLIMIT_CPU, limits.cpu_seconds),
                (resource.RLIMIT_AS, limits.memory_bytes),
                (resource.RLIMIT_FSIZE, limits.output_bytes),
            ):
                if value or what == resource.RLIMIT_CORE:
                    resource.setrlimit(what, (value, value))

        self._child = subprocess.Popen(
            list(argv),
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            pass_fds=tuple(fds),
            start_new_session=True,
            preexec_fn=in_child,
        )
        self._pending = b""

    @property
    def pid(self) -> int:
        return self._child.pid

    def call(
        self,
        message: dict[str, Any],
        *,
        wall_seconds: float,
        cpu_seconds: float,
        watch: Callable[[], bool] | None = None,
    ) -> Answer:
        """Send one message and wait for its answer. `watch` is asked now and then whether to go on."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(message).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return self._died()
        return self._wait(wall_seconds, cpu_seconds, watch)

    def hello(self, *, wall_seconds: float, cpu_seconds: float) -> Answer:
        """The line that the child sends unasked once it is ready."""
        return self._wait(wall_seconds, cpu_seconds, None)

    def _wait(self, wall_seconds: float, cpu_seconds: float, watch: Callable[[], bool] | None) -> Answer:
        assert self._child.stdout is not None
        patience, cpu_began = Patience(), None  # most calls are over before it is worth a look
        while b"\n" not in self._pending:
            ready, _, _ = select.select([self._child.stdout], [], [], 0.05)
            if ready:
                chunk = os.read(self._child.stdout.fileno(), 1 << 16)
                if not chunk:
                    return self._died()
                self._pending += chunk
                if len(self._pending) > 1 << 20:
                    return self._stop("flooded its pipe")
                continue
            cpu_began = self.cpu() if cpu_began is None else cpu_began
            if patience.spent() > wall_seconds or self.cpu() - cpu_began > cpu_seconds:
                return self._stop("did not return")
            if watch and not watch():
                return self._stop("took more memory than it was given")
        line, self._pending = self._pending.split(b"\n", 1)
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return self._stop("wrote on the pipe of its parent")
        return Answer("ok", data if isinstance(data, dict) else {})

    def cpu(self) -> float:
        """CPU seconds that the child and those below it have used so far (a sandbox may stand in between)."""
        ticks, todo = 0, [self._child.pid]
        while todo:
            pid = todo.pop()
            try:
                fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rsplit(")", 1)[1].split()
                todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _died(self) -> Answer:
        if not ends_soon(self._child):
            self.close()
        code = self._child.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        if code == 128 + signal.SIGSEGV:  # what a wrapper such as bubblewrap makes of it
            how = "signal SIGSEGV"
        elif code > 128 and code - 128 in list(signal.Signals):
            how = f"signal {signal.Signals(code - 128).name}"
        return Answer("died", how=how, said=self._said())

    def _stop(self, why: str) -> Answer:
        said = self._said()
        self.close()
        return Answer("hung", how=why, said=said)

    def _said(self) -> str:
        """The last line of stderr, without addresses, which differ from run to run."""
        size = os.fstat(self._stderr).st_size
        text = os.pread(self._stderr, 2000, max(0, size - 2000)).decode(errors="replace").strip()
        return re.sub(r"0x[0-9a-f]{4,}", "0x...", text.splitlines()[-1]) if text else ""

    def close(self) -> None:
        """Kill the child's whole group and collect it; harmless when it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        os.close(self._stderr)
