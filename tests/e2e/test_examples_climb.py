"""The climb of the matrix product, for real: levels are built, verified and measured, and rules decide the way up."""

from __future__ import annotations

import fcntl
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import exampleruns
import pytest
from built import CACHE, SEEDED
from conftest import shared_folder
from exampleruns import Run, drive, fewer_shapes, run
from realproject import Project

pytestmark = pytest.mark.xdist_group("climb")

LEVELS = ["naive", "blocked", "vectorised", "packed", "tuned"]
RULES = ["Block for reuse", "Keep sums in registers", "Pack panels", "Sweep what is left"]
LOST_GROUND = "Look before you climb"
DOMAIN = "specs/domains/cpu_optimization.dsl"
SMALL = ("--arg", "size=96")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The levels as built, and the program with a sweep of two configurations: nobody touches it."""
    shared = shared_folder(tmp_path_factory)
    with (shared / "climb.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(shared / "climb", shared / "climb.cache")
        if not (shared / "climb.done").exists():
            exampleruns.lay_out(project.root, ["matmul_climb"], ["matmul_ladder"])
            smaller(project)
            fewer_shapes(project, "matmul_ladder", "{M: 9, N: 25, K: 9}", "{M: 99, N: 34, K: 259}")
            project.command("-c", SEEDED, str(CACHE), "runtime:", "compile:")
            project.build()
            project.spak(
                "bench", "matmul_ladder", "--variant", "naive", "--shape", "M=96,N=96,K=96"
            )  # and with it the peaks
            (shared / "climb.done").touch()
        return project


def smaller(project: Project) -> None:
    """A sweep that a test has time for. On a busy machine the measured peak may be lower than what is reached a moment later,
    so that nothing counts as being at the peak here.
    """
    program = "specs/matmul_climb/matmul_climb.dsl"
    project.edit(program, "MR: [4, 6]", "MR: [6]")
    project.edit(program, "NR: [16, 24]", "NR: [16]")
    project.edit(program, "MC: [96, 192]", "MC: [96]")
    project.edit(program, "{ M: 256, N: 256, K: 256 }", "{ M: 96, N: 96, K: 96 }")
    project.edit(DOMAIN, "PEAK_GFLOPS >= 0.97", "PEAK_GFLOPS >= 97")


@pytest.fixture
def project(built: Project, tmp_path: Path) -> Project:
    return built.copy(tmp_path / "project")


def levels(done: Run) -> list[str]:
    """The levels that were measured, in order."""
    return [one["level"] for one in done.emitted("Performance")]


def rules(done: Run) -> list[str]:
    """Those that fired, and not the hint that a busy machine may give."""
    return [name for name in done.fired() if name != LOST_GROUND]


def test_every_level_is_built_measured_and_climbed_by_a_rule(project: Project) -> None:
    """Suspended at each of the strategist's decisions, and gone on with in a process of its own."""
    done = drive(project, "matmul_climb", *SMALL)
    assert done.code == 0, done.said
    assert levels(done) == LEVELS
    assert done.answered == {"decide": 4}
    assert [one["level"] for one in done.emitted("Correctness") if one["passed"]] == LEVELS
    assert rules(done) == RULES

    events = {event["seq"]: event for event in done.events}
    climbed = [rule for rule in done.of("rule") if rule["rule"] != LOST_GROUND]
    for rule, level in zip(climbed, LEVELS, strict=False):
        (on,) = {events[seq]["data"]["fields"]["level"] for seq in rule["on"]}
        assert on == level, "a rule fires on the figures of the level that it leaves"
    (first, *_) = done.of("fact", fact="far_from_peak")
    assert first["value"] is True
    assert first["numbers"]["t.gflops"] == done.emitted("Performance")[0]["gflops"]
    assert first["numbers"]["PEAK_GFLOPS"] > first["numbers"]["t.gflops"]

    figures = [one["gflops"] for one in done.emitted("Performance")]
    assert figures[-1] > 3 * figures[0]
    assert done.metrics["levels"] == len(LEVELS)
    prompts_say(done)
    done.replay()
    report_says(project, done)
    winner_is_kept(project, done)


def report_says(project: Project, done: Run) -> None:
    """The report shows each level's figure, the facts with their numbers, the rules, and nothing that was not measured."""
    report = project.path("build/matmul_climb/Final_MatMul_Report.md").read_text()
    for word in (*LEVELS, *RULES, "far_from_peak", "PEAK_GFLOPS"):
        assert word in report
    figures = {float(number) for number in re.findall(r"\d+\.\d+", report)}
    for one in done.emitted("Performance"):
        assert any(abs(figure - one["gflops"]) <= 0.01 * one["gflops"] for figure in figures), one
    page = project.path("build/matmul_climb/Final_MatMul_Report.html").read_text()
    assert "<svg" in page
    assert "://" not in re.sub(r'xmlns="[^"]*"', "", page), "the page stands alone"


def prompts_say(done: Run) -> None:
    """The strategist decides on what was measured and what fired."""
    prompts = [one["prompt"] for one in done.of("query")]
    assert prompts
    for prompt, (here, there) in zip(prompts, pairwise(LEVELS), strict=False):
        measured = next(one for one in done.emitted("Performance") if one["level"] == here)
        assert f"- {here}: {measured['gflops']!r} GFLOP/s" in prompt
        assert f'The next level would be "{there}"' in prompt
        assert RULES[LEVELS.index(here)] in prompt


def winner_is_kept(project: Project, done: Run) -> None:
    """What the sweep found is the plan's on this target if it is clearly better and verifies; if not, it says why not."""
    (search,) = [one["result"]["value"] for one in done.of("tool", tool="engineering_loop")]
    trials = done.of("trial", loop="Tiles")
    assert [trial["params"]["KC"] for trial in trials] == [256, 384]
    assert search["trials"] == 2
    tuned = project.path("generated/matmul_ladder/tuned/cpp/tuned.cpu.toml")
    if search["written"]:
        assert tomllib.loads(tuned.read_text())["params"] in [trial["params"] for trial in trials]
    else:
        assert search.get("kept") or search["why"]
        assert not tuned.exists()


def test_without_a_rule_the_climb_ends_below_it(project: Project) -> None:
    text = project.path(DOMAIN).read_text()
    without = re.sub(r'  rule "Keep sums in registers" \{.*?\n  \}\n', "", text, flags=re.DOTALL)
    assert without != text
    project.put(DOMAIN, without)
    done = run(project, "matmul_climb", *SMALL)
    assert levels(done) == ["naive", "blocked"]
    assert rules(done) == ["Block for reuse"]


def test_with_a_false_fact_the_climb_does_not_begin(project: Project) -> None:
    project.edit(DOMAIN, "PEAK_GFLOPS < 0.1", "PEAK_GFLOPS < 0")
    done = run(project, "matmul_climb", *SMALL)
    assert levels(done) == ["naive"]
    assert [one["value"] for one in done.of("fact", fact="far_from_peak")] == [False]
    assert rules(done) == []


def test_a_fact_that_becomes_true_ends_the_climb(project: Project) -> None:
    project.edit(DOMAIN, "PEAK_GFLOPS >= 97", "PEAK_GFLOPS > 0")
    done = run(project, "matmul_climb", *SMALL)
    assert levels(done) == ["naive", "blocked"], "at the peak nothing is left to be done, on any level above the first"


def test_the_strategist_may_stay_where_it_is(project: Project) -> None:
    project.edit("specs/matmul_climb/answers/decide.1.md", '"go": true', '"go": false')
    done = run(project, "matmul_climb", *SMALL)
    assert levels(done) == ["naive"]
    assert rules(done) == RULES[:1], "though a rule recommends the next level"
    prompts_say(done)
