"""The headers of tensor cores compile for every GPU that has them and refuse misuse in a sentence; the generated one is
current; nothing that the toolkit declares for f16 and bf16 is missing in the simulator."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import sim_harness
import sim_nvrtc
from spak.codegen import wgmma

KERNELS = Path(__file__).parent / "kernels"
INCLUDE = [sim_harness.CSRC / "include"]
needs_nvrtc = pytest.mark.skipif(
    sim_nvrtc.library(sim_harness.toolkit()) is None, reason="the NVRTC wheel is not installed"
)
TOP = "#include <spak/cuda/matrix.h>\n#include <spak/cuda/mma.h>\n#include <spak/cuda/wgmma.h>\n#include <spak/cuda/tf32.h>\n"


def log(body: str, arch: str) -> str:
    source = TOP + "__global__ void k(float* x, uint32_t* r, uint64_t a, uint64_t b) {\n" + body + "\n}\n"
    return sim_nvrtc.compile_log(sim_harness.toolkit(), source, arch, INCLUDE)


def test_the_generated_header_is_current() -> None:
    assert (sim_harness.ROOT / wgmma.HEADER).read_text() == wgmma.header(), "run: python -m spak.codegen.wgmma"


@needs_nvrtc
@pytest.mark.parametrize("arch", ["sm_80", "sm_90a"])
def test_fragments_and_formats_compile_for_gpus(arch: str) -> None:
    for name in ("tensor_fragments", "tensor_formats"):
        text = (KERNELS / f"{name}.cu").read_text()
        assert sim_nvrtc.compile_log(sim_harness.toolkit(), text, arch, INCLUDE) == ""


def one_kernel(number: int, kind: str, accumulator: str, n: int, call: str) -> str:
    return (
        f"__global__ void k{number}(float* x, uint32_t* r, uint64_t a, uint64_t b) {{\n"
        f"  uint32_t f[4] = {{r[0], r[1], r[2], r[3]}};\n  {accumulator} d[{n // 2}];\n  spak::wgmma_fence();\n"
        f"  spak::wgmma_{kind}<{n}{call}, b, false);\n  spak::wgmma_commit();\n  spak::wgmma_wait<0>(d);\n"
        f"  x[0] = d[1] + f[0];\n}}\n"
    )


@needs_nvrtc
def test_every_wgmma_compiles_for_hopper() -> None:
    """Each N once, each format and source of A among them."""
    floats = ("bf16", "f16", "tf32", "e4m3", "e5m2")
    uses = [(floats[n // 8 % 5], "float", n, ">(d, a" if n % 16 else ">(d, f") for n in range(8, 257, 8)]
    integers = (8, 16, 24, 32, *range(48, 257, 16))
    uses += [(("s8", "u8")[n // 16 % 2], "int", n, ">(d, f" if n % 32 else ">(d, a") for n in integers]
    uses += [("f16", "float", 64, ", true, true>(d, a"), ("bf16", "float", 64, ", false, true>(d, f")]
    source = TOP + "".join(one_kernel(i, *use) for i, use in enumerate(uses))
    assert sim_nvrtc.compile_log(sim_harness.toolkit(), source, "sm_90a", INCLUDE) == ""


MISUSE = [
    ("sm_80", "spak::wgmma_fence();", "wgmma_fence exists on sm_90a alone"),
    ("sm_90", "float d[4]; spak::wgmma_bf16<8>(d, a, b);", "wgmma_bf16 exists on sm_90a alone"),
    ("sm_80", "uint32_t f[1] = {1}; spak::stmatrix<1>(x, f);", "stmatrix needs compute capability 9.0"),
    ("sm_80", "float d[4]; uint32_t f[4], g[2]; spak::mma_e4m3(d, f, g);", "mma_e4m3 needs compute capability 8.9"),
    ("sm_90a", "float d[6]; spak::wgmma_bf16<12>(d, a, b);", "wgmma_bf16: N must be a multiple of 8 from 8 to 256"),
    ("sm_90a", "int d[20]; spak::wgmma_s8<40>(d, a, b);", "wgmma_s8: N must be 8, 16, 24, 32 or a multiple of 16"),
    ("sm_90a", "float d[4]; uint32_t f[4]; spak::wgmma_f16<8, true>(d, f, b);", "leave TransposeA false"),
    ("sm_90a", "spak::wgmma_wait<8>();", "Pending must be 0 to 7"),
    ("sm_80", "uint32_t f[3]; spak::ldmatrix<3>(f, x);", "ldmatrix: N must be 1, 2 or 4"),
]  # fmt: skip


@needs_nvrtc
@pytest.mark.parametrize(("arch", "use", "sentence"), MISUSE)
def test_misuse_of_tensor_cores_is_refused_in_a_sentence(arch: str, use: str, sentence: str) -> None:
    assert sentence in log(use, arch)


@pytest.mark.parametrize("header", ["fp16", "bf16"])
def test_every_function_of_the_toolkit_is_there(header: str, tmp_path: Path) -> None:
    """Also those that its headers keep for devices."""
    text = re.sub(r"/\*.*?\*/", "", (sim_harness.toolkit() / f"cuda_{header}.h").read_text(), flags=re.S)
    names = {
        name
        for name in re.findall(r"DECL__[\s\w]*?[\s*&](\w+)\s*\(", text)
        if not name.startswith(("operator", "__CUDA"))
    }
    assert len(names) > 200
    uses = "".join(f"using ::{name};\n" for name in sorted(names) if "attribute" not in name)
    source = tmp_path / "names.cpp"
    source.write_text(f"#include <spak/sim/half.h>\n{uses}")
    command = [
        "g++",
        "-std=c++20",
        "-fsyntax-only",
        "-I",
        str(INCLUDE[0]),
        "-isystem",
        str(sim_harness.toolkit()),
        str(source),
    ]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
