"""Fault cases 12 and 13: outputs that were tampered with, and stages that do not keep their word."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.tree import Tree


def retouch(path: Path, text: str) -> None:
    """Change the content and restore the mtime."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def link_out(path: Path) -> None:
    outside = path.parent.parent.parent / "outside.txt"
    outside.write_text("outside\n")
    path.unlink()
    path.symlink_to(outside)


def link_to_copy(path: Path) -> None:
    outside = path.parent.parent.parent / "outside.txt"
    path.rename(outside)
    path.symlink_to(outside)


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


TAMPER: dict[str, Callable[[Path], object]] = {
    "content": lambda path: path.write_text("tampered\n"),
    "content, mtime restored": lambda path: retouch(path, "tampered\n"),
    "content of the same size, mtime restored": lambda path: retouch(path, "1:0:eno\n"),
    "truncated": lambda path: path.write_text(""),
    "deleted": lambda path: path.unlink(),
    "link out of the tree": link_out,
    "link to a true copy": link_to_copy,
    "fifo": fifo,
    "mode": lambda path: path.chmod(0o755),
}


@pytest.mark.parametrize("how", TAMPER)
@pytest.mark.parametrize("way", ["spak", "doit"])
def test_tampered_output_is_restored(tree: Tree, how: str, way: str) -> None:
    """From the cache, without running anything; the file that a link led to is left alone."""
    build = tree.build if way == "spak" else tree.doit
    build()
    tree.ran()
    path = tree.root / "out/1"
    TAMPER[how](path)
    build()
    assert path.read_text() == "1:0:one\n" and not path.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o644
    assert tree.read("out/2") == "2:1:0:one\n"
    assert tree.ran() == []
    outside = tree.root.parent / "outside.txt"
    assert not outside.exists() or outside.read_text() in ("outside\n", "1:0:one\n")
    tree.assert_settled()


def test_tampered_output_does_not_reach_the_cache(tree: Tree) -> None:
    tree.build()
    with (tree.root / "out/1").open("a") as file:
        file.write("appended in place\n")
    tree.build()
    assert tree.read("out/1") == "1:0:one\n"


def test_output_replaced_by_a_folder(tree: Tree) -> None:
    """Folders are never removed: there may be someone's work in them."""
    tree.build()
    path = tree.root / "out/1"
    path.unlink()
    path.mkdir()
    (path / "mine").write_text("x")
    failed = tree.build(expect=1)
    assert "out/1" in failed.stderr
    assert (path / "mine").exists()
    (path / "mine").unlink()
    path.rmdir()
    tree.build()
    tree.assert_settled()


def test_output_folder_replaced_by_a_link_out_of_the_tree(tree: Tree, tmp_path: Path) -> None:
    tree.build()
    outside = tmp_path / "outside"
    (tree.root / "out").rename(outside)
    (tree.root / "out").symlink_to(outside)
    (outside / "1").write_text("tampered\n")
    failed = tree.build(expect=1)
    assert "SPK706" in failed.stderr
    assert (outside / "1").read_text() == "tampered\n"


BROKEN = {
    "silent": "SPK708",  # rc 0 without the output
    "raise": "the stage is broken",
    "write-then-raise": "the stage broke after it had written",
    "crash": "signal SIGSEGV",
}


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("way", ["spak", "doit"])
def test_broken_stage(tree: Tree, how: str, way: str) -> None:
    """Loud, blocks only what needs it, leaves no output, is not remembered, and is tried again."""
    build = tree.build if way == "spak" else tree.doit
    tree.rows[1]["options"]["how"] = how
    tree.write()
    for _ in range(2):
        failed = build(expect=1)
        assert BROKEN[how] in failed.stderr
        assert "1 blocked" in failed.stdout
        assert not (tree.root / "out/1").exists()
        assert "out/1" in tree.ran()
    tree.rows[1]["options"]["how"] = ""
    tree.write()
    build()
    tree.assert_settled()


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_failed_subject_is_remembered(tree: Tree, way: str) -> None:
    """A verdict is a value: it is served again, also after going back to it, and its evidence is kept."""
    build = tree.build if way == "spak" else tree.doit
    tree.rows[1]["options"]["how"] = "fail"
    tree.write()
    failed = build(expect=1)
    assert "the subject is bad" in failed.stderr and "1 failed, 1 blocked" in failed.stdout
    assert tree.read("out/1") == "1:0:one\n"
    assert tree.ran() == ["out/0", "out/1", "out/other"]
    failed = build(expect=1)
    assert "the subject is bad" in failed.stderr
    assert tree.ran() == []
    tree.put("in.txt", "two\n")
    build(expect=1)
    tree.ran()
    tree.put("in.txt", "one\n")
    failed = build(expect=1)
    assert "the subject is bad" in failed.stderr and tree.read("out/1") == "1:0:one\n"
    assert tree.ran() == []


def test_stale_output_of_a_failed_stage_goes(tree: Tree) -> None:
    tree.build()
    tree.rows[1]["options"]["how"] = "raise"
    tree.write()
    tree.build(expect=1)
    assert not (tree.root / "out/1").exists()


def test_time_limit(tree: Tree) -> None:
    tree.rows[0].update(seconds=0.5)
    tree.rows[0]["options"].update(sleep=60.0)
    tree.write()
    failed = tree.build(expect=1)
    assert "no result within 0.5 s" in failed.stderr
