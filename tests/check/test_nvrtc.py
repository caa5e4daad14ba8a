"""Device code compiles for every CUDA target without a GPU or a driver, and what the machine code uses is read off
it.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import honest
import pytest
from checkbench import ROOT
from spak.build import cubin, nvrtc, sass
from spak.build.nvrtc_checks import facts
from spak.build.occupancy import occupancy
from spak.effects import Effects
from spak.errors import SpakError
from spak.model.evidence import Check
from spak.model.plan import Launch, Plan
from spak.model.target import Target

DO = Effects()
ARCHITECTURES = ("sm_80", "sm_90a")

KERNEL = """\
#include <cuda_fp16.h>
extern "C" __global__ void __launch_bounds__(256) tile(const float* __restrict__ a, float* c, long long n) {
  __shared__ float t[BM][33];
  extern __shared__ float dynamic[];
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  t[threadIdx.x % BM][0] = i < n ? a[i] : 0.0f;
  dynamic[threadIdx.x] = t[threadIdx.x % BM][0];
  __syncthreads();
  if (i < n) c[i] = t[(threadIdx.x + 1) % BM][0] + dynamic[0];
}
"""
LOCAL = """\
extern "C" __global__ void local(float* c, int k) {
  float v[64];
  for (int i = 0; i < 64; ++i) v[i] = c[i * k];
  for (int i = 0; i < 64; ++i) v[int(v[i]) & 63] += c[i * k];
  c[0] = v[k & 63];
}
"""
SPILLING = """\
extern "C" __global__ void __launch_bounds__(1024, 2) spilling(const float* a, float* c) {
  float v[96];
#pragma unroll
  for (int i = 0; i < 96; ++i) v[i] = a[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 96; ++i) c[i * 1024 + threadIdx.x] = v[i] * v[95 - i];
}
"""


def compiled(source: str, arch: str = "sm_80", **more: str) -> nvrtc.NvrtcResult:
    return nvrtc.compile(source, name="kernel.cu", arch=arch, do=DO, path="generated/kernel.cu", **more)  # type: ignore[arg-type]


def target(name: str) -> Target:
    return Target(name=name, **tomllib.loads((ROOT / f"targets/{name}.toml").read_text()))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_a_kernel_becomes_a_cubin_with_its_figures(arch: str) -> None:
    result = compiled(KERNEL, arch, prelude="constexpr int BM = 32;")
    assert result.ok, result.log
    assert result.cubin[:4] == b"\x7fELF"
    kernel = result.kernels["tile"]
    assert kernel.static_smem == 32 * 33 * 4
    assert 0 < kernel.registers <= 255
    assert kernel.params == ((0, 8), (8, 8), (16, 8))
    assert kernel.max_block == (256, 1, 1)
    assert (kernel.spill_stores, kernel.spill_loads) == (0, 0)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_cubin_and_ptxas_agree(arch: str) -> None:
    result = compiled(SPILLING, arch)
    said, read = cubin.read_log(result.log)["spilling"], cubin.read(result.cubin)["spilling"]
    assert (said.registers, said.static_smem, said.stack_bytes) == (read.registers, read.static_smem, read.stack_bytes)
    assert said.spill_stores > 0


def test_the_same_source_gives_the_same_bytes() -> None:
    first, second = (compiled(KERNEL, "sm_90a", prelude="constexpr int BM = 32;", ptx="compute_90") for _ in range(2))
    assert first == second
    assert first.ptx.endswith(b"}\n") or first.ptx.rstrip().endswith(b"}")
    assert b"\0" not in first.ptx


def test_errors_stand_at_their_place_in_the_source() -> None:
    result = compiled(
        "\n" + KERNEL.replace("threadIdx.x % BM", "thraedIdx.x % BM", 1), prelude="constexpr int BM = 32;"
    )
    assert not result.ok
    assert [str(d) for d in result.diagnostics] == [
        'generated/kernel.cu:7:5: SPK481: NVRTC: identifier "thraedIdx" is undefined.'
    ]


def test_errors_in_a_header_name_the_header(tmp_path: Path) -> None:
    (tmp_path / "broken.h").write_text("int f( {}\n")
    source = '#include <broken.h>\nextern "C" __global__ void k() {}\n'
    result = nvrtc.compile(source, name="kernel.cu", arch="sm_80", do=DO, include_dirs=[str(tmp_path)])
    first = result.diagnostics[0]
    assert first.span is not None
    assert (first.span.file, first.span.line) == ("broken.h", 1)


def test_no_portable_ptx_is_a_warning_and_the_cubin_stays() -> None:
    source = 'extern "C" __global__ void k() { asm volatile("setmaxnreg.dec.sync.aligned.u32 24;"); }\n'
    result = compiled(source, "sm_90a", ptx="compute_90")
    assert result.ok
    assert result.cubin
    assert not result.ptx
    assert [d.code for d in result.diagnostics if d.severity == "warning"] == ["SPK483"]


def test_serialised_wgmma_fails() -> None:
    log = "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized\n"
    (found,) = nvrtc.messages(log, "kernel.cu", "kernel.cu")
    assert (found.code, found.severity) == ("SPK484", "error")
    good = compiled(KERNEL, "sm_90a", prelude="constexpr int BM = 32;")
    bad = good.model_copy(update={"findings": (found.to_json(),)})
    checks, _ = facts(bad, Plan(launch=(Launch(kernel="tile"),)), target("sm_90a"), (), do=DO)
    assert verdicts(checks)["wgmma asynchronous"] == "failed"


def test_a_missing_nvrtc_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPAK_NVRTC", "/nowhere/libnvrtc.so")
    with pytest.raises(SpakError) as caught:
        nvrtc.locate()
    assert caught.value.diagnostics[0].code == "SPK480"
    assert "pip install" in caught.value.diagnostics[0].hint


def test_a_library_that_is_not_nvrtc_is_an_error_and_not_a_crash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "libnvrtc.so"
    fake.write_bytes(b"not a library")
    monkeypatch.setenv("SPAK_NVRTC", str(fake))
    with pytest.raises(SpakError) as caught:
        compiled(KERNEL)
    assert caught.value.diagnostics[0].code == "SPK482"


def test_locating_finds_library_and_headers_and_imports_nothing_of_nvidia() -> None:
    where = nvrtc.locate()
    assert Path(where.library).is_file()
    assert any((Path(folder) / "cuda_fp16.h").is_file() for folder in where.include_dirs)
    script = "import sys; from spak.build import nvrtc; nvrtc.locate(); print([m for m in sys.modules if m.startswith('nvidia')])"
    alone = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert alone.stdout.strip() == "[]"


def test_a_truncated_cubin_is_a_value_error() -> None:
    image = compiled(LOCAL).cubin
    for data in (b"", b"\x7fELF\x02\x01", image[:64], b"MZ" + image):
        with pytest.raises(ValueError, match="ELF"):
            cubin.read(data)


def verdicts(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.verdict for check in checks}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_contracts_on_machine_code(arch: str) -> None:
    if not sass.disassembler():
        pytest.skip("nvdisasm is not installed")
    contracts = [
        "no local memory",
        "must contain FADD",
        "must contain HGMMA",
        "must not contain LDG",
        "registers <= 255",
        "registers <= 8",
        "gibberish",
    ]
    checks, found = facts(
        compiled(LOCAL, arch),
        Plan(launch=(Launch(kernel="local", block=(64,)),)),
        target(arch),
        contracts,
        do=DO,
        source="k.cu",
    )
    got = {
        name.removeprefix("sass: "): verdict for name, verdict in verdicts(checks).items() if name.startswith("sass")
    }
    assert got == {
        "no local memory": "failed",
        "must contain FADD": "passed",
        "must contain HGMMA": "failed",
        "must not contain LDG": "failed",
        "registers <= 255": "passed",
        "registers <= 8": "failed",
        "gibberish": "failed",
    }
    assert sorted(d.code for d in found) == ["SPK486"] * 4 + ["SPK488"]


def test_atomics_and_spills_are_seen() -> None:
    adding = 'extern "C" __global__ void k(float* c) { atomicAdd(c, 1.0f); }\n'
    plan = Plan(launch=(Launch(kernel="k", block=(64,)),))
    if sass.disassembler():
        assert (
            verdicts(facts(compiled(adding), plan, target("sm_80"), ["no atomics"], do=DO)[0])["sass: no atomics"]
            == "failed"
        )
    plan = Plan(launch=(Launch(kernel="spilling", block=(1024,)),))
    free, _ = facts(compiled(SPILLING), plan, target("sm_80"), [], do=DO)
    assert "failed" not in verdicts(free).values(), "spills are a failure only where the spec says so"
    bound, _ = facts(compiled(SPILLING), plan, target("sm_80"), ["no spills"], do=DO)
    assert verdicts(bound)["sass: no spills"] == "failed"


def test_without_a_disassembler_contracts_are_skipped_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sass, "disassembler", lambda: "")
    checks, found = facts(
        compiled(LOCAL),
        Plan(launch=(Launch(kernel="local", block=(64,)),)),
        target("sm_80"),
        ["no local memory", "no spills"],
        do=DO,
    )
    assert verdicts(checks)["sass: no local memory"] == "skipped"
    assert verdicts(checks)["sass: no spills"] == "passed"
    assert not found


def test_a_block_that_cannot_be_launched_fails() -> None:
    result = compiled(KERNEL, prelude="constexpr int BM = 32;")
    plan = Plan(params={"S": 170000}, launch=(Launch(kernel="tile", block=(512,), smem="S"),))
    checks, found = facts(result, plan, target("sm_80"), (), do=DO, source="kernel.cu")
    assert verdicts(checks)["resources of tile"] == "failed"
    assert [d.code for d in found] == ["SPK487", "SPK487"]
    assert "shared memory" in found[0].message
    assert "at most 256 threads" in found[1].message


@pytest.mark.parametrize(
    ("registers", "threads", "shared", "blocks", "limiter"),
    [
        (32, 1024, 0, 2, "threads"),
        (33, 1024, 0, 1, "registers"),  # 40 registers a thread after rounding: 3 warps too many for a second block
        (128, 256, 0, 2, "registers"),
        (255, 256, 0, 1, "registers"),
        (16, 32, 0, 32, "blocks"),
        (32, 256, 100 * 1024, 2, "shared memory"),
        (32, 256, 227 * 1024, 1, "shared memory"),
    ],
)
def test_occupancy_is_that_of_the_calculator(
    registers: int, threads: int, shared: int, blocks: int, limiter: str
) -> None:
    got = occupancy(target("sm_90a").limits, registers=registers, threads=threads, shared_bytes=shared)
    assert (got.blocks_per_sm, got.limiter) == (blocks, limiter)


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("name", ["VECTOR_ADD", "MATMUL", "SOFTMAX", "REDUCE"])
def test_the_honest_kernels_compile_with_our_headers(name: str, arch: str) -> None:
    plan = tomllib.loads(getattr(honest, f"{name}_CUDA_PLAN"))
    prelude = "".join(f"constexpr int {key} = {value};\n" for key, value in plan.get("params", {}).items())
    source = getattr(honest, f"{name}_CUDA")
    include = [str(ROOT / "csrc/include")]
    result = nvrtc.compile(source, name="kernel.cu", arch=arch, do=DO, include_dirs=include, prelude=prelude)
    assert result.ok, [str(d) for d in result.diagnostics]
    checks, found = facts(result, Plan.model_validate(plan), target(arch), ["no spills"], do=DO)
    assert "failed" not in verdicts(checks).values()
    assert not found
