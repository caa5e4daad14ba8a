"""Fault cases 8 and 9: clocks that lie, and content that changes under an unchanged stat."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.faults.tree import Tree

DAY = 86_400


@pytest.mark.parametrize("when", ["a day back", "a day on", "zero", "far future"])
@pytest.mark.parametrize("way", ["spak", "doit"])
def test_any_clock(tree: Tree, when: str, way: str) -> None:
    """An edit counts whatever its mtime says, and a touch alone runs nothing."""
    build = tree.build if way == "spak" else tree.doit
    build()
    tree.ran()
    now = time.time()
    mtime = {"a day back": now - DAY, "a day on": now + DAY, "zero": 0.0, "far future": 4_000_000_000.0}[when]
    os.utime(tree.root / "in.txt", (mtime, mtime))
    build()
    assert tree.ran() == []
    tree.put("in.txt", "two\n")
    os.utime(tree.root / "in.txt", (mtime, mtime))
    build()
    assert tree.ran() == ["out/0", "out/1", "out/2"]
    assert tree.read("out/2") == "2:1:0:two\n"
    tree.assert_settled()


@pytest.mark.parametrize("text", ["eno\n", "longer than it was\n"], ids=["same size", "other size"])
@pytest.mark.parametrize("way", ["spak", "doit"])
def test_content_changed_and_mtime_restored(tree: Tree, text: str, way: str) -> None:
    build = tree.build if way == "spak" else tree.doit
    build()
    tree.assert_settled()
    path = tree.root / "in.txt"
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    build()
    assert tree.read("out/2") == "2:1:0:" + text
    tree.assert_settled()


def test_replaced_by_another_inode_with_the_same_times(tree: Tree) -> None:
    tree.build()
    path = tree.root / "in.txt"
    before = path.stat()
    other = tree.put("new.txt", "eno\n")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)
    tree.build()
    assert tree.read("out/0") == "0:eno\n"


def test_edits_faster_than_the_clock_ticks(tree: Tree) -> None:
    """Two edits of one size within a tick of the file system's clock, straight after a build."""
    for number in range(4):
        tree.put("in.txt", f"{number}a\n")
        tree.build()
        tree.put("in.txt", f"{number}b\n")
        tree.build()
        assert tree.read("out/2") == f"2:1:0:{number}b\n"


def test_output_as_old_as_the_epoch(tree: Tree) -> None:
    tree.build()
    tree.ran()
    os.utime(tree.root / "out/0", (0, 0))
    tree.build()
    assert tree.ran() == []
    tree.assert_settled()


def test_touch_of_a_shared_input_is_hashed_once(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    for number in range(5):
        tree.action(f"out/{number}", ("in.txt",))
    tree.put("in.txt", "x")
    tree.write()
    tree.build()
    tree.ran()
    (tree.root / "in.txt").touch()
    tree.build()
    assert tree.ran() == []
    tree.assert_settled()
