"""Whoever overwrites what many have read must have waited for each: whoever is forgotten is found, under any schedule."""

from __future__ import annotations

from typing import Any

import pytest
from check_expect import Bench, floats, ints

SCHEDULES: list[dict[str, Any]] = [{}, {"order": "reverse"}, {"order": "random", "seed": 5}]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_readers")


def culprits(found: list[dict[str, Any]]) -> list[tuple[str, set[str]]]:
    """The rule of each finding, and its threads."""
    return [(finding["rule"], {party["threads"] for party in finding["parties"]}) for finding in found]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("pace", "rounds"), [(1, 1), (3, 1), (40, 2)])
@pytest.mark.parametrize("kernel", ["unheard_word", "unheard_byte"])
def test_every_reader(bench: Bench, kernel: str, pace: int, rounds: int, schedule: dict[str, Any]) -> None:
    bench.clean(kernel, 1, 256, ints(256), -1, pace, rounds, **schedule)
    for missing in (0, 1, 77, 130, 223):
        found = bench.found(kernel, 1, 256, ints(256), missing, pace, rounds, **schedule)
        assert culprits(found) == [("race-shared", {f"block (0,0,0), thread ({i},0,0)" for i in (missing, 255)})]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_readers_of_a_word_that_is_split(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("unheard_whole", 1, 256, ints(256), -1, **schedule)
    for missing in (0, 77, 223):
        found = bench.found("unheard_whole", 1, 256, ints(256), missing, **schedule)
        assert culprits(found) == [("race-shared", {f"block (0,0,0), thread ({i},0,0)" for i in (missing, 255)})]


@pytest.mark.parametrize("schedule", [*SCHEDULES, {"completion": "eager"}, {"completion": "random", "seed": 3}])
def test_every_operation_that_reads(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("unheard_store", 1, 192, floats(256), -1, **schedule)
    for missing in range(4):
        found = bench.found("unheard_store", 1, 192, floats(256), missing, **schedule)
        rules = {finding["rule"] for finding in found}
        assert rules in ({"in-flight-overwrite"}, {"in-flight-overwrite", "race-shared"}), (missing, found)
