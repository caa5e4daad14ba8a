"""`spak check` as a person or a program runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import inprocess

SPEC = "specs/gemv/SPEC.gemv.md"


def spak(project: Any, *arguments: str) -> inprocess.Done:
    project.write("dodo.py", "")
    return inprocess.spak(project.root, "check", *arguments)


def test_nothing_wrong(project: Any) -> None:
    project.write("targets/sim.toml", 'dialect = "cuda"\ndevice = "cpu"\n[toolchain]\nengine = "sim"\n')
    done = spak(project)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_everything_wrong_at_once(project: Any) -> None:
    project.write("targets/sim.toml", 'dialekt = "cuda"\n')
    project.edit(SPEC, lambda s: s.replace("accumulate", "acumulate"))
    project.write("specs/domains/loose.dsl", "domain loose {\n  rule\n  x: }\n")
    project.write("dodo.py", "")
    argv = [sys.executable, "-m", "spak", "check"]
    done = subprocess.run(argv, cwd=project.root, capture_output=True, text=True)
    assert done.returncode == 1
    for part in ("targets/sim.toml:1:1: SPK201", f"{SPEC}:24:3: SPK201", "specs/domains/loose.dsl:3:3: SPK104"):
        assert part in done.stdout
    assert "Traceback" not in done.stderr


def test_json(project: Any) -> None:
    project.edit(SPEC, lambda s: s.replace("accumulate", "acumulate"))
    done = spak(project, "--json", SPEC)
    assert done.returncode == 1
    (found,) = [d for d in json.loads(done.stdout) if d["code"] == "SPK201"]
    assert found["span"][:3] == [SPEC, 24, 3]
    assert found["hint"] == "did you mean 'accumulate'?"


def test_strict_counts_warnings(project: Any) -> None:
    project.write("targets/sim.toml", 'dialect = "cuda"\ndevice = "cpu"\n[toolchain]\nengine = "sim"\n')
    project.edit(SPEC, lambda s: s.replace('rule "Read', 'recipe cake { flour: 3 }\nrule "Read'))
    assert spak(project).returncode == 0
    assert spak(project, "--strict").returncode == 1


def test_a_file_outside_any_unit(project: Any) -> None:
    project.write("loops/one.dsl", "task t { step a: tool.run { cmd: } }\n")
    done = spak(project, "loops/one.dsl")
    assert done.returncode == 1
    assert "loops/one.dsl:1:29: SPK104: 'cmd' has no value" in done.stdout
