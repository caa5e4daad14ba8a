"""The attention system, for real: its law is proved of plans, checked in numbers, and holds the run's gate."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import exampleruns
import pytest
from built import CACHE, SEEDED
from conftest import shared_folder
from exampleruns import drive, fewer_shapes, run
from realproject import Project

pytestmark = pytest.mark.xdist_group("fmha")

SMALL = ("--arg", "heads=2", "--arg", "length=96", "--arg", "depth=32")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Both variants as built for the CPU: nobody touches it."""
    shared = shared_folder(tmp_path_factory)
    with (shared / "fmha.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(shared / "fmha", shared / "fmha.cache")
        if not (shared / "fmha.done").exists():
            exampleruns.lay_out(project.root, ["fmha_system"], ["fmha"])
            fewer_shapes(project, "fmha", "{H: 3, N: 7, D: 4}", "{H: 1, N: 65, D: 31}")
            project.command("-c", SEEDED, str(CACHE), "runtime:", "compile:")
            project.build()
            (shared / "fmha.done").touch()
        return project


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    return built.copy(tmp_path / "project")


def evidence(project: Project, variant: str, name: str) -> dict[str, str]:
    """Verdicts of a stage's checks by name."""
    found = json.loads(project.path(f"build/evidence/fmha/{variant}/cpu/{name}.json").read_text())
    return {check["name"]: check["verdict"] for check in found["checks"]}


@pytest.mark.parametrize("variant", ["naive", "online"])
def test_the_law_is_proved_of_the_plan_and_checked_in_numbers(built: Project, variant: str) -> None:
    assert evidence(built, variant, "check")["plan: workspace and invariants"] == "passed"
    checks = evidence(built, variant, "verify")
    for vector in (
        "weights_sum_to_one",
        "weights_sum_to_one_at_any_scale",
        "largest_score_wins",
        "infinite_scores_weigh_nothing",
    ):
        assert checks[f"round vector-{vector}"] == "passed"
    assert checks["property-LinearInValues"] == "passed"
    assert checks["property-QueriesAreIndependent"] == "passed"


def test_a_plan_that_stores_the_matrix_is_refused(project: Project) -> None:
    """A kernel that keeps all rows of weights computes the same, and breaks the law."""
    reply = project.path("generated/fmha/naive/cpp/reply.md").read_text()
    project.build("fmha", "--refresh", "--handler", "suspend", expect=None)
    stored = project.put("stored.md", reply.replace('shape = ["N"]', 'shape = ["N", "N"]'))
    project.spak("answer", "fmha.naive.cpp", str(stored))
    said = project.build("fmha", "--refresh", expect=None).said
    assert "SPK466" in said
    assert "OnlineSoftmax" in said
    assert project.path("generated/fmha/naive/cpp/reply.md").read_text() == reply


def test_it_builds_verifies_measures_and_reports(project: Project) -> None:
    """Suspended at its question, and gone on with in a process of its own."""
    done = drive(project, "fmha_system", *SMALL)
    assert (done.code, done.steps) == (0, 2), done.said
    assert {(one["variant"], one["passed"]) for one in done.emitted("Correctness")} == {
        ("naive", True),
        ("online", True),
    }
    scratch = {one["variant"]: one for one in done.emitted("Scratch")}
    assert (scratch["naive"]["bytes"], scratch["online"]["bytes"]) == (4 * 96, 0)
    laws = done.of("invariant", invariant="OnlineSoftmax")
    assert laws
    assert all(one["value"] is True for one in laws if one["value"] is not None)
    assert laws[-1]["value"] is True
    assert done.metrics["chosen"] == "online"
    assert "Fuse" in done.fired()
    report = project.path("build/fmha_system/Final_FMHA_Report.md").read_text()
    for word in ("OnlineSoftmax", "Fuse", "naive", "online", "stores_the_matrix"):
        assert word in report
    done.replay()


def test_the_law_gates_the_run(project: Project) -> None:
    """Scratch memory beyond a row fails the run, whatever else succeeds."""
    project.edit(
        "specs/fmha_system/scratch.py", '"bytes": declared(plan, {"N": length})', '"bytes": 4 * length * length'
    )
    done = run(project, "fmha_system", *SMALL, expect=1)
    assert done.of("invariant", invariant="OnlineSoftmax")[-1]["value"] is False
    assert "OnlineSoftmax" in done.said
    assert done.of("fact", fact="stores_the_matrix")[-1]["value"] is True
