"""`spak plan` says exactly what a build then does, and changes nothing; `spak explain` says where a file came from."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.faults.tree import Tree

EDITS = {
    "comment": lambda tree: tree.put("spec.txt", "a # another remark\n"),
    "content": lambda tree: tree.put("spec.txt", "b # a remark\n"),
    "late input": lambda tree: tree.put("target.txt", "t2\n"),
    "output deleted": lambda tree: (tree.root / "out/bin").unlink(),
    "option": lambda tree: (tree.rows[1]["options"].update(text="!"), tree.write()),
    "back again": lambda tree: (tree.put("spec.txt", "b\n"), tree.build(), tree.put("spec.txt", "a # a remark\n")),
    "nothing": lambda tree: None,
    "bad subject": lambda tree: (tree.rows[2]["options"].update(how="fail"), tree.write(), tree.build(expect=1)),
    "input deleted": lambda tree: (tree.root / "target.txt").unlink(),
}


def project(root: Path) -> Tree:
    """parse (cheap, drops comments) -> request (cheap) -> compile (not cheap) -> verify, as units are built."""
    tree = Tree(root)
    tree.action("out/ir", ("spec.txt",), name="parse:u", cheap=True, how="strip")
    tree.action("out/request", ("out/ir",), name="request:u", cheap=True)
    tree.action("out/bin", ("out/ir", "target.txt"), name="compile:u")
    tree.action("out/evidence", ("out/bin", "out/request"), name="verify:u")
    tree.put("spec.txt", "a # a remark\n")
    tree.put("target.txt", "t1\n")
    return tree.write()


def stamps(root: Path) -> dict[Path, int]:
    """Every file but the engine's own state, with its mtime."""
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if ".spak" not in path.parts}


def spak(tree: Tree, *argv: str, expect: int | None = None):  # type: ignore[no-untyped-def]
    return tree.build(*argv, expect=expect, program=(sys.executable, "-m", "tests.faults.drive"))


@pytest.mark.parametrize("edit", EDITS)
def test_the_plan_is_what_happens(tmp_path: Path, edit: str) -> None:
    tree = project(tmp_path / "project")
    tree.build()
    EDITS[edit](tree)
    tree.ran()
    before = stamps(tree.root)
    planned = json.loads(spak(tree, "plan", "--json").stdout)
    assert stamps(tree.root) == before, "planning changed the tree"
    tree.ran()  # cheap stages may have run aside
    certain = {step["name"] for step in planned["steps"] if step["what"] == "run" and not step["unless"]}
    possible = {step["name"] for step in planned["steps"] if step["what"] == "run"}
    restored = {step["name"] for step in planned["steps"] if step["what"] == "restore"}
    built = json.loads(spak(tree, "build", "--json").stdout)
    ran = {row["name"] for row in built["actions"] if row["status"] == "ran"}
    assert certain <= ran == possible, "here every output that is made anew is another one"
    assert restored <= {row["name"] for row in built["actions"] if row["status"] == "restored"}
    stopped = {row["name"] for row in built["actions"] if row["status"] in ("failed", "blocked")}
    assert stopped == {step["name"] for step in planned["steps"] if step["what"] in ("failed", "blocked")}
    assert (planned["exit"] == 0) == (edit == "nothing")
    expected = {
        "comment": {"parse:u"},
        "content": {"parse:u", "request:u", "compile:u", "verify:u"},
        "late input": {"compile:u", "verify:u"},
        "output deleted": set(),
        "option": {"request:u", "verify:u"},
        "back again": set(),
        "nothing": set(),
        "bad subject": set(),
        "input deleted": set(),
    }
    assert ran == expected[edit]


def test_reasons(tmp_path: Path) -> None:
    tree = project(tmp_path / "project")
    assert "never built here" in spak(tree, "plan", expect=2).stdout
    tree.build()
    assert spak(tree, "plan", expect=0).stdout == "4 up to date\n"
    tree.put("target.txt", "t2\n")
    said = spak(tree, "plan", expect=2).stdout
    assert "compile:u  input target.txt changed" in said
    assert "(unless out/bin comes out identical)" in said
    (tree.root / "target.txt").unlink()
    said = spak(tree, "plan", expect=1).stdout
    assert "SPK704" in said and "verify:u  compile:u would fail" in said


def test_explain(tmp_path: Path) -> None:
    tree = project(tmp_path / "project")
    tree.put("build/ir/u.json", '{"variants": []}')
    tree.put("build/ir/u.spans.json", '{"": ["spec.txt", 1, 1, 2, 1]}')
    tree.build()
    found = json.loads(spak(tree, "explain", "out/evidence", "--json", expect=0).stdout)
    assert found["action"]["name"] == "verify:u" and found["action"]["what"] == "up to date"
    assert found["key"] == found["recorded"]
    assert [row["action"] for row in found["chain"]] == ["verify:u", "compile:u", "request:u", "parse:u"]
    assert found["chain"][-1] == {"action": "parse:u", "sources": ["spec.txt"], "place": "spec.txt:1:1"}
    assert "target.txt" in found["chain"][1]["sources"]
    text = spak(tree, "explain", "verify:u", expect=0).stdout
    assert "input    out/bin = sha256:" in text
    assert "did you mean 'out/evidence'" in spak(tree, "explain", "out/evidenc", expect=1).stderr
    assert "edited while its action ran" in spak(tree, "explain", "SPK707", expect=0).stdout


def test_events_and_trace(tmp_path: Path) -> None:
    tree = project(tmp_path / "project")
    done = tree.build("--events", "-", "--trace", "trace.json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["event"] for one in events if one["event"] in ("begin", "end")] == ["begin", "end"]
    assert [one["t"] for one in events] == sorted(one["t"] for one in events)
    finished = {one["name"]: one["status"] for one in events if one["event"] == "finish"}
    assert finished == dict.fromkeys(("parse:u", "request:u", "compile:u", "verify:u"), "ran")
    trace = json.loads(tree.read("trace.json"))
    path = trace["otherData"]["critical_path"]
    assert path[0] == "parse:u" and path[-1] == "verify:u" and len(path) == 3
    assert {span["ph"] for span in trace["traceEvents"]} == {"X"}
