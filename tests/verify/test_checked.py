"""The simulator's check mode in a verification: which shapes and schedules, and what becomes of what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from spak.verify.candidate import _named
from spak.verify.checked import SCHEDULES, of_runs, plan
from spak.verify.problem import Problem
from spak.verify.rig import Ran
from support import MATMUL, SOFTMAX, TRANSPOSE, VECTOR_ADD

ROW = {
    "rule": "race-shared",
    "sentence": "two threads access the same shared memory",
    "hint": "put a barrier between",
    "kernel": "k",
    "count": 3,
    "parties": [{"role": "writes", "file": "kernel.cu", "line": 7}, {"role": "reads", "file": "kernel.cu", "line": 9}],
}


def shapes(problem: Problem) -> dict[str, dict[str, int]]:
    return {round_.name.removeprefix("check-"): round_.axes for round_ in plan(problem, "base")}


def test_shapes_have_partial_tiles_several_tiles_and_aligned_rows() -> None:
    found = shapes(Problem(MATMUL, "v", (("BK", 8), ("BM", 64), ("BN", 32))))
    assert found["tile+1"] == {"M": 65, "K": 9, "N": 33}
    assert found["long-K"]["K"] == 129 and found["long-M"]["M"] == 129 and found["long-N"]["N"] == 129
    assert all(size % 4 == 0 for size in found["power"].values())
    assert all(size % 2 for size in found["primes"].values())


def test_sizes_that_the_grid_names_are_tiles() -> None:
    found = shapes(Problem(VECTOR_ADD, "v", (), (("cdiv(N, 1024)",),)))
    assert found["long-N"] == {"N": 2049}


def test_every_launch_of_a_plan_is_taken() -> None:
    launches = (("", "N <= 512"), ("", "N <= 2048"), ("", "true"))
    problem = Problem(SOFTMAX, "v", (("THREADS", 64),), (), launches)
    found = shapes(problem)
    assert {index for shape in found.values() for index in problem.taken(shape)} == {0, 1, 2}
    assert problem.taken({"M": 1, "N": 600}) == {1}


def test_what_require_forbids_is_not_tried() -> None:
    square = TRANSPOSE.model_copy(update={"require": MATMUL.require[:0]})
    problem = Problem(square, "v")
    assert all(problem.admits(shape) for shape in shapes(problem).values())


def test_schedules_differ_in_order_seed_and_completion() -> None:
    assert {one["SPAK_SIM_COMPLETION"] for one in SCHEDULES[:2]} == {"lazy", "eager"}
    assert len({one["SPAK_SIM_ORDER"] for one in SCHEDULES}) == 3
    assert len({one["SPAK_SIM_SEED"] for one in SCHEDULES}) == 3


def said(*runs: str) -> list[Any]:
    return list(of_runs([Ran(findings=text) for text in runs], SCHEDULES, "", "generated/k/v/cuda/kernel.cu", set()))


def test_a_finding_is_a_diagnostic_at_the_line_with_its_other_side() -> None:
    (one,) = said("", json.dumps([ROW]))
    assert one.code == "SPK540"
    assert (one.span.file, one.span.line) == ("generated/k/v/cuda/kernel.cu", 7)
    assert any("kernel.cu:9:1: reads" in str(other) for other in one.related)
    assert any("random order, seed 1, eager completion" in note for note in one.notes)


def test_the_same_lines_are_said_once() -> None:
    turned = {**ROW, "parties": ROW["parties"][::-1]}
    assert len(said(json.dumps([ROW]), json.dumps([turned, {**ROW, "rule": "race-warp"}]))) == 2


FORGED = [{**ROW, "count": "x"}], [{**ROW, "parties": [1]}], 7


@pytest.mark.parametrize(
    "text", ["[", '[{"rule": 1}]', "900000 bytes of findings", '{"rule": "x"}', *(json.dumps(one) for one in FORGED)]
)
def test_a_report_that_is_none_counts_as_a_finding(text: str) -> None:
    assert [one.code for one in said(text)] == ["SPK586"]


def test_addresses_in_words_become_places_and_offsets_into_the_module_stay() -> None:
    class Memory:
        base, size = 0x7F0000000000, 4096

    row = {"sentence": "a write at 0x7f0000000010, mask 0xffffffff", "parties": [{"pc": "0x123456789"}]}
    named = json.loads(_named(json.dumps([row]), Memory()))  # type: ignore[arg-type]
    assert named == [{"sentence": "a write at <arena 16>, mask 0xffffffff", "parties": [{"pc": "0x123456789"}]}]
