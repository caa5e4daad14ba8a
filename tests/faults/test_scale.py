"""Fault case 20: many tasks, many inputs, deep chains, few file descriptors, odd names."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest
from pace import within

from tests.faults.tree import Tree

ALONE = (sys.executable, "-m", "tests.faults.alone", "build")


@pytest.mark.slow
def test_ten_thousand_tasks(tmp_path: Path) -> None:
    """Made in the driver itself but for two hundred, which are made anew by processes of their own."""
    tree = Tree(tmp_path / "project")
    tree.put("in.txt", "x")
    for number in range(10_000):
        tree.action(f"out/{number // 100}/{number}", ("in.txt",), text=f"{number}:")
    tree.write()
    tree.build(program=ALONE)
    assert len(tree.ran()) == 10_000
    assert tree.read("out/42/4242") == "4242:x"
    for row in tree.rows[4200:4400]:
        row["options"]["text"] = "anew:"
    tree.write()
    assert "10000 actions: 9800 up-to-date, 200 ran" in tree.build().stdout
    assert len(tree.ran()) == 200
    assert tree.read("out/42/4242") == "anew:x"

    def nothing_to_do() -> None:
        assert tree.build().stdout.startswith("up to date")

    assert within(5, nothing_to_do, lambda: resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)
    tree.put("in.txt", "x ")
    tree.put("in.txt", "x")
    assert "10000 up-to-date" in tree.build().stdout
    assert tree.ran() == []


def test_two_thousand_inputs(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "project")
    names = tuple(f"in/{number}" for number in range(2000))
    for name in names:
        tree.put(name, name[-1])
    tree.action("out/all", names)
    tree.write()
    for build in (tree.build, tree.doit):
        build()
    tree.put("in/7", "!")
    tree.build()
    assert tree.read("out/all")[:10] == "0123456!89"
    tree.assert_settled()
    tree.doit("build")
    assert tree.ran() == []


def test_chain_longer_than_the_stack(tmp_path: Path) -> None:
    """No part recurses: not the order, not the scheduler, not doit's dispatcher as we feed it."""
    length = sys.getrecursionlimit() + 200
    tree = Tree(tmp_path / "project")
    tree.put("in.txt", "x")
    before = "in.txt"
    for number in range(length):
        tree.action(f"out/{number}", (before,))
        before = f"out/{number}"
    tree.write()
    tree.build()
    assert tree.read(f"out/{length - 1}") == "x"
    assert len(tree.ran()) == length
    tree.put("other.txt", "y")
    assert tree.build().stdout.startswith("up to date")
    (tree.root / "in.txt").touch()
    assert f"{length} up-to-date" in tree.build().stdout
    (tree.root / "in.txt").touch()
    tree.doit("build")
    assert tree.ran() == []


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_sixty_four_file_descriptors(tmp_path: Path, way: str) -> None:
    tree = Tree(tmp_path / "project")
    tree.put("in.txt", "x")
    for number in range(60):
        tree.action(f"out/{number}", ("in.txt",))
    tree.write()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    if way == "spak":
        tree.build("-j", "2", preexec_fn=limit)
    else:
        tree.build("-n", "2", program=(sys.executable, "-m", "doit"), preexec_fn=limit)
    assert len(tree.ran()) == 60
    tree.assert_settled()


NAMES = [
    "with space",
    "new\nline",
    "ünïcödé-日本語",
    "quote'\"`$(x)",
    "-dash",
    "semi;colon&|",
    "back\\slash",
    "100%",
    "a#b",
]


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_odd_names(tmp_path: Path, way: str) -> None:
    tree = Tree(tmp_path / "project")
    for name in NAMES:
        tree.put(f"in/{name}", name)
        tree.action(f"out/{name}", (f"in/{name}",))
    tree.write()
    build = tree.build if way == "spak" else tree.doit
    build()
    for name in NAMES:
        assert tree.read(f"out/{name}") == name
    tree.assert_settled()
    tree.put(f"in/{NAMES[1]}", "edited")
    build()
    assert tree.ran() == ["out/new?line"]
