"""A program on a machine whose processors others have is not ended for that."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from spak.sim import program

SPINS = "import time\nwhile time.process_time() < {}: pass"


@pytest.mark.skipif(
    not Path("/proc/self/schedstat").exists(), reason="the kernel does not say how long a process waits"
)
def test_time_without_a_processor_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_GRACE", 0)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    others = [subprocess.Popen([sys.executable, "-c", SPINS.format(600)]) for _ in range(8)]
    os.sched_setaffinity(0, before)
    pinned = f"import os\nos.sched_setaffinity(0, {{{min(before)}}})\n{SPINS.format(0.5)}"
    try:
        assert program._wait([sys.executable, "-c", pinned], dict(os.environ), 2) == (0, None)
    finally:
        for one in others:
            one.kill()
            one.wait()


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_GRACE", 0)
    status, ended = program._wait([sys.executable, "-c", "import time; time.sleep(600)"], dict(os.environ), 1)
    assert status == -9 and ended is not None and "more than --seconds allows" in ended.message
