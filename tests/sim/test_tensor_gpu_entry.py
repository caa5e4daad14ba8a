"""The comparison with a GPU, as far as it goes without one: what the driver is told, what counts as different, what is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
import sim_nvrtc

GPU = sim_harness.ROOT / "tests" / "gpu"
sys.path.insert(0, str(GPU))

import simulator  # noqa: E402

KERNELS = Path(__file__).parent / "kernels"

CHILD = """
import sys
from pathlib import Path
import numpy as np
sys.path[:0] = sys.argv[1:3]
import device, sim_harness
from spak.runtime.cuda import Driver
source = Path(sys.argv[3])
board = Driver().device()
module = device.Module(board, source, sim_harness.toolkit(), [sim_harness.CSRC / "include"])
x, y = np.arange(8, dtype=np.float32), np.ones(8, np.float32)
tile = np.arange(32, dtype=np.uint16)
map_ = device.TensorMap(9, tile.ctypes.data, (8, 4), (16,), (8, 2), (1, 1), 2, 0, 3, 0, 0)
after = module.run("axpy", (3, 2, 1), (64, 1, 1), [x, y, 8, 0.5, map_], 65536, (2, 1, 1), True)
assert not module.has("another")
np.testing.assert_array_equal(after[1], 1 + 0.5 * x)
assert (y == 1).all() and after[2] is None and after[4][0] == 1 and tile[0] == 0 and len(after[4]) == 64
print(board.name, device.architecture(board))
"""


@pytest.mark.skipif(sim_nvrtc.library(sim_harness.toolkit()) is None, reason="the NVRTC wheel is not installed")
def test_what_the_driver_is_told(tmp_path: Path) -> None:
    library = tmp_path / "libcuda.so.1"
    source = tmp_path / "axpy.cu"
    source.write_text(
        'extern "C" __global__ void axpy(const float* x, float* y, int n, float a) { y[0] = x[0] * a + n; }'
    )
    compiler = ["g++", "-std=c++20", "-shared", "-fPIC", "-I", str(sim_harness.toolkit())]
    subprocess.run([*compiler, str(GPU / "stand_in_driver.cpp"), "-o", str(library)], check=True)
    env = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path), "STAND_IN_LOG": str(tmp_path / "log")}
    command = [sys.executable, "-c", CHILD, str(GPU), str(Path(__file__).parent), str(source)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Stand-in sm_90a\n"
    assert (tmp_path / "log").read_text().splitlines() == [
        "load cubin",
        "allow shared 65536",
        "allow nonportable 1",
        "map bf16 1 rank 2 dims 8 4 stride 16 box 8 2 step 1 swizzle128 1 aligned 1",
        "launch grid 3 2 1 block 64 1 1 shared 65536 cluster 2 1 1",
    ]


def test_without_a_device_it_says_not_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from spak.verify import gpu

    monkeypatch.setattr(gpu, "missing", lambda: "no CUDA driver on this machine")
    assert simulator.main() == 0
    assert capsys.readouterr().out == "simulator against GPU: not measured (no CUDA driver on this machine)\n"


def test_every_completed_launch_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a device that is the simulator itself, and then with one that is wrong."""
    import async_maps

    for owner, name in ((sim_harness, "build"), (sim_harness.Kernels, "run"), (async_maps, "encode")):
        monkeypatch.setattr(owner, name, getattr(owner, name))  # to be put back
    plain = sim_harness.Kernels.run
    errors = {"ldmatrix_x1": 0, "mma_bf16_k16": 0.0}

    def device_run(source: Path, name: str, grid: Any, block: Any, arguments: Any, *rest: Any) -> Any:
        assert source.stem == "tensor_fragments" and grid == (1, 1, 1) and block == (32, 1, 1)
        if name == "ldmatrix_x2":
            return None
        copies = [a.copy() for a in arguments]
        plain(kernels, name, grid, block, *copies)
        copies[-1] += np.asarray(errors[name], copies[-1].dtype)
        return copies

    comparison = simulator.Comparison(device_run)
    comparison.patch(sim_harness, async_maps, type(None))
    kernels = sim_harness.build(KERNELS / "tensor_fragments.cu")
    rows = np.arange(32, dtype=np.int32) * 16
    memory = np.arange(512, dtype=np.uint32)
    ones = np.full((32, 4), 0x3F803F80, np.uint32)

    def launch() -> None:
        kernels.run("ldmatrix_x1", 1, 32, memory, rows, np.zeros((32, 1), np.uint32))
        kernels.run("ldmatrix_x2", 1, 32, memory, rows, np.zeros((32, 2), np.uint32))
        kernels.run("mma_bf16_k16", 1, 32, ones, ones[:, :2].copy(), np.zeros((32, 4), np.float32))

    launch()
    tallies = comparison.tallies
    assert {name: (t.launches, t.identical) for name, t in tallies.items()} == {
        "ldmatrix_x1": (1, 1),
        "mma_bf16_k16": (1, 1),
    }
    errors.update(ldmatrix_x1=1, mma_bf16_k16=16 * 2.0**-20)
    launch()
    assert "argument 2" in tallies["ldmatrix_x1"].different[0], "integers have no bound"
    assert (tallies["mma_bf16_k16"].within, tallies["mma_bf16_k16"].worst) == (1, 2.0**-20)
    errors.update(mma_bf16_k16=16 * 2.0**-10)
    launch()
    assert "beyond" in tallies["mma_bf16_k16"].different[0]
    assert [row["different"] for row in comparison.rows()] == [2, 1]


def test_distances() -> None:
    near, far = np.array([0x3C00, 0x8001], np.uint16), np.array([0x3C02, 0x0001], np.uint16)
    assert simulator.distance("f16_approximate", near, far) == (2.0, 2)
    assert simulator.distance("f16_approximate", near, np.array([0x7E00, 0], np.uint16))[0] > 2
    nan = np.array([np.nan, 1], np.float32)
    assert simulator.distance("wgmma_bf16_any", nan, np.array([np.nan, 1], np.float32))[0] == 0.0
    assert simulator.distance("wgmma_bf16_any", nan, np.array([1, 1], np.float32))[0] == float("inf")
