"""Races in shared and global memory: each found with both lines, each repaired twin clean, under several schedules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_expect import Bench, floats, ints

SCHEDULES: list[dict[str, Any]] = [{}, {"order": "reverse"}, {"order": "random", "seed": 3}]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_races")


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("kernel", "rule", "block"),
    [
        ("no_barrier", "race-shared", 256),
        ("lonely_reader", "race-shared", 256),
        ("different_values", "race-shared", 256),
        ("counter", "race-shared", 256),
        ("parts", "race-shared", 256),
        ("in_step", "race-warp", 32),
        ("in_step_volatile", "race-warp", 32),
        ("warps_alone", "race-shared", 256),
        ("shuffle_is_no_barrier", "race-warp", 32),
        ("halves_meet", "race-warp", 32),
    ],
)
def test_shared(bench: Bench, kernel: str, rule: str, block: int, schedule: dict[str, Any]) -> None:
    out = ints(256) if kernel in ("counter", "parts") else floats(256)
    found = bench.finds_either_way(rule, kernel, 1, block, out, **schedule)
    assert len(found["parties"]) == 2 and found["fault"] is None


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("kernel", "block"),
    [
        ("no_barrier_ok", 256),
        ("same_value_ok", 256),
        ("in_step_ok", 32),
        ("warps_alone_ok", 256),
        ("halves_meet_ok", 32),
    ],
)
def test_shared_repaired(bench: Bench, kernel: str, block: int, schedule: dict[str, Any]) -> None:
    bench.clean(kernel, 1, block, floats(256), **schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_more_shared(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.finds_either_way(
        "race-shared", "overwritten", 2, 256, floats(256), floats(512), also=("race-global",), **schedule
    )
    bench.clean("overwritten_ok", 1, 256, floats(256), floats(256), **schedule)
    numbers = np.arange(64, dtype=np.int32)
    bench.finds_either_way("race-shared", "histogram", 1, 64, numbers[::-1].copy(), ints(64), **schedule)
    bench.clean("histogram_ok", 1, 64, numbers, ints(64), **schedule)
    bench.clean("counter_ok", 1, 256, ints(256), **schedule)
    bench.clean("parts_ok", 1, 256, ints(256), **schedule)
    bench.finds_either_way("race-shared", "word_of_parts", 1, 256, np.zeros(256, np.uint32), **schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_global(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.finds("race-global", "blocks_share", 4, 32, floats(32), **schedule)
    bench.clean("blocks_share_ok", 4, 32, floats(128), **schedule)
    bench.finds_either_way("race-global", "neighbour_blocks", 2, 1, floats(3), **schedule)
    bench.finds_either_way("race-global", "sums", 4, 1, floats(4) + 1, floats(1), **schedule)
    bench.clean("sums_ok", 4, 32, floats(4), floats(1), **schedule)
    bench.finds("race-global", "narrow_atomics", 4, 32, ints(1), **schedule)
    bench.clean("narrow_atomics", 1, 64, ints(1), **schedule)
    bench.clean("narrow_atomics_ok", 4, 32, ints(1), **schedule)
    bench.finds_either_way("race-global", "through_global", 1, 64, floats(128), **schedule)
    bench.clean("through_global_ok", 1, 64, floats(128), **schedule)
    bench.clean("halves_of_blocks_ok", 2, 32, np.zeros(64, np.uint16), **schedule)


def test_launches_are_ordered(bench: Bench) -> None:
    out = floats(32)
    for _ in range(3):
        bench.clean("blocks_share", 1, 32, out)


def test_threads_are_named(bench: Bench) -> None:
    found = bench.finds("race-shared", "warps_alone", 1, 256, floats(256), order="reverse")
    assert [party["threads"] for party in found["parties"]] == ["block (0,0,0), threads 0-255"] * 2
    assert [party["what"] for party in found["parties"]] == ["4 bytes of `s` at byte 896"] * 2
    assert [party["role"] for party in found["parties"]] == ["reads", "writes"]
    assert found["count"] == 256
