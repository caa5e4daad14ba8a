"""Right kernels are clean in check mode: no false alarm about anything asynchronous, under any schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
from async_maps import aligned, encode

KERNELS = Path(__file__).parent / "kernels"
SCHEDULES: tuple[dict[str, Any], ...] = (
    {"completion": "lazy"},
    {"completion": "eager", "order": "reverse"},
    {"completion": "random", "seed": 7},
)


@pytest.fixture(scope="module")
def libraries() -> dict[str, sim_harness.Kernels]:
    flags = ["-Wno-psabi"]  # GCC's note on parameters as aligned as CUtensorMap
    names = ("barriers", "copies", "tiles")
    return {name: sim_harness.build(KERNELS / f"async_{name}.cu", "instrumented", flags=flags) for name in names}


def array(kind: Any, count: int) -> Any:
    out = aligned(count * np.dtype(kind).itemsize).view(kind)
    out[:] = np.arange(count)
    return out


def floats(count: int) -> Any:
    return array(np.float32, count)


def integers(count: int) -> Any:
    return array(np.int32, count)


CASES: list[tuple[str, str, int, int, list[Any], dict[str, Any]]] = [
    ("barriers", "hand_over", 1, 96, [integers(160), integers(320), 5], {}),
    ("barriers", "halves", 1, 128, [integers(128)], {}),
    ("barriers", "pipeline", 1, 128, [integers(64 * 9), integers(96), 9, 3], {}),
    ("barriers", "cluster_sum", 8, 32, [integers(256), integers(256)], {"cluster": 4}),
    ("barriers", "gather", 4, 32, [integers(4)], {"cluster": 4}),
    ("barriers", "remote_expect", 2, 32, [integers(64), integers(64)], {"cluster": 2}),
    ("barriers", "elected", 1, 128, [integers(5)], {}),
    ("barriers", "specials", 6, 32, [array(np.int64, 24)], {}),
    ("barriers", "registers", 1, 384, [integers(384)], {}),
    ("copies", "ring_4", 1, 64, [floats(448), floats(448), 7], {}),
    ("copies", "ring_8", 1, 64, [floats(896), floats(896), 7], {}),
    ("copies", "ring_16", 1, 64, [floats(1792), floats(1792), 7], {}),
    ("copies", "zfill", 1, 32, [integers(128), integers(384), integers(32) % 17], {}),
    ("copies", "announce", 1, 64, [floats(128), floats(128)], {}),
    ("copies", "bulk_round", 1, 96, [floats(1280), floats(1280), 5], {}),
    ("copies", "bulk_groups", 1, 64, [floats(132)], {}),
    ("copies", "add_f32", 8, 64, [floats(256), floats(256), 1024], {"smem": 1024}),
    ("copies", "pass_on", 8, 64, [floats(512), floats(512)], {"cluster": 4}),
    ("copies", "spread", 4, 64, [floats(64), floats(256)], {"cluster": 4}),
]


@pytest.mark.parametrize("case", CASES, ids=[case[1] for case in CASES])
def test_right_kernels_are_clean(libraries: dict[str, sim_harness.Kernels], case: Any) -> None:
    library, name, grid, block, arguments, options = case
    for schedule in SCHEDULES:
        libraries[library].run(name, grid, block, *arguments, mode="check", **schedule, **options)
        assert libraries[library].findings() == []


def test_right_tiles_are_clean(libraries: dict[str, sim_harness.Kernels]) -> None:
    tensor = array(np.uint32, 4 * 4 * 32)
    out, at = array(np.uint32, 4 * 512), np.array([-3, 2], np.int32)
    regions = {"tensor": tensor, "out": out, "at": at}
    swizzled = encode("uint32", tensor.ctypes.data, (32, 16), (128,), (32, 4), swizzle=3)
    plain = encode("uint32", tensor.ctypes.data, (32, 16), (128,), (32, 4))
    for schedule in SCHEDULES:
        for name in ("tile_load_2", "tile_store_2", "tile_add_2"):
            grid = 4 if name == "tile_add_2" else 1
            libraries["tiles"].run(
                name, grid, 32, swizzled, at, out, 128, smem=512, regions=regions, mode="check", **schedule
            )
            assert libraries["tiles"].findings() == []
        libraries["tiles"].run(
            "tile_multicast",
            4,
            32,
            plain,
            out,
            128,
            15,
            4,
            cluster=4,
            smem=2048,
            regions=regions,
            mode="check",
            **schedule,
        )
        assert libraries["tiles"].findings() == []


def test_stores_of_two_blocks_to_one_place_are_found(libraries: dict[str, sim_harness.Kernels]) -> None:
    tensor, out, at = array(np.uint32, 512), array(np.uint32, 128), np.zeros(2, np.int32)
    map_ = encode("uint32", tensor.ctypes.data, (32, 16), (128,), (32, 4))
    regions = {"tensor": tensor, "out": out, "at": at}
    libraries["tiles"].run("tile_store_2", 2, 32, map_, at, out, 128, smem=512, regions=regions, mode="check")
    assert "race-global" in {finding["rule"] for finding in libraries["tiles"].findings()}
