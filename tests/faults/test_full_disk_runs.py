"""A disk that is full while a run asks or begins: the path is named, nothing is recorded that did not happen, and it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spak.traces.folder import ids

COMPILER = Path(__file__).parents[2] / "compiler"
PROGRAM = """task t {
  step ask: llm.query { prompt: "PROMPT" output_var: said }
}
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A project on a file system of 256 KiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    (mount / "dodo.py").touch()
    (mount / "t.dsl").write_text(PROGRAM.replace("PROMPT", "word " * 2000))
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def spak(root: Path, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spak", *args], cwd=root, env={**os.environ, "PYTHONPATH": str(COMPILER)}, input=stdin, text=True,
        capture_output=True, timeout=400, check=False,
    )  # fmt: skip


def full(root: Path, leave: int) -> Path:
    ballast = root / "ballast"
    free = os.statvfs(root)
    ballast.write_bytes(b"x" * (free.f_bavail * free.f_frsize - leave))
    return ballast


@pytest.mark.parametrize("pages", [0, 4, 8, 9, 10, 12, 14])
def test_a_run_is_whole_or_waits_or_is_not_there(small: Path, pages: int) -> None:
    ballast = full(small, pages * 4096)
    done = spak(small, "run", "t.dsl")
    assert done.returncode == 1, done
    assert "SPK701" in done.stderr and "No space left" in done.stderr, done.stderr
    ballast.unlink()
    if not ids(small):
        spak(small, "run", "t.dsl")
    assert spak(small, "step", "--resume").returncode == 3
    assert spak(small, "step", "--answer", "-", stdin="yes").returncode == 0
    assert spak(small, "trace", "replay").returncode == 0
