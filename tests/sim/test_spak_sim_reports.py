"""The reports of `spak sim`: whatever happens, JSON and SARIF are whole and alone on standard output, with the exit status."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spak.errors import Diagnostic, Span
from spak.sim import profile, report
from spak.sim.findings import Finding, Party, Place
from spak.sim.ran import Ran, Shape, shapes
from test_front_findings import check_sarif
from test_spak_sim_command import kept_library, spak

__all__ = ["kept_library"]
pytestmark = pytest.mark.xdist_group("spak_sim")

TURN = """\
#include <cstdio>
__global__ void turn(const float* a, float* b, int n) {
  __shared__ float tile[32][32];
  tile[threadIdx.y][threadIdx.x] = a[threadIdx.y * n + threadIdx.x];
  BARRIER
  b[threadIdx.y * n + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}
int main(int argc, char**) {
  float *a, *b;
  cudaMalloc(&a, 4096);
  cudaMalloc(&b, 4096);
  cudaMemset(a, 0, 4096);
  turn<<<1, dim3(32, 32)>>>(a, b, 32);
  std::printf("ran %d\\n", cudaDeviceSynchronize());
  return argc > 1 ? *(volatile int*)nullptr : 0;
}
"""
BAD = "__global__ void k(int* o) { o[0] = undeclared; }\nint main() { return 0; }\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    Path(tmp_path / "turn.cu").write_text(TURN.replace("BARRIER", "__syncthreads();"))
    Path(tmp_path / "race.cu").write_text(TURN.replace("BARRIER", ""))
    Path(tmp_path / "bad.cu").write_text(BAD)
    Path(tmp_path / "tex.cu").write_text('__global__ void k() {\n  asm("frobnicate;");\n}\nint main() {}\n')
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def both(*words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a command says as JSON and as SARIF; the statuses that they state are those that it exits with."""
    said = []
    for form in ("json", "sarif"):
        done = spak("--report", form, *words)
        said.append(json.loads(done.stdout))
        stated = said[0]["status"] if form == "json" else said[1]["runs"][0]["invocations"][0]["exitCode"]
        assert stated == done.returncode, done.stderr
    check_sarif(said[1])
    return said[0], said[1]["runs"][0]


@pytest.mark.parametrize(
    ("words", "code", "place"),
    [
        (["bad.cu"], "SPK581", ("bad.cu", 1)),
        (["none.cu"], "SPK580", ("none.cu", 1)),
        (["tex.cu"], "SPK591", ("tex.cu", 2)),
        (["bad.cu", "--device", "abacus"], "SPK583", None),
    ],
)
def test_what_is_not_run_is_a_report_too(
    here: Path, words: list[str], code: str, place: tuple[str, int] | None
) -> None:
    plain, run = both(*words)
    (said,), (result,) = plain["diagnostics"], run["results"]
    assert said["code"] == result["ruleId"] == code and plain["status"] == 2 and plain["run"] is None
    assert (tuple(said["span"][:2]) if said["span"] else None) == place
    assert run["invocations"] == [{"executionSuccessful": False, "exitCode": 2}]
    if place:
        (at,) = (one["physicalLocation"] for one in result["locations"])
        assert (at["artifactLocation"]["uri"], at["region"]["startLine"]) == place


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What was said, but for what takes long, such as another process that compiles the same."""
    return "".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith("spak sim: "))


def test_a_report_says_what_was_run(here: Path) -> None:
    plain, run = both("race.cu", "--mode", "check", "--seed", "3", "-O1")
    assert [one["rule"] for one in plain["findings"]] == ["race-shared"] and plain["status"] == 1
    assert plain["findings"][0]["parties"][0]["function"] == "turn(float const*, float*, int)"
    shape = {"kernel": "turn", "grid": [1, 1, 1], "block": [32, 32, 1], "cluster": [1, 1, 1], "shared_bytes": 0}
    about = {"device": "h200", "order": "random", "seed": 3, "completion": "lazy", "sample_blocks": 0}
    assert plain["run"] == {"mode": "check", **about, "launches": [shape]} == run["properties"]["run"]
    done = spak("race.cu", "--mode", "check", "-O1")
    assert done.stdout == "ran 0\n"
    said = "1 finding: 1 race-shared\nrun: check mode on h200, forward order, lazy completion; `turn` (1,1,1) x (32,32,1)\n"
    assert done.stderr.endswith(said)
    assert told(spak("turn.cu", "--mode", "check", "-O1")).startswith("no findings\nrun: check mode on h200, ")
    assert told(spak("turn.cu", "-O1")) == ""


def test_a_profile_names_the_line_that_costs_most(here: Path) -> None:
    done = spak("turn.cu", "--mode", "profile", "-O1")
    assert done.stderr.endswith(
        "  more than the least:\n    turn.cu:6: shared_load_wavefronts 1,024, where 32 would do (32.0 times)\n"
    )
    assert "no findings" not in done.stderr
    plain, run = both("turn.cu", "--mode", "profile", "-O1")
    (one,) = plain["profiles"]
    assert run["properties"]["profiles"] == plain["profiles"]
    by_line = {row["line"]: row["counters"] for row in one["lines"]}
    assert by_line[6]["shared_load_wavefronts"] == one["counters"]["shared_load_wavefronts"] == 1024
    assert by_line[4]["shared_store_wavefronts"] == 32 and "shared_load_wavefronts" not in by_line[4]


def test_a_program_that_a_signal_ends_has_a_report(here: Path) -> None:
    plain, run = both("turn.cu", "-O1", "--", "x")
    assert plain["status"] == 128 + 11 and plain["diagnostics"][0]["code"] == "SPK585"
    assert run["results"][0]["ruleId"] == "SPK585" and plain["run"]["launches"]


def finding(file: str, line: int, rule: str = "race-shared") -> Finding:
    return Finding(rule, "a sentence", parties=(Party("writes", Place(Span(file, line))),))


def test_findings_come_by_place_and_what_is_left_out_is_counted() -> None:
    nowhere = Finding("deadlock", "nobody is left")
    found = [nowhere, finding("b.cu", 2), finding("a.cu", 10), finding("a.cu", 9)]
    there = report.ordered(found)
    assert [(one.place.span.file, one.place.span.line) if one.place else None for one in there] == [
        ("a.cu", 9),
        ("a.cu", 10),
        ("b.cu", 2),
        None,
    ]
    said = report.text(there[:1], about=report.About(left_out=3))
    assert said.endswith("1 finding: 1 race-shared, and 3 more: see --max-findings\n")
    assert json.loads(report.json(there[:1], report.About(left_out=3)))["left_out"] == 3


def test_shapes_and_schedules_in_words() -> None:
    made = shapes(
        '{"kernel": "k", "grid": [1, 1, 1], "block": [4, 1, 1], "cluster": [2, 1, 1], "shared_bytes": 8}\n{"ker'
    )
    assert made == (Shape("k", (1, 1, 1), (4, 1, 1), (2, 1, 1), 8),)
    assert str(Ran("check", "a100", {"order": "random", "seed": "", "sample_blocks": "4"}, made * 6)) == (
        "check mode on a100, random order, seed 0, lazy completion, first, last and 4 other blocks of each grid; `k` "
        + ", ".join(["(1,1,1) x (4,1,1) in clusters of (2,1,1) with 8 bytes"] * 4)
        + " and 2 more shapes"
    )
    assert str(Ran("check", "h200", {})).endswith("; no kernel was launched")


def test_two_messages_of_a_line_are_two_results() -> None:
    two = [Diagnostic("SPK581", what, Span("a.cu", 1)) for what in ("one", "two")]
    results = json.loads(report.sarif((), report.About(diagnostics=tuple(two), status=2)))["runs"][0]["results"]
    assert len({json.dumps(one["partialFingerprints"]) for one in results}) == 2
    assert profile.text(()) == ""
