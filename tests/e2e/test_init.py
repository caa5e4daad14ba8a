"""`spak init`: a project of one's own that builds offline, and what happens when a spec is added to it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from realproject import Project


def test_builds_from_the_locked_reply(demo: Project) -> None:
    before = demo.path("spak.lock").read_bytes()
    demo.command("-m", "doit", "build")
    built = demo.build()
    assert built.results["codegen:axpby.simple.cpp"]["summary"]["action"] == "replayed"
    assert not built.ran
    assert demo.path("spak.lock").read_bytes() == before, "the shipped lock is as a build leaves it"
    assert not demo.path(".spak/pending").exists()
    script = (
        "import numpy as np, spak; x = np.arange(4, dtype='f4'); print(spak.load('axpby')(2.0, x, 1.0, x).tolist())"
    )
    assert demo.command("-c", script).stdout == "[0.0, 3.0, 6.0, 9.0]\n"


def test_environment_that_is_not_activated(demo: Project) -> None:
    """`.venv/bin/python -m spak build`: pip's cmake and ninja lie beside the interpreter, and need not be in PATH."""
    demo.env["PATH"] = str(demo.root.parent / "bin")
    Path(demo.env["PATH"]).mkdir()
    for name in ("sh", "g++", "as", "ld", "ar", "ranlib", "uname"):
        (Path(demo.env["PATH"]) / name).symlink_to(f"/usr/bin/{name}")
    demo.edit("targets/cpu.toml", '"-O3"', '"-O3", "-fno-plt"')
    assert "compile:axpby.simple@cpu" in demo.build().ran


def test_nothing_of_the_template_is_ignored(demo: Project) -> None:
    """What `git add .` would leave out of a new project could not be built from a clone."""
    assert demo.path(".gitignore").is_file() and not demo.path("gitignore").exists()
    subprocess.run(["git", "init", "-q", "."], cwd=demo.root, check=True)
    found = subprocess.run(
        ["git", "ls-files", "-o", "--exclude-standard"], cwd=demo.root, capture_output=True, text=True
    )
    files = {path.relative_to(demo.root).as_posix() for path in demo.root.rglob("*") if path.is_file()}
    assert set(found.stdout.split()) == {one for one in files if not one.startswith(".git/")}


def test_added_spec_waits(demo: Project) -> None:
    """A copied spec is asked about in three lines, and the unit beside it is built."""
    text = demo.path("specs/axpby/SPEC.axpby.md").read_text().replace("axpby", "blend")
    demo.put("specs/blend/SPEC.blend.md", text)
    demo.put("specs/blend/tests.blend.yaml", demo.path("specs/axpby/tests.axpby.yaml").read_text())
    done = demo.command("-m", "doit", "build", expect=3)
    said = done.stdout + done.stderr
    waits = said[said.index("SPK330") :].splitlines()[:3]
    assert "blend.simple.cpp waits for an answer" in waits[0]
    assert waits[1].split() == ["read", ".spak/pending/blend.simple.cpp/request.md"]
    assert waits[2].split()[:5] == ["answer", "spak", "answer", "blend.simple.cpp", "FILE"]
    assert demo.path(".spak/pending/blend.simple.cpp/request.md").is_file()
    assert demo.path("build/kernels/axpby.cpu.json").is_file()
    assert re.search(r"axpby +simple +cpu +passed", said)


def test_the_program_of_its_readme_runs(demo: Project) -> None:
    readme = demo.path("README.md").read_text()
    demo.put("specs/hello/hello.dsl", readme.split("```spak\n")[1].split("```")[0])
    assert "nothing is wrong" in demo.spak("check").stderr
    asked = demo.spak("run", "specs/hello/hello.dsl", "--arg", "name=Ada", expect=3)
    assert "SPK922" in asked.stderr
    demo.put("answer.md", "Good day, Ada.\n")
    demo.spak("step", "--resume", "--answer", "answer.md")
    assert demo.path("build/hello.txt").read_text().strip() == "Good day, Ada."
    assert demo.spak("fmt", "--check", "specs/hello/hello.dsl").returncode == 0
    assert "parse:hello" not in demo.spak("plan", expect=None).stdout, "a program is nothing to build"


def test_doit_knows_the_commands_that_are_no_part_of_the_graph(demo: Project) -> None:
    listed = demo.command("-m", "doit", "list").stdout.split()
    assert {"bench", "tune", "report"} <= set(listed) and "test" not in listed  # the project has no tests
    done = demo.command("-m", "doit", "report", "7", expect=1)
    assert "there is no run" in done.stderr and "spak report: exit status 1" in done.stdout + done.stderr
    done = demo.command("-m", "doit", "bench", "axbpy", expect=1)
    assert "did you mean 'axpby'?" in done.stdout + done.stderr


def test_refuses_a_folder_in_use(demo: Project) -> None:
    outside = Project(demo.root.parent, demo.cache)
    done = outside.spak("init", "demo", expect=1)
    assert "SPK905" in done.stderr and "demo exists and is not empty" in done.stderr
