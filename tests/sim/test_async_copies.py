"""cp.async groups, bulk copies and reductions, copies between blocks: under every completion policy and order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness

KERNELS = Path(__file__).parent / "kernels"
Array = np.ndarray[Any, Any]
SCHEDULES = [
    {"completion": "eager"},
    {"completion": "lazy"},
    {"completion": "lazy", "order": "reverse"},
    {"completion": "random", "seed": 1},
    {"completion": "random", "seed": 2},
]
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=["eager", "lazy", "reverse", "random 1", "random 2"])


@pytest.fixture(scope="module")
def copies() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "async_copies.cu")


def aligned(values: Array, align: int = 128) -> Array:
    raw = np.zeros(values.nbytes + align, np.uint8)
    start = -raw.ctypes.data % align
    out = raw[start : start + values.nbytes].view(values.dtype)
    out[:] = values
    return out


@schedules
@pytest.mark.parametrize("size", [4, 8, 16])
@pytest.mark.parametrize("tiles", [1, 2, 7])
def test_a_ring_of_cp_async(copies: sim_harness.Kernels, size: int, tiles: int, schedule: dict[str, Any]) -> None:
    data = aligned(np.random.default_rng(size).standard_normal(tiles * 64 * size // 4).astype(np.float32))
    out = np.zeros_like(data)
    copies.run(f"ring_{size}", 1, 64, data, out, tiles, **schedule)
    np.testing.assert_array_equal(out, 2 * data + 1)


@schedules
def test_zfill_reads_a_part_and_clears_the_rest(copies: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    data = aligned(np.random.default_rng(0).integers(1, 2**32, 128, dtype=np.uint32))
    sizes = np.array([i % 17 for i in range(32)], np.int32)
    out = np.full(3 * 128, 7, np.uint32)
    copies.run("zfill", 1, 32, data, out, sizes, **schedule)
    want = data.view(np.uint8).reshape(32, 16).copy()
    for i, size in enumerate(sizes):
        want[i, size:] = 0
    for part in out.reshape(3, 128):
        np.testing.assert_array_equal(part.view(np.uint8).reshape(32, 16), want)


@schedules
def test_copies_arrive_at_mbarriers(copies: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    data = np.arange(128, dtype=np.float32)
    out = np.zeros(128, np.float32)
    copies.run("announce", 1, 64, data, out, **schedule)
    np.testing.assert_array_equal(out.reshape(2, 64), data.reshape(2, 64)[:, np.arange(64) ^ 33])


@schedules
def test_bulk_load_and_store(copies: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    data = aligned(np.random.default_rng(0).standard_normal(5 * 256).astype(np.float32))
    out = aligned(np.zeros_like(data))
    copies.run("bulk_round", 1, 96, data, out, 5, **schedule)
    np.testing.assert_array_equal(out, data + 1)


@schedules
def test_groups_are_waited_for_one_by_one(copies: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    out = aligned(np.zeros(132, np.float32))
    copies.run("bulk_groups", 1, 64, out, **schedule)
    np.testing.assert_array_equal(out[:130], [*range(64), *range(100, 164), 63, 163])


def bf16(values: Array) -> Array:
    """To nearest even."""
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def wide(bits: Array) -> Array:
    return (bits.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("kind", ["f32", "f64", "s32", "u32", "u64", "f16", "bf16"])
def test_reductions_add_in_global_memory(copies: sim_harness.Kernels, kind: str) -> None:
    random = np.random.default_rng(1)
    types = {
        "f32": "float32",
        "f64": "float64",
        "s32": "int32",
        "u32": "uint32",
        "u64": "uint64",
        "f16": "float16",
        "bf16": "uint16",
    }
    dtype = np.dtype(types[kind])
    count = 1024 // dtype.itemsize
    raw = [random.integers(0, 256, 1024).astype(np.uint8).view(dtype) for _ in range(2)]
    if kind in ("f32", "f64", "f16"):
        raw = [random.standard_normal(count).astype(dtype) * 10.0 ** random.integers(-3, 4, count) for _ in range(2)]
    if kind == "bf16":
        raw = [bf16(random.standard_normal(count) * 10.0 ** random.integers(-3, 4, count)) for _ in range(2)]
    into, source = (aligned(x.astype(dtype)) for x in raw)
    with np.errstate(over="ignore"):
        want = bf16(wide(into) + wide(source)) if kind == "bf16" else into + source
    for completion in ("eager", "lazy"):
        mine = aligned(into)
        copies.run(f"add_{kind}", 1, 64, mine, source, 1024, smem=1024, completion=completion)
        np.testing.assert_array_equal(mine, want)


def test_float32_sums_flush_subnormals_and_half_sums_keep_them(copies: sim_harness.Kernels) -> None:
    into, source = aligned(np.zeros(4, np.float32)), aligned(np.array([1e-40, 1.0, -1e-40, 0], np.float32))
    copies.run("add_f32", 1, 32, into, source, 16, smem=128)
    np.testing.assert_array_equal(into, [0, 1, 0, 0])
    small = np.float16(6e-8)
    into16, source16 = aligned(np.full(8, small)), aligned(np.full(8, small))
    copies.run("add_f16", 1, 32, into16, source16, 16, smem=128)
    np.testing.assert_array_equal(into16, np.full(8, small + small))
    assert small + small > 0


def test_blocks_add_to_the_same_place(copies: sim_harness.Kernels) -> None:
    into, source = aligned(np.zeros(256, np.int32)), aligned(np.arange(256, dtype=np.int32))
    copies.run("add_s32", 64, 32, into, source, 1024, smem=1024, completion="random", seed=5)
    np.testing.assert_array_equal(into, 64 * source)


@schedules
@pytest.mark.parametrize("cluster", [1, 2, 4, 8])
def test_shared_memory_to_a_peer(copies: sim_harness.Kernels, cluster: int, schedule: dict[str, Any]) -> None:
    data = np.arange(8 * 64, dtype=np.float32)
    out = np.zeros_like(data)
    copies.run("pass_on", 8, 64, data, out, cluster=cluster, **schedule)
    np.testing.assert_array_equal(out.reshape(-1, cluster, 64), np.roll(data.reshape(-1, cluster, 64), 1, axis=1))


@schedules
def test_a_bulk_load_for_a_whole_cluster(copies: sim_harness.Kernels, schedule: dict[str, Any]) -> None:
    data = aligned(np.arange(64, dtype=np.float32))
    out = np.zeros((4, 64), np.float32)
    copies.run("spread", 4, 64, data, out, cluster=4, **schedule)
    np.testing.assert_array_equal(out, np.tile(data, (4, 1)))
