"""Clusters, cooperative grids, gates, collectives and asynchronous operations: what models are built on."""

from __future__ import annotations

import numpy as np
import pytest
import sim_harness

SCHEDULES = [{"order": "forward"}, {"order": "reverse"}, {"seed": 1}, {"seed": 2, "completion": "random"}]


def ints(*shape: int) -> np.ndarray:
    return np.full(shape, -1, np.int32)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize("cluster", [(1, 1, 1), (4, 1, 1), (2, 2, 1), (1, 2, 2)], ids=str)
def test_clusters_reach_each_others_shared_memory(
    engine: sim_harness.Kernels, cluster: tuple[int, ...], schedule: dict[str, object]
) -> None:
    grid = (4, 2, 2)
    out = ints(2, 2, 4, 32, 4)
    engine.run("cluster_ring", grid, 32, out, cluster=cluster, **schedule)
    for (z, y, x, t), row in zip(np.ndindex(2, 2, 4, 32), out.reshape(-1, 4), strict=True):
        at, size = (x % cluster[0], y % cluster[1], z % cluster[2]), cluster
        rank = at[0] + size[0] * (at[1] + size[1] * at[2])
        turn = (rank + 1) % int(np.prod(size))
        there = [turn % size[0], turn // size[0] % size[1], turn // size[0] // size[1]]
        peer = [c // s * s + o for c, s, o in zip((x, y, z), size, there, strict=True)]
        block = peer[0] + 4 * (peer[1] + 2 * peer[2])
        assert row.tolist() == [block * 100 + t, block * 100 + t, rank, 1]


def stopped(
    engine: sim_harness.Kernels, name: str, grid: int, block: int, *arguments: object, **options: object
) -> str:
    """The rule and the message of the fault that a launch ends with."""
    with pytest.raises(sim_harness.Fault) as caught:
        engine.run(name, grid, block, *arguments, **options)
    return f"{caught.value.rule}: {caught.value}"


def test_shared_memory_of_a_block_that_has_exited(engine: sim_harness.Kernels) -> None:
    message = stopped(engine, "cluster_early_exit", 2, 32, ints(1), cluster=2, order="reverse")
    assert message.startswith("exited-peer: ") and "engine.cu:71" in message and "block (1,0,0)" in message


def test_a_deadlock_lists_who_waits_for_what(engine: sim_harness.Kernels) -> None:
    message = stopped(engine, "cluster_deadlock", 2, 64, ints(1), cluster=2)
    assert message.startswith("deadlock: ")
    assert "block (0,0,0), threads 0-63: wait at cluster barrier (64 have arrived), engine.cu:75" in message
    assert "block (1,0,0), threads 0-63: exited" in message


@pytest.mark.parametrize(
    ("which", "rule", "part"),
    [
        (0, "invalid-address", "is not one into shared memory"),
        (1, "invalid-address", "4 bytes at shared address 0x3fffe"),
        (2, "bad-argument", "rank 7 is not in the cluster, which has 1 block"),
        (3, "bad-argument", "rank 8 is not in the cluster"),
    ],
)
def test_bad_shared_addresses(engine: sim_harness.Kernels, which: int, rule: str, part: str) -> None:
    message = stopped(engine, "bad_addresses", 1, 1, ints(1), which)
    assert message.startswith(rule) and part in message and "engine.cu:8" in message


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_a_cooperative_grid_waits_for_itself(engine: sim_harness.Kernels, schedule: dict[str, object]) -> None:
    partial, out = ints(24), ints(24)
    engine.run("grid_sum", 24, 64, partial, out, cooperative=True, **schedule)
    assert (out == sum(range(1, 25))).all() and not partial.any()


def test_what_a_cooperative_grid_may_be(engine: sim_harness.Kernels) -> None:
    assert "not launched as a cooperative one" in stopped(engine, "grid_sum", 2, 32, ints(2), ints(2))
    message = stopped(engine, "grid_sum", 265, 1024, ints(265), ints(265), cooperative=True)
    assert "bad-launch" in message and "only 264 of its blocks fit" in message
    counter = np.zeros(1, np.int32)
    engine.run("many_stacks", 12, 1024, counter, cooperative=True)
    assert counter[0] == 12 * 1024


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"cluster": 3}, "does not divide grid (32,1,1)"),
        ({"cluster": 16}, "at most 8 (16 where"),
        ({"cluster": (0, 1, 1)}, "at least 1 and at most 16"),
        ({"cluster": 32, "nonportable": True}, "at most 16"),
        ({"smem": 166913, "shared_limit": 166912}, "0 to 166912"),
    ],
)
def test_bad_clusters(engine: sim_harness.Kernels, options: dict[str, object], part: str) -> None:
    message = stopped(engine, "cluster_ring", 32, 32, ints(32, 32, 4), **options)
    assert message.startswith("bad-launch") and part in message


def test_a_cluster_of_sixteen_where_it_is_allowed(engine: sim_harness.Kernels) -> None:
    out = ints(32, 32, 4)
    engine.run("cluster_ring", 32, 32, out, cluster=16, nonportable=True)
    assert (out[:, :, 2] == np.arange(32)[:, None] % 16).all()


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_collectives_of_models(engine: sim_harness.Kernels, schedule: dict[str, object]) -> None:
    out = ints(64)
    engine.run("lanes", 1, 64, out, **schedule)
    t = np.arange(64)
    assert np.array_equal(out, (t * 3).reshape(-1, 16).sum(1).repeat(16))
    out = ints(256)
    engine.run("warpgroups", 1, 256, out, **schedule)
    assert np.array_equal(out, np.arange(256).reshape(-1, 128).sum(1).repeat(128))


def test_a_warpgroup_needs_four_warps(engine: sim_harness.Kernels) -> None:
    message = stopped(engine, "warpgroups", 1, 160, ints(160))
    assert message.startswith("bad-warpgroup") and "engine.cu:123" in message and "thread (128,0,0)" in message


def test_who_keeps_the_others_waiting(engine: sim_harness.Kernels) -> None:
    message = stopped(engine, "half_a_group", 1, 128, ints(1))
    assert message.startswith("bad-warpgroup: ") and "engine.cu:234" in message.split("\n")[0]
    assert "threads 64-127: wait at __syncthreads" in message
    message = stopped(engine, "half_a_warp", 1, 64, ints(1))
    assert message.startswith("divergent-warp: ") and "engine.cu:239" in message.split("\n")[0]


def test_shared_variables_are_aligned_to_what_is_declared(engine: sim_harness.Kernels) -> None:
    out = ints(2)
    engine.run("layout", 1, 1, out)
    assert out[0] % 8 == 4 and out[1] % 8 == 4
    engine.run("layout", 1, 1, out, shared_alignment=16)
    assert out[0] % 16 == 0 and out[1] % 8 == 4
    assert "power of two" in stopped(engine, "layout", 1, 1, out, shared_alignment=3)


def copies(engine: sim_harness.Kernels, **schedule: object) -> list[int]:
    source, out, order = np.full(1, 42, np.int32), ints(4), ints(1)
    engine.run("copies", 1, 1, source, out, order, **schedule)
    return [*out.tolist(), int(order[0])]


def test_operations_complete_when_asked_to(engine: sim_harness.Kernels) -> None:
    assert copies(engine, completion="eager") == [42, 42, 42, 42, 2]
    assert copies(engine, completion="lazy") == [-1, 42, 42, 42, 2]  # the wait is the last moment; then oldest first
    assert {copies(engine, completion="lazy", seed=seed)[4] for seed in range(8)} == {1, 2}
    assert {copies(engine, completion="random", seed=seed)[3] for seed in range(8)} == {42}
