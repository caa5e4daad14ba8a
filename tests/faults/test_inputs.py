"""Fault cases 10 and 11: inputs that are edited meanwhile, missing, or no regular files."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.faults.tree import Tree, chain


def edit_while_running(tree: Tree, path: str, text: str) -> threading.Thread:
    """Edit a file as soon as the first stage runs."""

    def wait_and_edit() -> None:
        deadline = time.monotonic() + 20
        while not tree.log.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        tree.put(path, text)

    thread = threading.Thread(target=wait_and_edit)
    thread.start()
    return thread


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_input_edited_during_its_action(tmp_path: Path, way: str) -> None:
    tree = chain(tmp_path / "project", length=1, sleep=0.6)
    thread = edit_while_running(tree, "in.txt", "edited\n")
    done = tree.build() if way == "spak" else tree.doit("build")
    thread.join()
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
    tree = chain(tmp_path / "project", length=1, sleep=0.6)
    thread = edit_while_running(tree, "in.txt", "one\n")
    tree.build()
    thread.join()
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
