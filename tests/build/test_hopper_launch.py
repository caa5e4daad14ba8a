"""Launches that only Hopper has, on the simulator: tensor maps that TMA copies by, and clusters. The same source compiles for
sm_90a."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forge import Forge, interface, tensor
from spak.build import nvrtc
from spak.build.places import INCLUDE
from spak.effects import Effects
from spak.errors import SpakError
from spak.runtime.module import load_module
from spak.sim import findings

#: Copies tiles with TMA through shared memory: what is outside the array reads as zero or NaN, and is not written.
TILES = """#include <spak/cuda/fence.h>
#include <spak/cuda/mbarrier.h>
#include <spak/cuda/tma.h>

extern "C" __global__ void tiles(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap y_map,
                                 float* sums, long long N) {
  __shared__ __align__(128) float tile[ROWS][COLUMNS];
  __shared__ uint64_t bar;
  const int column = blockIdx.x * COLUMNS, row = blockIdx.y * ROWS;
  if (threadIdx.x == 0) {
    spak::mbarrier_init(&bar, 1);
    spak::fence_mbarrier_init();
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    spak::mbarrier_arrive_expect_tx(&bar, sizeof tile);
    spak::tma_load(tile, x_map, &bar, column, row);
  }
  spak::mbarrier_wait(&bar, 0);
  if (threadIdx.x < ROWS) {
    float sum = 0;
    for (int j = 0; j < COLUMNS; ++j) sum += tile[threadIdx.x][j];
    sums[(row + threadIdx.x) * (long long)gridDim.x + blockIdx.x] = sum;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    spak::tma_store(y_map, tile, column, row);
    spak::bulk_commit();
    spak::bulk_wait_read<0>();
  }
}
"""
TILES_PLAN = """
[params]
ROWS = 8
COLUMNS = 32
[[tensor_map]]
name = "x_map"
tensor = "x"
box = ["ROWS", "COLUMNS"]
[[tensor_map]]
name = "y_map"
tensor = "y"
box = ["ROWS", "COLUMNS"]
[[launch]]
kernel = "tiles"
when = "N % 4 == 0"
grid = ["cdiv(N, COLUMNS)", "cdiv(M, ROWS)"]
block = [32]
args = ["x_map", "y_map", "sums", "N"]
"""

#: Each block of a cluster reads what the other has in its shared memory.
PAIRS = """#include <spak/cuda/cluster.h>

extern "C" __global__ void pairs(const float* x, float* y, long long n) {
  __shared__ float mine[32];
  const long long i = blockIdx.x * 32 + threadIdx.x;
  mine[threadIdx.x] = i < n ? x[i] : 0.0f;
  spak::cluster_sync();
  const float* other = spak::cluster_map(mine, spak::cluster_rank() ^ 1);
  if (i < n) y[i] = other[threadIdx.x] + 100 * spak::cluster_size();
  spak::cluster_sync();
}
"""
PAIRS_PLAN = """
[[launch]]
kernel = "pairs"
grid = ["2 * cdiv(n, 64)"]
block = [32]
cluster = [2]
args = ["x", "y", "n"]
"""


def tiles(forge: Forge, plan: str, folder: Path) -> Any:
    arrays = (
        [tensor("x", "f32[M, N]")],
        [tensor("y", "f32[M, N]"), tensor("sums", "f32[(M + 7) // 8 * 8, (N + 31) // 32]")],
    )
    outcome, options = forge.build(interface("tiles", *arrays, "M N"), TILES, plan, "sim", folder=folder)
    assert outcome.ok, outcome.diagnostics
    return options


@pytest.fixture(scope="module")
def tile_copy(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plain module and the one that is checked."""
    options = tiles(forge, TILES_PLAN, tmp_path_factory.mktemp("tiles"))
    return {"plain": load_module(options.out), "check": load_module(options.checked)}


@pytest.mark.parametrize("completion", ["eager", "lazy"])
@pytest.mark.parametrize("mode", ["plain", "check"])
def test_tensor_maps_on_the_simulator(
    tile_copy: dict[str, Any], mode: str, completion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPAK_SIM_COMPLETION", completion)
    monkeypatch.setenv("SPAK_SIM_MODE", mode)
    x = np.random.default_rng(1).standard_normal((11, 40), np.float32)
    y, sums = tile_copy[mode].tiles(x)
    assert np.array_equal(x, y)
    assert tile_copy[mode].__spak_findings__() == "[]"
    padded = np.zeros((16, 64), np.float32)
    padded[:11, :40] = x
    assert np.allclose(sums, padded.reshape(16, 2, 32).sum(axis=2), atol=1e-5)


def test_what_a_map_fills_with(forge: Forge, tmp_path: Path) -> None:
    plan = TILES_PLAN.replace('box = ["ROWS", "COLUMNS"]', 'box = ["ROWS", "COLUMNS"]\nfill = "nan"', 1)
    module = load_module(tiles(forge, plan, tmp_path).out)
    _, sums = module.tiles(np.ones((8, 40), np.float32))
    assert np.array_equal(np.isnan(sums), [[False, True]] * 8)


def test_what_no_map_can_be_made_of_is_explained(tile_copy: dict[str, Any]) -> None:
    function = tile_copy["plain"].tiles
    memory = np.zeros(8 * 32 + 4, np.float32)
    at = (-memory.ctypes.data % 16) // 4 + 1
    with pytest.raises(RuntimeError, match=r"tensor map x_map of 'x': the array's address is no multiple of 16"):
        function(memory[at : at + 8 * 32].reshape(8, 32))
    with pytest.raises(RuntimeError, match="no launch of the plan fits these sizes"):
        function(np.zeros((8, 30), np.float32))


def test_clusters_on_the_simulator(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iface = interface("pairs", [tensor("x", "f32[n]")], [tensor("y", "f32[n]")], "n")
    outcome, options = forge.build(iface, PAIRS, PAIRS_PLAN, "sim", folder=tmp_path)
    assert outcome.ok, outcome.diagnostics
    x = np.arange(128, dtype=np.float32)
    expected = x.reshape(2, 2, 32)[:, ::-1].reshape(-1) + 200
    assert np.array_equal(load_module(options.out).pairs(x), expected)
    monkeypatch.setenv("SPAK_SIM_MODE", "check")
    checked = load_module(options.checked)
    assert np.array_equal(checked.pairs(x), expected)
    assert checked.__spak_findings__() == "[]"


def test_an_unfenced_exchange_in_a_cluster_is_found_with_its_lines(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first barrier gone: a block reads what the other may not have written yet."""
    iface = interface("pairs", [tensor("x", "f32[n]")], [tensor("y", "f32[n]")], "n")
    outcome, options = forge.build(
        iface, PAIRS.replace("spak::cluster_sync();", "", 1), PAIRS_PLAN, "sim", folder=tmp_path
    )
    assert outcome.ok, outcome.diagnostics
    monkeypatch.setenv("SPAK_SIM_MODE", "check")
    checked = load_module(options.checked)
    checked.pairs(np.arange(128, dtype=np.float32))
    found = findings.read(checked.__spak_findings__(), Path(options.checked), {"kernel.cu": "kernel.cu"})
    lines = {party.place.span.line for one in found for party in one.parties if party.place}
    assert {6, 9} <= lines, [str(one.diagnostic()) for one in found]


@pytest.mark.parametrize(
    ("source", "params"), [(TILES, "constexpr int ROWS = 8, COLUMNS = 32;"), (PAIRS, "")], ids=["tiles", "pairs"]
)
def test_the_same_source_compiles_for_sm_90a(source: str, params: str) -> None:
    try:
        include = [str(INCLUDE.resolve())]
        result = nvrtc.compile(
            source, name="kernel.cu", arch="sm_90a", do=Effects(), include_dirs=include, prelude=params
        )
    except SpakError:
        pytest.skip("no NVRTC")
    assert result.ok, result.log
