"""Fault cases 10 and 11: inputs that are edited meanwhile, missing, or no regular files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.tree import Tree, chain


def edited_while_running(root: Path, text: str, way: str = "spak") -> tuple[Tree, subprocess.CompletedProcess[str]]:
    """A tree whose `in.txt` was edited while its first action ran, which has read it by then or reads it now."""
    gate = root.parent / "gate"
    tree = chain(root, length=1, gate=str(gate))
    child = tree.start() if way == "spak" else tree.start("build", program=(sys.executable, "-m", "doit"))
    tree.reached(child, "out/0")
    tree.put("in.txt", text)
    gate.touch()
    out, err = child.communicate()
    assert child.returncode == 0, err
    return tree, subprocess.CompletedProcess(child.args, 0, out, err)


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_input_edited_during_its_action(tmp_path: Path, way: str) -> None:
    tree, done = edited_while_running(tmp_path / "project", "edited\n", way)
    assert "SPK707" in done.stderr and "in.txt" in done.stderr
    assert tree.read("out/0") == "0:edited\n"
    assert tree.ran() == ["out/0", "out/0", "out/other"]
    tree.assert_settled()
    tree.put("in.txt", "one\n")
    tree.build()
    assert tree.read("out/0") == "0:one\n", "the mixed result was served from the cache"


def test_input_edited_and_restored_during_its_action(tmp_path: Path) -> None:
    """The stat tells nothing, the content is the same again: the result may stand only because digests agree before
    and after.
    """
    tree, _ = edited_while_running(tmp_path / "project", "one\n")
    assert tree.read("out/0") == "0:one\n"


def loop(path: Path) -> None:
    path.symlink_to(path.name)


WRONG = {
    "deleted": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "fifo": lambda path: os.mkfifo(path),
    "loop": loop,
    "dangling": lambda path: path.symlink_to("nowhere"),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("way", ["spak", "doit"])
def test_input_replaced(tree: Tree, how: str, way: str) -> None:
    """A loud error that names the file; the rest is built; back to normal once it is put right."""
    build = tree.build if way == "spak" else tree.doit
    build()
    tree.ran()
    tree.put("other.txt", "y\n")
    path = tree.root / "in.txt"
    path.unlink()
    WRONG[how](path)
    failed = build(expect=1)
    assert "in.txt" in failed.stderr and "SPK70" in failed.stderr
    assert tree.ran() == ["out/other"]
    path.rmdir() if how == "folder" else path.unlink(missing_ok=True)
    tree.put("in.txt", "one\n")
    build()
    assert tree.ran() == []
    tree.assert_settled()


def test_input_replaced_by_a_link_to_other_content(tree: Tree) -> None:
    tree.build()
    path = tree.root / "in.txt"
    path.unlink()
    path.symlink_to(tree.put("elsewhere.txt", "linked\n"))
    tree.build()
    assert tree.read("out/0") == "0:linked\n"
    tree.assert_settled()
    tree.put("elsewhere.txt", "linked again\n")
    tree.build()
    assert tree.read("out/0") == "0:linked again\n"


def test_input_without_permission(tree: Tree) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    tree.build()
    path = tree.root / "in.txt"
    path.write_text("two\n")
    path.chmod(0)
    failed = tree.build(expect=1)
    assert "SPK701" in failed.stderr and "in.txt" in failed.stderr


def test_optional_input_appears_and_goes(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    tree.action("out/a", optional=("maybe.txt",), text="a")
    tree.write()
    tree.build()
    tree.assert_settled()
    tree.put("maybe.txt", "here")
    tree.build()
    assert tree.ran() == ["out/a"]
    tree.assert_settled()
    (tree.root / "maybe.txt").unlink()
    tree.build()
    assert tree.ran() == []
    tree.assert_settled()
