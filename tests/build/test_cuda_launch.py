"""What CUDA launchers tell the driver, on a stand-in compiled against the toolkit's cuda.h: names, structures, order.

Whether a real driver and GPU do what is meant is for tests/gpu.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from forge import Forge, interface, tensor
from spak.build import nvrtc
from spak.errors import SpakError
from spak.model.ir import Scalar

HERE = Path(__file__).parent

SOURCE = """
extern "C" __global__ void scale(const float* x, long long n, float alpha, float* y, float* w) {
  const long long i = blockIdx.x * (long long)THREADS + threadIdx.x;
  if (i < n) y[i] = alpha * x[i] + w[0];
}
"""
PLAN = """
[params]
THREADS = 128
[[workspace]]
name = "w"
dtype = "f32"
shape = ["n + 1"]
zero = true
[[launch]]
kernel = "scale"
when = "n < 5000"
grid = ["cdiv(n, THREADS)", 2, 1]
block = ["THREADS"]
smem = "40 * n"
cluster = [CLUSTER]
args = ["x", "n", "alpha", "y", "w"]
[[launch]]
kernel = "scale"
grid = [1]
block = ["n"]
args = ["x", "n", "alpha", "y", "w"]
"""
CALLS = """
import sys
from spak.runtime.module import load_module
from spak.runtime.raw import RawTensor
scale = load_module(sys.argv[1]).scale
n = int(sys.argv[2])
x, y = (RawTensor(a, (n,), "f32", device=(2, 0)) for a in (1 << 20, 1 << 24))
try:
    scale(x, 2.5, out=y, stream=int(sys.argv[3]))
    made = scale(x)
    print("made", type(made).__name__, made.shape, made.dtype, made.__dlpack_device__())
    capsule = made.__dlpack__(max_version=(1, 0))
    del made, capsule
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the stand-in."""
    try:
        headers = nvrtc.locate().include_dirs[0]
    except SpakError:
        pytest.skip("no CUDA headers")
    folder = tmp_path_factory.mktemp("driver")
    argv = [
        "g++",
        "-shared",
        "-fPIC",
        "-std=c++20",
        "-I",
        headers,
        str(HERE / "fake_driver.cpp"),
        "-o",
        str(folder / "libcuda.so.1"),
    ]
    subprocess.run(argv, check=True)
    return folder


def launched(
    forge: Forge, driver: Path, folder: Path, n: int = 300, cluster: str = "2", **env: str
) -> tuple[str, list[str]]:
    """What a child process printed, and what the driver was told."""
    iface = interface(
        "scale", [tensor("x", "f32[n]"), Scalar(name="alpha", dtype="f32", default=1.0)], [tensor("y", "f32[n]")], "n"
    )
    outcome, options = forge.build(iface, SOURCE, PLAN.replace("CLUSTER", cluster), "sm_90a", folder=folder)
    assert outcome.ok, outcome.diagnostics
    log = folder / "log"
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver), "FAKE_CUDA_LOG": str(log), **env}
    argv = [sys.executable, "-c", CALLS, options.out, str(n), "77"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), log.read_text().splitlines()


def test_a_launch(forge: Forge, driver: Path, tmp_path: Path) -> None:
    printed, told = launched(forge, driver, tmp_path)
    assert printed == "made DeviceArray (300,) f32 (2, 0)"
    assert told == [
        "workspace 1204 on 0x4d",
        "fill 0 1204",
        "load cubin",
        "launch scale grid 3 2 1 block 128 1 1 smem 12000 stream 0x4d cluster 2 1 1 context 1 extra 0 size 300 alpha 2.5",
        "done",
        "alloc",
        "workspace 1204 on (nil)",
        "fill 0 1204",
        "launch scale grid 3 2 1 block 128 1 1 smem 12000 stream (nil) cluster 2 1 1 context 1 extra 0 size 300 alpha 1",
        "done",
        "free",
    ]


def test_much_shared_memory_and_wide_clusters_are_asked_for_once(forge: Forge, driver: Path, tmp_path: Path) -> None:
    _, told = launched(forge, driver, tmp_path, n=2000, cluster="16")
    assert [line for line in told if line.startswith("allow")] == ["allow scale smem 80000", "allow scale wide 1"]


def test_ptx_stands_in_where_the_cubin_does_not_fit(forge: Forge, driver: Path, tmp_path: Path) -> None:
    printed, told = launched(forge, driver, tmp_path, FAKE_CUDA_REFUSES="1")
    assert printed.startswith("made")
    assert [line for line in told if line.startswith("load")] == ["load cubin", "load ptx"]


def test_a_refused_launch_is_explained(forge: Forge, driver: Path, tmp_path: Path) -> None:
    printed, told = launched(forge, driver, tmp_path, n=6000)
    assert printed == (
        "RuntimeError scale: kernel scale with grid (1, 1, 1), block (6000, 1, 1), 0 bytes of shared memory: some error (1)"
    )
    assert told[-1] == "done"


TILES = """
struct alignas(64) CUtensorMap {
  unsigned long long opaque[16];
};
extern "C" __global__ void tiles(const __grid_constant__ CUtensorMap x_map, long long M, float alpha, float* y) {
  if (x_map.opaque[0] == 0) y[M] = alpha;
}
"""
TILES_PLAN = """
[params]
BOX = 32
[[tensor_map]]
name = "x_map"
tensor = "x"
box = [8, "BOX"]
swizzle = "128B"
fill = "nan"
promotion = "128B"
[[launch]]
kernel = "tiles"
block = [32]
args = ["x_map", "M", "alpha", "y"]
"""
TILE_CALLS = """
import sys
from spak.runtime.module import load_module
from spak.runtime.raw import RawTensor
tiles = load_module(sys.argv[1]).tiles
for address, n in ((1 << 20, 64), ((1 << 20) + 4, 64), (1 << 20, 30)):
    x, y = RawTensor(address, (40, n), "f32", device=(2, 0)), RawTensor(1 << 24, (40, n), "f32", device=(2, 0))
    try:
        tiles(x, 2.5, out=y, stream=77)
    except Exception as error:
        print(type(error).__name__, error)
"""


def tile_launches(forge: Forge, driver: Path, folder: Path, plan: str) -> tuple[list[str], list[str]]:
    scalar = Scalar(name="alpha", dtype="f32", default=1.0)
    iface = interface("tiles", [tensor("x", "f32[M, N]"), scalar], [tensor("y", "f32[M, N]")], "M N")
    outcome, options = forge.build(iface, TILES, plan, "sm_90a", folder=folder)
    assert outcome.ok, outcome.diagnostics
    environment = {**os.environ, "LD_LIBRARY_PATH": str(driver), "FAKE_CUDA_LOG": str(folder / "log")}
    argv = [sys.executable, "-c", TILE_CALLS, options.out]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines(), (folder / "log").read_text().splitlines()


def test_tensor_maps_are_encoded_by_the_driver_for_the_launch_that_takes_them(
    forge: Forge, driver: Path, tmp_path: Path
) -> None:
    printed, told = tile_launches(forge, driver, tmp_path, TILES_PLAN)
    assert told == [
        "map f32 at 0x100000 dims 64 40 strides 256 box 32/1 8/1 plain 1 swizzle128 1 fetch128 1 nan 1 aligned 1",
        "load cubin",
        "launch tiles grid 1 1 1 block 32 1 1 smem 0 stream 0x4d map 1 1 context 1 extra 0 size 40 alpha 2.5",
    ]
    assert printed == [
        "RuntimeError tiles: tensor map x_map of 'x': the array's address is no multiple of 16",
        "RuntimeError tiles: tensor map x_map of 'x': rows are 120 bytes apart, which is no multiple of 16",
    ]


def test_what_the_drivers_encoder_refuses_is_explained(forge: Forge, driver: Path, tmp_path: Path) -> None:
    printed, told = tile_launches(forge, driver, tmp_path, TILES_PLAN.replace("BOX = 32", "BOX = 24"))
    assert printed[0] == "RuntimeError tiles: tensor map x_map of 'x': some error (1)"
    assert not [line for line in told if line.startswith("launch")]
