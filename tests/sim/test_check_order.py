"""Order that is made of fences, flags, locks and atomics: correct programs are clean, and each missing part is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_expect import Bench, floats, ints

SCHEDULES: list[dict[str, Any]] = [{}, {"order": "reverse"}, {"order": "random", "seed": 5}]


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_order")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_last_block(bench: Bench, schedule: dict[str, Any]) -> None:
    ones, total = np.ones(4 * 64, np.float32), floats(1)
    bench.clean("reset", 1, 1)
    bench.clean("last_block_ok", 4, 64, ones, floats(4), total, **schedule)
    assert total[0] == 256
    bench.clean("reset", 1, 1)
    found = bench.found("last_block_unfenced", 4, 64, ones, floats(4), total, **schedule)
    assert {finding["rule"] for finding in found} == {"race-global"}
    assert {"reads", "writes"} == {party["role"] for party in found[0]["parties"]}
    bench.clean("reset", 1, 1)
    bench.clean("all_fence_ok", 4, 64, floats(256), floats(64), **schedule)


def test_flags(bench: Bench) -> None:
    bench.clean("look_back_ok", 6, 32, floats(6), ints(6))
    bench.clean("look_back_ok", 6, 32, floats(6), ints(6), order="reverse")
    bench.finds("race-global", "look_back_unfenced", 6, 32, floats(6), ints(6))
    bench.finds("race-global", "look_back_plain", 6, 32, floats(6), ints(6))
    bench.clean("flag_then_barrier_ok", 2, 64, floats(64), ints(1), floats(64))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_locks(bench: Bench, schedule: dict[str, Any]) -> None:
    value = floats(1)
    bench.clean("spin_lock_ok", 8, 32, ints(1), value, **schedule)
    assert value[0] == 8
    found = bench.found("spin_lock_unfenced", 8, 32, ints(1), floats(1), **schedule)
    assert {finding["rule"] for finding in found} == {"race-global"}


def test_atomics(bench: Bench) -> None:
    bench.finds("race-global", "relaxed_order", 2, 1, floats(1), ints(1), floats(1))
    bench.clean("acquire_release_ok", 2, 1, floats(1), ints(1), floats(1))
    bench.finds("race-global", "overwritten_release", 3, 1, floats(1), ints(1), floats(1))
    bench.finds("race-global", "narrow_fence", 2, 1, floats(1), ints(1), floats(1))
    bench.clean("narrow_fence_ok", 1, 64, floats(1))
    bench.clean("narrow_fence_ok", 1, 64, floats(1), order="reverse")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_grid_barrier(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("grid_barrier_ok", 4, 64, floats(256), ints(1), **schedule)
    bench.finds_either_way("race-global", "grid_barrier_unfenced", 4, 64, floats(256), ints(1), **schedule)


def test_barriers(bench: Bench) -> None:
    bench.clean("counting_barrier_ok", 1, 64, ints(64))


def test_clocks_that_run_out(bench: Bench) -> None:
    bench.clean("very_long_ok", 1, 32, ints(32), 140_000)
