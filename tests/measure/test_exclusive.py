"""The machine's lock: one holder at a time, and none that is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import spak
from spak.errors import SpakError
from spak.measure.exclusive import HELD, exclusively

HOLD = "import sys; from pathlib import Path; from spak.measure.exclusive import exclusively\n" \
       "with exclusively(path=Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"  # fmt: skip


def holder(path: Path) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(spak.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_the_next_one_waits_and_says_for_whom(tmp_path: Path) -> None:
    child = holder(tmp_path / "lock")
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        assert child.stdin is not None
        child.stdin.close()  # only now it ends, so that this one has waited

    with exclusively(say, tmp_path / "lock"):
        child.wait()
    assert said == [f"waiting for PID {child.pid}, which measures on this machine"]
    assert child.stdout is not None
    child.stdout.close()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    child = holder(tmp_path / "lock")
    child.send_signal(signal.SIGKILL)
    child.wait()
    said: list[str] = []
    with exclusively(said.append, tmp_path / "lock"):
        assert not said
    for pipe in (child.stdin, child.stdout):
        assert pipe is not None
        pipe.close()


def test_a_measured_command_is_not_made_to_wait_for_its_own_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HELD, "1")
    with exclusively(), exclusively():
        pass


def test_a_place_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match="SPK656"), exclusively(path=tmp_path):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SpakError, match="SPK656"), exclusively(path=tmp_path / "link"):
        pass
    assert not (tmp_path / "elsewhere").exists()
