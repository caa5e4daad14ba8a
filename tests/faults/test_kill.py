"""Fault cases 1 and 2: killed at any point, what was finished is kept and the next build is right."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.faults.tree import Tree

KILLS = 50
WIDTH = 4


def layers(root: Path) -> Tree:
    """Three layers of four actions, each reading all of the layer below; every action takes a moment."""
    tree = Tree(root)
    before: tuple[str, ...] = ("in.txt",)
    for layer in range(3):
        outs = tuple(f"out/{layer}-{number}" for number in range(WIDTH))
        for out in outs:
            tree.action(out, before, text=f"{out}\n", sleep=0.01)
        before = outs
    return tree.write()


def expected(text: str) -> str:
    first = "".join(f"out/0-{number}\n{text}" for number in range(WIDTH))
    second = "".join(f"out/1-{number}\n{first}" for number in range(WIDTH))
    return f"out/2-0\n{second}"


def processes_in(root: Path) -> list[int]:
    """The processes whose working directory is the tree."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == root:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def assert_no_process_left(root: Path) -> None:
    deadline = time.monotonic() + 100
    while processes_in(root) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert processes_in(root) == []


def test_killed_at_random_points(tmp_path: Path) -> None:
    tree = layers(tmp_path / "project")
    dice = random.Random(20)
    text = ""
    lost = 0
    for kill in range(KILLS):
        if kill % 5 == 0:
            text = f"edit {kill}\n"
            tree.put("in.txt", text)
            tree.ran()
        child = tree.start("-j", "2")
        time.sleep(dice.uniform(0.0, 0.9))
        os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        assert_no_process_left(tree.root)
        if kill % 5 == 4:
            tree.build()
            assert tree.read("out/2-0") == expected(text)
            lost += len(tree.ran()) - 3 * WIDTH
            tree.assert_settled()
    # Each kill may lose the two actions that were running, and two that had ended but were not on record yet.
    assert 0 <= lost <= 4 * KILLS
    assert not list(tree.root.rglob("*.half"))


@pytest.mark.parametrize("place", ["append:1", "append:4", "append:9", "compact:1", "cas:1", "cas:6", "ac:1", "ac:5"])
def test_killed_inside_a_write(tmp_path: Path, place: str) -> None:
    tree = layers(tmp_path / "project")
    tree.put("in.txt", "a\n")
    if place.startswith("compact"):
        tree.build()
        tree.ran()
        tree.put("in.txt", "b\n")
    text = tree.read("in.txt")
    tree.env = {"KILL": place}
    tree.build("-j", "2", expect=-signal.SIGKILL, program=(sys.executable, "-m", "tests.faults.killer", "build"))
    finished = len(tree.ran())
    tree.build()
    assert tree.read("out/2-0") == expected(text)
    assert len(tree.ran()) + finished <= 3 * WIDTH + 3
    tree.assert_settled()
