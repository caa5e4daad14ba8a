"""Mode profile counts what a GPU would count; every number here can be told by hand. Times are no part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sim_harness
from conftest import KERNELS

Profile = Callable[..., dict[str, int]]
X = np.arange(4096, dtype=np.float32)


@pytest.fixture(scope="session")
def kernels() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "profile.cu", flavour="instrumented")


@pytest.fixture
def profile(kernels: sim_harness.Kernels) -> Profile:
    def run(name: str, grid: int, block: int, *arguments: Any, **options: Any) -> dict[str, int]:
        arrays = {f"a{i}": a for i, a in enumerate(arguments) if isinstance(a, np.ndarray)}
        kernels.run(name, grid, block, *arguments, mode="profile", regions=arrays, **options)
        (one,) = kernels.counters()
        assert one["kernel"] == name
        return {key: value for key, value in one["counters"].items() if value}

    return run


def out(count: int = 4096) -> np.ndarray[Any, Any]:
    return np.zeros(count, np.float32)


def test_neighbouring_lanes_share_sectors(profile: Profile) -> None:
    counted = profile("copy", 2, 64, X, out(), 128)
    assert counted["blocks"] == 2
    assert counted["threads_a_block"] == 64
    for kind in ("load", "store"):
        assert counted[f"global_{kind}_requests"] == 4
        assert counted[f"global_{kind}_bytes"] == 512
        assert counted[f"global_{kind}_sectors"] == counted[f"global_{kind}_sectors_least"] == 16


@pytest.mark.parametrize(("stride", "sectors"), [(1, 4), (2, 8), (3, 12), (8, 32), (32, 32)])
def test_a_stride_takes_more_sectors(profile: Profile, stride: int, sectors: int) -> None:
    counted = profile("strided", 1, 32, X, out(), stride)
    assert counted["global_load_sectors"] == sectors
    assert counted["global_load_sectors_least"] == counted["global_store_sectors"] == 4


def test_one_address_is_one_sector(profile: Profile) -> None:
    counted = profile("broadcast", 1, 32, X, out())
    assert counted["global_load_sectors"] == counted["global_load_sectors_least"] == 1
    assert counted["global_load_lanes"] == 32


def test_vectors_are_one_request(profile: Profile) -> None:
    counted = profile("vectors", 1, 32, X, out())
    assert counted["global_load_requests"] == 1
    assert counted["global_load_bytes"] == 512
    assert counted["global_load_sectors"] == 16


@pytest.mark.parametrize(("kernel", "wavefronts"), [("conflicting", 32 * 32), ("padded", 32)])
def test_bank_conflicts(profile: Profile, kernel: str, wavefronts: int) -> None:
    y = out()
    counted = profile(kernel, 1, 1024, X, y)
    assert counted["shared_store_wavefronts"] == counted["shared_store_wavefronts_least"] == 32
    assert counted["shared_load_wavefronts"] == wavefronts
    assert counted["shared_load_wavefronts_least"] == 32
    assert counted["barriers"] == 1
    assert np.array_equal(y[:1024].reshape(32, 32), X[:1024].reshape(32, 32).T)


def test_lanes_that_take_part(profile: Profile) -> None:
    counted = profile("copy", 1, 64, X, out(), 40)
    assert counted["global_load_requests"] == 2
    assert counted["global_load_lanes"] == 40


def test_atomics_of_one_address(profile: Profile) -> None:
    bins = np.zeros(8, np.int32)
    counted = profile("histogram", 1, 64, np.repeat(np.arange(4, dtype=np.int32), 16), bins)
    assert counted["global_atomic_requests"] == 2
    assert counted["global_atomic_lanes"] == 64
    assert counted["global_atomic_alike"] == 16
    assert counted["global_load_requests"] == 2
    assert bins.tolist() == [16, 16, 16, 16, 0, 0, 0, 0]


def test_each_pass_of_a_loop_is_a_request(profile: Profile) -> None:
    counted = profile("looped", 1, 32, X, out(), 320)
    assert counted["global_load_requests"] == 10
    assert counted["global_load_sectors"] == 40
    assert counted["warp_operations"] == 1


def test_loads_that_maths_overlaps(profile: Profile) -> None:
    counted = profile("overlapped", 1, 32, np.zeros(128, np.uint32), out(), completion="lazy")
    assert counted["async_copies"] == 64
    assert counted["async_bytes_in"] == 1024
    assert counted["mma"] == counted["matrix_operations"] == 2
    assert counted["mma_flops"] == 2 * 2 * 16 * 8 * 16
    assert counted["matrix_operations_overlapping_loads"] == 1


def test_places_are_those_of_the_source(kernels: sim_harness.Kernels) -> None:
    kernels.run("strided", 1, 32, X, out(), 8, mode="profile", regions={"x": X})
    (one,) = kernels.counters()
    (place,) = one["places"]
    text = (KERNELS / "profile.cu").read_text().splitlines()
    ((file, line),) = sim_harness.lines(kernels.path, [place["pc"]])
    assert file == "profile.cu"
    assert line is not None
    assert "x[threadIdx.x * stride]" in text[line - 1]


def test_only_mode_profile_counts(kernels: sim_harness.Kernels) -> None:
    kernels.run("copy", 1, 32, X, out(), 32, mode="check")
    assert kernels.counters() == []
