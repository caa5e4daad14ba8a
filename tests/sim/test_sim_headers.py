"""The device headers compile for every CUDA target and refuse misuse in a sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import sim_harness
import sim_nvrtc

KERNELS = Path(__file__).parent / "kernels"
CUDA = sim_harness.CSRC / "include" / "spak" / "cuda"
needs_nvrtc = pytest.mark.skipif(
    sim_nvrtc.library(sim_harness.toolkit()) is None, reason="the NVRTC wheel is not installed"
)


@needs_nvrtc
@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
@pytest.mark.parametrize("source", ["features", "programs"])
def test_the_simulated_kernels_compile_for_gpus(source: str, arch: str) -> None:
    text = (KERNELS / f"{source}.cu").read_text()
    assert sim_nvrtc.compile_log(sim_harness.toolkit(), text, arch, [sim_harness.CSRC / "include"]) == ""


@needs_nvrtc
@pytest.mark.parametrize("header", sorted(path.name for path in CUDA.glob("*.h")))
def test_each_header_stands_alone(header: str, tmp_path: Path) -> None:
    source = f"#include <spak/cuda/{header}>\n"
    assert sim_nvrtc.compile_log(sim_harness.toolkit(), source, "sm_80", [sim_harness.CSRC / "include"]) == ""
    assert host_log(source, tmp_path) == ""


def host_log(source: str, tmp_path: Path) -> str:
    file = tmp_path / "k.cpp"
    file.write_text(source)
    command = [
        "g++",
        "-std=c++20",
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-I",
        str(sim_harness.CSRC / "include"),
    ]
    return subprocess.run(
        [*command, "-isystem", str(sim_harness.toolkit()), str(file)], capture_output=True, text=True
    ).stderr


MISUSE = [
    ("float4 x; spak::load<8>(&x.x);", "a single access moves at most 16 bytes"),
    ("float x = 0; spak::load<3>(&x);", "N must be a power of two"),
    ("spak::warp_sum<24>(1.0f);", "Width must be a power of two from 1 to 32"),
    (
        "spak::block_reduce(make_float4(0, 0, 0, 0), [](float4 a, float4) { return a; }, make_float4(0, 0, 0, 0));",
        "T must have at most 8 bytes",
    ),
]


@pytest.mark.parametrize(("use", "sentence"), MISUSE)
def test_misuse_is_refused_in_a_sentence(use: str, sentence: str, tmp_path: Path) -> None:
    source = f"#include <spak/cuda/all.h>\n__global__ void k() {{ {use} }}\n"
    assert sentence in host_log(source, tmp_path)
    if sim_nvrtc.library(sim_harness.toolkit()):
        assert sentence in sim_nvrtc.compile_log(sim_harness.toolkit(), source, "sm_80", [sim_harness.CSRC / "include"])


def test_a_macro_that_hides_shared_memory_is_refused_by_the_compiler_too(tmp_path: Path) -> None:
    assert "cannot be simulated" in host_log(
        "#include <spak/cuda/device.h>\nvoid f() { __shared__ int x; }\n", tmp_path
    )
