"""Every asynchronous primitive compiles for each architecture that has it, and is refused in a sentence elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sim_harness
import sim_nvrtc

TMA = "".join(
    f"spak::tma_load(smem, map, bar{at}); spak::tma_load_multicast(smem, map, bar, 3{at}); spak::tma_store(map, smem{at});"
    f" spak::tma_reduce_add(map, smem{at});"
    for at in (", 0" * rank for rank in range(1, 6))
)
SUMS = ("float", "double", "int", "unsigned", "long long", "unsigned long long", "__half", "__nv_bfloat16")
ADDS = "".join(f"spak::bulk_reduce_add(({kind}*)out, (const {kind}*)smem, 16);" for kind in SUMS)
# Header: (statements, the first architecture that has them all: 80, 90, or "a" for the specific ones).
USES: dict[str, list[tuple[str, int | str]]] = {
    "shared": [("out[0] = spak::shared_address(smem);", 80)],
    "fence": [
        (f"spak::{name}();", 90)
        for name in (
            "fence_proxy_async",
            "fence_proxy_async_shared",
            "fence_proxy_async_global",
            "fence_mbarrier_init",
            "fence_cluster",
        )
    ],
    "barrier": [("spak::named_sync(1, 64); spak::named_arrive(2, 64);", 80)],
    "mbarrier": [
        ("spak::mbarrier_init(bar, 1); spak::mbarrier_arrive(bar); spak::mbarrier_arrive(bar, 2);", 80),
        ("out[0] = spak::mbarrier_test_wait(bar, 0); spak::mbarrier_wait(bar, 0); spak::mbarrier_invalidate(bar);", 80),
        ("spak::mbarrier_expect_tx(bar, 16);", 90),
        ("spak::mbarrier_arrive_expect_tx(bar, 16);", 90),
        ("spak::mbarrier_arrive_remote(bar, 1);", 90),
        ("spak::mbarrier_expect_tx_remote(bar, 1, 16);", 90),
        ("spak::mbarrier_arrive_expect_tx_remote(bar, 1, 16);", 90),
        ("out[0] = spak::mbarrier_try_wait(bar, 0);", 90),
        ("spak::mbarrier_wait_cluster(bar, 0);", 90),
    ],
    "cp_async": [
        ("".join(f"spak::cp_async<{n}>(smem, out); spak::cp_async_zfill<{n}>(smem, out, 2);" for n in (4, 8, 16)), 80),
        ("spak::cp_async_commit(); spak::cp_async_wait<1>(); spak::cp_async_wait_all();", 80),
        ("spak::cp_async_mbarrier_arrive(bar); spak::cp_async_mbarrier_arrive_noinc(bar);", 80),
    ],
    "bulk": [
        ("spak::bulk_load(smem, out, 16, bar);", 90),
        ("spak::bulk_load_multicast(smem, out, 16, bar, 3);", 90),
        ("spak::bulk_store(out, smem, 16);", 90),
        ("spak::bulk_copy_cluster(smem, smem, 16, bar);", 90),
        ("spak::bulk_commit(); spak::bulk_wait<0>(); spak::bulk_wait_read<1>();", 90),
        (ADDS, 90),
    ],
    "tma": [(TMA, 90), ("spak::tma_prefetch(map);", 90)],
    "cluster": [
        ("out[0] = spak::cluster_rank() + spak::cluster_size();", 90),
        ("spak::cluster_arrive(); spak::cluster_wait(); spak::cluster_arrive_relaxed(); spak::cluster_sync();", 90),
        ("out[1] = *spak::cluster_map(smem, 1u);", 90),
    ],
    "elect": [("out[0] = spak::elect_one();", 90)],
    "registers": [("spak::registers_increase<240>();", "a"), ("spak::registers_decrease<24>();", "a")],
    "dependent": [("spak::dependent_wait(); spak::dependent_launch();", 90)],
    "special": [("out[0] = spak::smid() + spak::nsmid() + spak::cycles() + spak::nanoseconds(); spak::pause(9);", 80)],
    "swizzle": [("static_assert(spak::swizzle<spak::Swizzle::b128>(128) == 144);", 80)],
}
ARCHITECTURES = ["sm_80", "sm_90", "sm_90a", "sm_100", "sm_100a"]
needs_nvrtc = pytest.mark.skipif(
    sim_nvrtc.library(sim_harness.toolkit()) is None, reason="the NVRTC wheel is not installed"
)


def compile_log(header: str, body: str, arch: str) -> str:
    half = "#include <cuda_bf16.h>\n#include <cuda_fp16.h>\n" if "__half" in body else ""
    parameters = "const __grid_constant__ CUtensorMap map, unsigned* out" if header == "tma" else "unsigned* out"
    text = (
        f"#include <spak/cuda/{header}.h>\n{half}"
        f'extern "C" __global__ void __launch_bounds__(128) k({parameters}) {{\n'
        f"  __shared__ __align__(1024) unsigned smem[64];\n  __shared__ uint64_t bar[1];\n  {body}\n}}\n"
    )
    return sim_nvrtc.compile_log(sim_harness.toolkit(), text, arch, [sim_harness.CSRC / "include"])


@needs_nvrtc
@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("header", sorted(USES))
def test_primitives_compile_where_they_are(header: str, arch: str) -> None:
    def has(first: int | str) -> bool:
        return arch.endswith("a") if first == "a" else int(re.findall(r"\d+", arch)[0]) >= int(first)

    there = "\n".join(body for body, first in USES[header] if has(first))
    assert compile_log(header, there, arch) == ""
    for body, first in USES[header]:
        if not has(first):
            log = compile_log(header, body, arch)
            name = re.findall(r"spak::(\w+)", body)[0]
            assert (
                f"spak::{name} needs compute capability 9.0" in log or f"spak::{name} is architecture-specific" in log
            )


@needs_nvrtc
@pytest.mark.parametrize("source", ["tiles", "copies", "barriers"])
def test_the_simulated_kernels_compile_for_gpus(source: str) -> None:
    text = (Path(__file__).parent / "kernels" / f"async_{source}.cu").read_text()
    for arch in ("sm_90a", "sm_100a"):
        assert sim_nvrtc.compile_log(sim_harness.toolkit(), text, arch, [sim_harness.CSRC / "include"]) == ""


@pytest.mark.parametrize(
    ("header", "use", "sentence"),
    [
        ("cp_async", "spak::cp_async<12>(smem, out);", "cp_async: Bytes must be 4, 8 or 16"),
        ("cp_async", "spak::cp_async_wait<-1>();", "cp_async_wait: N is the number of groups"),
        ("bulk", "spak::bulk_reduce_add((short*)out, (short*)smem, 16);", "bulk_reduce_add: T must be float, double"),
        ("registers", "spak::registers_increase<100>();", "N must be a multiple of 8 from 24 to 256"),
    ],
)
@needs_nvrtc
def test_misuse_is_refused_in_a_sentence(header: str, use: str, sentence: str) -> None:
    assert sentence in compile_log(header, use, "sm_90a")
