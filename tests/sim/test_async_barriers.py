"""mbarriers against a reference state machine; named barriers, cluster barriers and pipelines under many schedules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import async_maps
import numpy as np
import pytest
import sim_harness
from async_reference import Mbarrier
from hypothesis import given, settings
from hypothesis import strategies as st

KERNELS = Path(__file__).parent / "kernels"
ARRIVE, EXPECT, ARRIVE_EXPECT, COMPLETE, DROP = range(5)
SCHEDULES = [
    {"completion": "eager"},
    {"completion": "lazy"},
    {"completion": "lazy", "order": "reverse"},
    {"completion": "random", "seed": 1},
    {"completion": "random", "seed": 2},
    {"completion": "lazy", "order": "random", "seed": 3},
]
schedules = pytest.mark.parametrize(
    "schedule", SCHEDULES, ids=["eager", "lazy", "reverse", "random 1", "random 2", "lazy random"]
)


@pytest.fixture(scope="module")
def barriers() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "async_barriers.cu")


STEP = st.one_of(
    st.tuples(st.sampled_from([ARRIVE, DROP]), st.integers(1, 3)),
    st.tuples(st.sampled_from([EXPECT, ARRIVE_EXPECT, COMPLETE]), st.sampled_from([0, 16, 32, 48, 2**20 - 1])),
)


@settings(max_examples=300, deadline=None)
@given(arrivals=st.integers(1, 5), steps=st.lists(STEP, min_size=1, max_size=24))
def test_mbarriers_are_the_reference_machine(arrivals: int, steps: list[tuple[int, int]]) -> None:
    machine = Mbarrier(arrivals)
    seen: list[int] = []
    undefined = False
    for what, operand in steps:
        try:
            if what in (ARRIVE, DROP):
                machine.arrive(operand, drop=what == DROP)
            elif what == ARRIVE_EXPECT:
                machine.arrive(1, expect=operand)
            elif what == EXPECT:
                machine.expect(operand)
            else:
                machine.complete(operand)
        except ValueError:
            undefined = True
            break
        seen.append(machine.seen())
    flat = np.array(steps, np.int32)
    out = np.full(len(steps), -1, np.int32)
    host = async_maps.host()
    if not undefined:
        host.run("script", 1, 1, flat, len(steps), arrivals, out)
    else:
        # The first undefined step is what is reported: an overdraft of bytes is reported and goes on.
        try:
            host.run("script", 1, 1, flat, len(steps), arrivals, out)
            assert {finding["rule"] for finding in host.findings()} == {"mbarrier-misuse"}
        except sim_harness.Fault as fault:
            assert fault.rule == "mbarrier-misuse"
            host.findings()
    assert list(out[: len(seen)]) == seen


@schedules
@pytest.mark.parametrize("tiles", [1, 2, 9])
def test_named_barriers_hand_over(barriers: sim_harness.Kernels, tiles: int, schedule: dict[str, Any]) -> None:
    data = np.arange(tiles * 32, dtype=np.int32)
    out = np.zeros((2, tiles, 32), np.int32)
    barriers.run("hand_over", 1, 96, data, out, tiles, **schedule)
    turned = data.reshape(tiles, 32)[:, ::-1]
    np.testing.assert_array_equal(out, [turned, 2 * turned])


@schedules
def test_parts_of_a_block_meet_apart(barriers: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    out = np.zeros(128, np.int32)
    barriers.run("halves", 1, 128, out, **schedule)
    low, high = sum(range(64)), sum(range(64, 128))
    np.testing.assert_array_equal(out, [low * 10000 + high] * 64 + [high * 10000 + low] * 64)


@schedules
@pytest.mark.parametrize("tiles", [1, 3, 4, 11])
@pytest.mark.parametrize("consumers", [1, 3])
def test_a_ring_of_stages(barriers: sim_harness.Kernels, tiles: int, consumers: int, schedule: dict[str, Any]) -> None:
    data = np.random.default_rng(tiles).integers(0, 1000, (tiles, 2, 32)).astype(np.int32)
    out = np.zeros((consumers, 32), np.int32)
    barriers.run("pipeline", 1, 32 * (1 + consumers), data, out, tiles, consumers, **schedule)
    for warp in range(1, consumers + 1):
        np.testing.assert_array_equal(out[warp - 1], (data[:, 0] * warp + data[:, 1]).sum(axis=0))


@schedules
@pytest.mark.parametrize("cluster", [1, 2, 4, 8])
def test_blocks_of_a_cluster_read_each_other(
    barriers: sim_harness.Kernels, cluster: int, schedule: dict[str, Any]
) -> None:
    data = np.random.default_rng(cluster).integers(0, 100, (8, 32)).astype(np.int32)
    out = np.zeros_like(data)
    barriers.run("cluster_sum", 8, 32, data, out, cluster=cluster, **schedule)
    sums = data.reshape(-1, cluster, 32).sum(axis=1, keepdims=True) + np.arange(cluster)[None, :, None] * 1000000
    np.testing.assert_array_equal(out.reshape(-1, cluster, 32), sums)


@schedules
@pytest.mark.parametrize("cluster", [1, 4])
def test_remote_arrivals(barriers: sim_harness.Kernels, cluster: int, schedule: dict[str, Any]) -> None:
    out = np.zeros(cluster, np.int32)
    barriers.run("gather", cluster, 32, out, cluster=cluster, **schedule)
    np.testing.assert_array_equal(out, [rank * 7 + 1 for rank in range(cluster)])


@schedules
def test_a_peer_can_expect_bytes(barriers: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    data = np.arange(64, dtype=np.int32)
    out = np.zeros_like(data)
    barriers.run("remote_expect", 2, 32, data, out, cluster=2, **schedule)
    np.testing.assert_array_equal(out, data)


@schedules
def test_one_lane_of_each_warp_is_elected(barriers: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    out = np.zeros(5, np.int32)
    barriers.run("elected", 1, 128, out, **schedule)
    np.testing.assert_array_equal(out, [4, 1, 1, 1, 1])


def test_special_registers_are_plausible(barriers: sim_harness.Kernels) -> None:
    out = np.zeros((6, 4), np.int64)
    barriers.run("specials", 6, 32, out)
    assert (out[:, [0, 1, 3]] == 1).all() and sorted(out[:, 2]) == list(range(6))


def test_registers_move_between_warpgroups(barriers: sim_harness.Kernels) -> None:
    out = np.zeros(384, np.int32)
    barriers.run("registers", 1, 384, out)
    np.testing.assert_array_equal(out, np.arange(384) + 1)
    assert barriers.findings() == []
