"""Programs under `specs/`: the graph leaves them alone, `check` resolves them; kernels keep their requests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from spak.parse.check import check_files, check_project
from spak.parse.load import load_unit
from spak.parse.programs import program_file
from spak.pipeline.graph.units import find_units
from spak.store.digests import Digests

ROOT = Path(__file__).parent.parent.parent
HELLO = 'task Hello { step say: tool.run { cmd: "echo hello" } }\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "specs" / "saxpy", tmp_path / "specs" / "saxpy")
    shutil.copytree(ROOT / "specs" / "domains", tmp_path / "specs" / "domains")
    shutil.copytree(ROOT / "targets", tmp_path / "targets")
    for name, text in (("hello", HELLO), ("wrong", HELLO.replace("run", "rnu"))):
        (tmp_path / "specs" / name).mkdir()
        (tmp_path / "specs" / name / f"{name}.dsl").write_text(text)
    return tmp_path


def test_the_graph_sees_kernels_only(project: Path) -> None:
    found = find_units(project, Digests(project / ".spak" / "digests"))
    assert [(one.name, one.unit is not None) for one in found] == [("saxpy", True)]


def test_check_sees_everything(project: Path) -> None:
    (only,) = check_project(project)
    assert str(only).startswith("specs/wrong/wrong.dsl:1:14: SPK230")
    assert not check_files(project, ["specs/hello/hello.dsl", "specs/hello", "specs/saxpy/SPEC.saxpy.md"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (HELLO, True),
        ("system S {\n}\n", True),
        ('task T(name: string = "World") {\n}\n', True),
        ("task T(\n  name: string,\n  times: int = 1\n) -> string {\n}\n", True),
        ('rule "Slow: widen" {\n}\n', True),
        ("task: {\n}\n", False),
        ("# Words\n\n```spak\nagent_loop A {\n```\n", True),
        ("kernel k(a: f32[N]) -> b: f32[N] {\n}\ntask T { }\n", False),
        ("kernal k(a: f32[N]) {\n}\n", False),
        ("", False),
    ],
)
def test_what_a_program_looks_like(tmp_path: Path, text: str, wanted: bool) -> None:
    (tmp_path / "specs" / "x").mkdir(parents=True)
    (tmp_path / "specs" / "x" / ("SPEC.x.md" if "```" in text else "x.dsl")).write_text(text)
    assert bool(program_file(tmp_path, "specs/x")) is wanted


def test_a_kernel_may_hold_loops_and_facts(project: Path) -> None:
    spec = project / "specs" / "saxpy" / "SPEC.saxpy.md"
    before = load_unit(project, "specs/saxpy").unit
    more = (
        "\n```spak\ntrace_schema { variant T { case P { gflops: float } } }\nfact slow(t: T.P) { return t.gflops < 1 }\n"
        'rule "Widen" { when: slow; apply: "Use vectors." }\n'
        "engineering_loop L { parameter A: [1, 2]\n measure { kernel: saxpy; metric: gflops } }\n```\n"
    )
    spec.write_text(spec.read_text() + more)
    loaded = load_unit(project, "specs/saxpy", strict=True)
    assert not loaded.diagnostics
    assert {rule.kind for rule in loaded.unit.rules} - {rule.kind for rule in before.rules} >= {"fact"}


def test_the_knowledge_of_shipped_kernels_is_sound() -> None:
    assert [str(one) for one in check_project(ROOT)] == []
