"""Fault cases 4 and 5: two builds in one tree, stale locks, reused PIDs, trees that share a cache."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from spak.store.treelock import start_time

from tests.faults.tree import Tree, chain


def waits(child: subprocess.Popen[str]) -> str:
    """What a build says until it waits for another."""
    assert child.stderr is not None
    said = ""
    while "waiting" not in said:
        line = child.stderr.readline()
        assert line, f"it did not wait: {said}"
        said += line
    return said


def test_a_second_build_waits_and_says_for_whom(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    tree = chain(tmp_path / "project", gate=str(gate))
    first = tree.start()
    tree.reached(first)
    second = tree.start()
    assert f"waiting for PID {first.pid}" in waits(second)
    refused = tree.build("--no-wait", expect=1)
    assert "SPK703" in refused.stderr and f"PID {first.pid}" in refused.stderr
    gate.touch()
    second.communicate()
    first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(tree.ran()) == 4, "the second build redid what the first had done"
    tree.assert_settled()


def test_doit_waits_for_spak(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    tree = chain(tmp_path / "project", gate=str(gate))
    first = tree.start()
    tree.reached(first)
    second = tree.start("build", program=(sys.executable, "-m", "doit"))
    assert f"waiting for PID {first.pid}" in waits(second)
    gate.touch()
    second.communicate()
    first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(tree.ran()) == 4


def test_the_lock_of_a_killed_build_is_free(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    tree = chain(tmp_path / "project", gate=str(gate))
    child = tree.start()
    tree.reached(child)
    os.killpg(child.pid, signal.SIGKILL)
    child.communicate()
    gate.touch()
    done = tree.build("--no-wait")
    assert "waiting" not in done.stderr


def test_a_reused_pid_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    """The lock file names a live process that is not the one that signed; the kernel says that nobody holds the
    lock.
    """
    tree = chain(tmp_path / "project")
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        lock = tree.root / ".spak" / "lock"
        lock.parent.mkdir()
        lock.write_text(json.dumps({"pid": stranger.pid, "start": start_time(stranger.pid) - 5}))
        tree.build("--no-wait")
    finally:
        stranger.kill()
        stranger.wait()


def test_eight_builds_of_two_trees_share_one_cache(tmp_path: Path) -> None:
    """Eight writers of one key: every tree is right, and the cache serves the next one without running anything."""
    cache = {"SPAK_CACHE": str(tmp_path / "cache")}
    trees = []
    for number in range(8):
        tree = chain(tmp_path / f"project{number}", length=2)
        for row in tree.rows:
            row["options"]["log"] = ""  # a log of its own would give each tree keys of its own
        tree.env = cache
        trees.append(tree.write())
    children = [tree.start() for tree in trees]
    for child in children:
        _, said = child.communicate()
        assert child.returncode == 0, said
    for tree in trees:
        assert tree.read("out/1") == "1:0:one\n"
    late = Tree(tmp_path / "late", cache, trees[0].rows).write()
    late.put("in.txt", "one\n")
    late.put("other.txt", "x\n")
    assert "3 restored" in late.build().stdout
    assert late.read("out/1") == "1:0:one\n"
