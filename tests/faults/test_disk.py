"""Fault cases 6 and 7: a full disk names the path and nothing is lost; damaged caches and files cost time only."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.tree import Tree, chain


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def fill(folder: Path, leave: int) -> Path:
    """Fill a file system but for some bytes."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(folder)
        file.write(b"x" * max(0, free.f_bavail * free.f_frsize - leave))
    return ballast


def test_full_disk_under_an_output(small: Path) -> None:
    tree = Tree(small / "project", {"SPAK_CACHE": str(small.parent / "cache")})
    tree.action("out/big", ("in.txt",), text="y" * 200_000)
    tree.put("in.txt", "x")
    tree.write()
    ballast = fill(small, 64 << 10)
    failed = tree.build(expect=1)
    assert "SPK701" in failed.stderr and "out/big" in failed.stderr and "No space left" in failed.stderr
    assert not list((tree.root / "out").iterdir()), "half an output was left"
    ballast.unlink()
    tree.build()
    assert tree.read("out/big") == "y" * 200_000 + "x"
    tree.assert_settled()


def test_full_disk_under_the_cache(small: Path, tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project", {"SPAK_CACHE": str(small / "cache")})
    tree.action("out/big", ("in.txt",), text="y" * 200_000)
    tree.put("in.txt", "x")
    tree.write()
    ballast = fill(small, 64 << 10)
    done = tree.build()
    assert "SPK709" in done.stderr and str(small) in done.stderr
    assert tree.read("out/big") == "y" * 200_000 + "x"
    ballast.unlink()
    tree.assert_settled()


def test_full_disk_under_the_journal(small: Path) -> None:
    """Only the state lies on the full disk: the output is right, the loss of the record is said, the next build
    recovers.
    """
    tree = Tree(small.parent / "project", {"SPAK_CACHE": str(small.parent / "cache")})
    tree.action("out/a", ("in.txt",), name="make:" + "a" * 60_000)
    tree.put("in.txt", "x")
    tree.write()
    (tree.root / ".spak").mkdir()
    (small / "state").mkdir()
    (tree.root / ".spak" / "state").symlink_to(small / "state")
    ballast = fill(small, 32 << 10)
    done = tree.build()
    assert "SPK701" in done.stderr and "journal" in done.stderr
    assert tree.read("out/a") == "x"
    ballast.unlink()
    tree.build()
    tree.assert_settled()


def test_full_disk_under_the_event_log(small: Path, tmp_path: Path) -> None:
    tree = chain(tmp_path / "project")
    fill(small, 0)
    failed = tree.build("--events", str(small / "events"), expect=1)
    assert "SPK701" in failed.stderr and str(small / "events") in failed.stderr
    tree.build()
    tree.assert_settled()


def test_file_size_limit(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    tree.action("out/big", ("in.txt",), text="y" * 200_000)
    tree.put("in.txt", "x")
    tree.write()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))

    failed = tree.build(expect=1, preexec_fn=limit)
    assert "out/big" in failed.stderr
    tree.build()
    tree.assert_settled()


def damage(root: Path, pattern: str, how: str) -> int:
    """Damage every file of a pattern; returns how many."""
    found = [path for path in root.glob(pattern) if path.is_file()]
    for path in found:
        path.chmod(0o644)
        data = path.read_bytes()
        if how == "missing":
            path.unlink()
        elif how == "empty":
            path.write_bytes(b"")
        elif how == "truncated":
            path.write_bytes(data[: len(data) // 2])
        else:
            path.write_bytes(bytes(byte ^ 1 for byte in data))
    return len(found)


@pytest.mark.parametrize("how", ["missing", "empty", "truncated", "flipped"])
@pytest.mark.parametrize("what", [".spak/cas/??/*", ".spak/ac/??/*", ".spak/state/*", ".spak/**/*", "out/*"])
def test_damage_after_a_rename(tmp_path: Path, what: str, how: str) -> None:
    """What a power failure leaves: a file that is there by name and not by content."""
    tree = chain(tmp_path / "project", length=2)
    tree.build()
    assert damage(tree.root, what, how)
    if "cas" in what or "ac" in what:
        damage(tree.root, "out/*", "missing")  # so that the cache is needed
    tree.build()
    assert tree.read("out/1") == "1:0:one\n"
    assert tree.read("out/other") == "other:x\n"
    tree.assert_settled()
