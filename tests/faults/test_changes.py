"""Fault cases 14 and 15: a change re-runs what depends on it and nothing else; strict mode shows undeclared
dependencies.
"""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
from shadow import shadow

from tests.faults.tree import REPO, Tree, chain


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_option_changed(tree: Tree, way: str) -> None:
    build = tree.build if way == "spak" else tree.doit
    build()
    tree.ran()
    tree.rows[1]["options"]["text"] = "I:"
    tree.write()
    build()
    assert tree.ran() == ["out/1", "out/2"]
    assert tree.read("out/2") == "2:I:0:one\n"
    tree.assert_settled()


def test_early_cutoff(tree: Tree) -> None:
    """An option that changes nothing in the output stops there."""
    tree.build()
    tree.ran()
    tree.rows[0]["options"]["sleep"] = 0.001
    tree.write()
    tree.build()
    assert tree.ran() == ["out/0"]
    tree.assert_settled()


def test_value_changed(tree: Tree) -> None:
    tree.rows[1]["values"] = [["edition", "1"]]
    tree.write()
    tree.build()
    tree.ran()
    tree.rows[1]["values"] = [["edition", "2"]]
    tree.write()
    tree.build()
    assert tree.ran() == ["out/1"]


@pytest.mark.parametrize("way", ["spak", "doit"])
def test_environment(tmp_path: Path, way: str) -> None:
    """A declared variable is in the key and reaches the stage; an undeclared one does neither."""
    tree = chain(tmp_path / "project", length=1)
    tree.action("out/env", variable="SPAK_TEST_COLOUR", env=("SPAK_TEST_COLOUR",))
    tree.action("out/blind", variable="SPAK_TEST_COLOUR")
    tree.write()
    build = tree.build if way == "spak" else tree.doit
    tree.env = {"SPAK_TEST_COLOUR": "red"}
    build()
    assert (tree.read("out/env"), tree.read("out/blind")) == ("red", "unset")
    tree.ran()
    tree.env = {"SPAK_TEST_COLOUR": "blue"}
    build()
    assert tree.ran() == ["out/env"]
    assert tree.read("out/env") == "blue"
    tree.assert_settled()


def test_compiler(tmp_path: Path) -> None:
    """Another compiler under the same name re-runs what names it as a tool."""
    compiler = tmp_path / "cxx"
    compiler.write_text("#!/bin/sh\necho cxx 1.0\n")
    compiler.chmod(0o755)
    tree = chain(tmp_path / "project", length=1)
    tree.action("out/compiled", ("in.txt",), tools=("cxx",))
    tree.env = {"CXX": str(compiler)}
    tree.write()
    tree.build()
    tree.assert_settled()
    compiler.write_text("#!/bin/sh\necho cxx 1.0 # patched\n")
    tree.build()
    assert tree.ran() == ["out/compiled"]
    tree.assert_settled()
    other = tmp_path / "other"
    shutil.copy(compiler, other)
    tree.env = {"CXX": str(other)}
    tree.build()
    assert tree.ran() == ["out/compiled"]
    tree.assert_settled()
    other.unlink()
    failed = tree.build(expect=1)
    assert "SPK721" in failed.stderr and str(other) in failed.stderr
    assert tree.ran() == []


def test_stage_code_edited_while_it_runs(tmp_path: Path) -> None:
    """Nobody can tell which code has run: its output goes, and the next build makes it anew."""
    stage = tmp_path / "code" / "own" / "stage.py"
    stage.parent.mkdir(parents=True)
    shutil.copy(REPO / "tests" / "stages" / "concat.py", stage)
    gate = tmp_path / "gate"
    tree = chain(tmp_path / "project", length=1, gate=str(gate))
    tree.rows[0]["stage"] = "own.stage"
    tree.env = {"PYTHONPATH": f"{REPO / 'compiler'}:{REPO}:{tmp_path / 'code'}"}
    tree.write()
    child = tree.start()
    tree.reached(child, "out/0")
    with stage.open("a") as file:
        file.write("# a change\n")
    gate.touch()
    _, said = child.communicate(timeout=400)
    assert child.returncode == 1
    assert "SPK707" in said and "the code of stage 'own.stage' changed" in said
    assert not (tree.root / "out/0").exists()
    tree.build()
    assert tree.read("out/0") == "0:one\n"
    tree.assert_settled()


def test_stage_code(tmp_path: Path) -> None:
    """An edit of a stage re-runs its actions and no other's."""
    code = tmp_path / "code"
    shutil.copytree(REPO / "compiler" / "spak", code / "spak", ignore=shutil.ignore_patterns("__pycache__", "include"))
    stages = code / "tests" / "stages"
    shutil.copytree(REPO / "tests" / "stages", stages, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(REPO / "tests" / "faults", code / "tests" / "faults", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(stages / "concat.py", stages / "second.py")
    shadow(code)
    tree = chain(tmp_path / "project", length=2)
    tree.rows[1]["stage"] = "tests.stages.second"
    tree.env = {"PYTHONPATH": str(code)}
    tree.write()
    tree.build()
    tree.assert_settled()
    with (stages / "second.py").open("a") as file:
        file.write("# a change\n")
    tree.build()
    assert tree.ran() == ["out/1"]
    tree.assert_settled()
    with (code / "spak" / "model" / "base.py").open("a") as file:
        file.write("# every stage is made of this\n")
    tree.build()
    assert tree.ran() == ["out/0", "out/1", "out/other"]
    tree.assert_settled()


def test_undeclared_input_and_output_in_strict_mode(tmp_path: Path) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("strict mode needs bubblewrap")
    tree = Tree(tmp_path / "project")
    tree.put("in.txt", "x")
    tree.put("secret.txt", "s")
    tree.action("out/honest", ("in.txt",), log="")
    tree.action("out/peeks", ("in.txt",), undeclared="secret.txt", log="")
    tree.action("out/litters", ("in.txt",), how="extra", log="")
    tree.write()
    failed = tree.build("--strict", expect=1)
    assert tree.read("out/honest") == "x"
    assert "secret.txt" in failed.stderr and "FileNotFoundError" in failed.stderr
    assert "SPK716" in failed.stderr and "out/litters.extra" in failed.stderr
    assert not (tree.root / "out/peeks").exists()
    tree.build()
    assert tree.read("out/peeks") == "xs", "without the sandbox an undeclared input cannot be seen"


def test_going_back_restores(tree: Tree) -> None:
    tree.build()
    tree.put("in.txt", "two\n")
    tree.build()
    tree.ran()
    tree.put("in.txt", "one\n")
    done = tree.build()
    assert tree.ran() == [] and "3 restored" in done.stdout
    assert tree.read("out/2") == "2:1:0:one\n"
    mode = (tree.root / "out/2").stat().st_mode
    assert stat.S_IMODE(mode) == 0o644
    tree.assert_settled()
