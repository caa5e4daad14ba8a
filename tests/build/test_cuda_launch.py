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
    argv = ["g++", "-shared", "-fPIC", "-std=c++20", "-I", headers, str(HERE / "fake_driver.cpp"), "-o", str(folder / "libcuda.so.1")]
    subprocess.run(argv, check=True)
    return folder


def launched(forge: Forge, driver: Path, folder: Path, n: int = 300, cluster: str = "2", **env: str) -> tuple[str, list[str]]:
    """What a child process printed, and what the driver was told."""
    iface = interface("scale", [tensor("x", "f32[n]"), Scalar(name="alpha", dtype="f32", default=1.0)], [tensor("y", "f32[n]")], "n")
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
