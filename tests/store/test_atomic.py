"""Atomic writes: old or new, no temporaries, errors that name the path."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from spak.errors import SpakError
from spak.store import atomic


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    atomic.write(path, b"one")
    atomic.write(str(path), b"two", 0o755)
    assert path.read_bytes() == b"two" and path.stat().st_mode & 0o777 == 0o755
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"keep")
    (tmp_path / "link").symlink_to("outside")
    atomic.write(tmp_path / "link", b"new")
    assert (tmp_path / "outside").read_bytes() == b"keep" and not (tmp_path / "link").is_symlink()


def test_a_failure_leaves_the_old_file_and_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), atomic.replacing(path) as handle:
        os.write(handle, b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_errors_name_the_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpakError) as caught:
        atomic.write(tmp_path / name, b"x")
    (one,) = caught.value.diagnostics
    assert one.code == "SPK701" and name in one.message and one.hint


def test_very_long_names(tmp_path: Path) -> None:
    atomic.write(tmp_path / ("n" * 255), b"x")
    with pytest.raises(SpakError, match="SPK701"):
        atomic.write(tmp_path / ("n" * 256), b"x")


WRITES = {
    "atomic": "atomic.write(path, b'new')",
    "files": "files.write(path.parent, [path.name], b'new')",
}
AS_PID_7 = """
import os, signal, sys
from pathlib import Path
from spak.effects import files
from spak.store import atomic

me, path = os.getpid(), Path(sys.argv[1])
os.getpid = lambda: 7
if sys.argv[2:]:
    os.fsync = lambda _: os.kill(me, signal.SIGKILL)
"""


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_what_a_killed_process_left_is_in_nobodys_way(tmp_path: Path, write: str) -> None:
    """Not even where the next one has its PID, as in a container."""
    path = tmp_path / "file"
    command = [sys.executable, "-c", AS_PID_7 + write, str(path)]
    assert subprocess.run([*command, "killed"]).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    subprocess.run(command, check=True)
    assert path.read_bytes() == b"new"
