"""Fault case 18: state of another version, copied trees, read-only trees, `git clean`; and both front ends over one
state.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.tree import Tree, chain


def test_state_of_another_version(tree: Tree) -> None:
    tree.build()
    tree.ran()
    journal = tree.root / ".spak/state/journal"
    journal.write_bytes(b"spak journal 99\n" + b"whatever that version writes")
    (tree.root / "in.txt").touch()
    done = tree.build()
    assert "version '99'" in done.stderr
    assert tree.ran() == [], "the cache still knows the results"
    tree.assert_settled()


def test_copied_tree(tree: Tree, tmp_path: Path) -> None:
    tree.build()
    copy = Tree(tmp_path / "copy", {}, tree.rows)
    shutil.copytree(tree.root, copy.root, symlinks=True)
    done = copy.build()
    assert "ran" not in done.stdout
    copy.put("in.txt", "two\n")
    copy.build()
    assert copy.read("out/2") == "2:1:0:two\n"
    assert tree.read("out/2") == "2:1:0:one\n"
    tree.assert_settled()


def test_moved_tree(tree: Tree, tmp_path: Path) -> None:
    tree.build()
    tree.ran()
    log = tree.log
    tree.root = tree.root.rename(tmp_path / "moved")
    tree.build()
    assert not tree.log.exists() and log.read_text() == ""
    assert tree.read("out/2") == "2:1:0:one\n"


def test_read_only_tree(tmp_path: Path) -> None:
    """Up to date: says so. Anything to do: a loud error that names a path."""
    if os.geteuid() != 0:
        pytest.skip("a read-only bind mount needs root")
    tree = chain(tmp_path / "project")
    tree.build()
    tree.assert_settled()
    subprocess.run(["mount", "--bind", str(tree.root), str(tree.root)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(tree.root)], check=True)
        assert "up to date" in tree.build().stdout
        assert "up to date" in tree.doit("build").stdout
        failed = tree.build("out/0", expect=1)
        assert "SPK701" in failed.stderr and "Read-only file system" in failed.stderr
        failed = tree.doit("forget", "make:out/0", expect=None)
        assert failed.returncode != 0
    finally:
        subprocess.run(["umount", "-l", str(tree.root)], check=True)


@pytest.mark.parametrize("what", ["-xdf", "-xdfe.spak"], ids=["everything", "all but the cache"])
def test_git_clean(tree: Tree, what: str) -> None:
    (tree.root / ".gitignore").write_text("/.spak/\n/out/\n__pycache__/\n")
    subprocess.run(["git", "init", "-q"], cwd=tree.root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=tree.root, check=True)
    tree.build()
    tree.ran()
    subprocess.run(["git", "clean", "-q", what], cwd=tree.root, check=True)
    assert not (tree.root / "out").exists()
    tree.build()
    assert len(tree.ran()) == (4 if what == "-xdf" else 0)
    assert tree.read("out/2") == "2:1:0:one\n"
    tree.assert_settled()


def test_both_front_ends_share_everything(tree: Tree) -> None:
    tree.build()
    assert len(tree.ran()) == 4
    tree.doit("build")
    assert tree.ran() == []
    tree.put("in.txt", "two\n")
    tree.doit("build")
    assert tree.ran() == ["out/0", "out/1", "out/2"]
    assert tree.build().stdout.startswith("up to date")
    assert tree.ran() == []
    tree.put("other.txt", "z\n")
    tree.build()
    assert tree.ran() == ["out/other"]
    assert tree.doit("build").stdout.startswith("up to date")


def test_action_removed_from_the_graph(tree: Tree) -> None:
    tree.build()
    tree.ran()
    tree.rows.pop()
    tree.write()
    tree.build()
    assert tree.ran() == []
    tree.assert_settled()


def test_graph_that_cannot_be_made(tree: Tree) -> None:
    tree.rows[0]["inputs"] = ["out/2"]
    tree.write()
    for build in (tree.build, tree.doit):
        failed = build(expect=1)
        assert "SPK712" in failed.stderr and "make:out/0" in failed.stderr and "Traceback" not in failed.stderr


def test_unknown_names(tree: Tree) -> None:
    assert "SPK714" in tree.build("mak:out/1", expect=1).stderr
    assert "SPK714" in tree.doit("build", "nothing", expect=1).stderr
    assert "did you mean" in tree.build("make:out/7", expect=1).stderr
