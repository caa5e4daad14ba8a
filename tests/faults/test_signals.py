"""Fault case 3: SIGTERM and SIGINT leave no orphan, no held lock and no partial output, and keep what was finished."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.faults.test_kill import assert_no_process_left
from tests.faults.tree import Tree

DOIT = (sys.executable, "-m", "doit")
WAYS = {
    "spak -j1": ((), ("-j", "1")),
    "spak -j2": ((), ("-j", "2")),
    "doit -n0": (DOIT, ("-n", "0")),
    "doit -n2": (DOIT, ("-n", "2")),
}


def slow(root: Path) -> Tree:
    tree = Tree(root)
    tree.action("out/first", ("in.txt",))
    tree.action("out/slow", ("out/first",), how="partial", gate=str(root / "never"))
    tree.action("out/last", ("out/slow",))
    tree.put("in.txt", "x")
    return tree.write()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
@pytest.mark.parametrize("way", WAYS)
def test_ended_by_a_signal(tmp_path: Path, way: str, number: signal.Signals) -> None:
    tree = slow(tmp_path / "project")
    program, argv = WAYS[way]
    child = tree.start(*argv, program=program)
    half = tree.root / "out/slow"
    tree.reached(child, path=half)
    os.kill(child.pid, number)
    _, said = child.communicate(timeout=400)
    assert child.returncode == 128 + number, said
    assert "everything that was finished is kept" in said
    assert not half.exists(), "a partial output was left behind"
    assert_no_process_left(tree.root)
    assert tree.read("out/first") == "x"
    assert tree.ran() == ["out/first", "out/slow"]
    tree.rows[1]["options"].update(how="", gate="")
    tree.write()
    tree.build("--no-wait")  # the lock is free
    assert tree.ran() == ["out/last", "out/slow"]
