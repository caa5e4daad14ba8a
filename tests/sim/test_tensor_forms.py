"""What only inline PTX can ask of tensor cores: mixed formats, f16 accumulators of wgmma, negation, saturation; and that the sums
of products are the same bits on every machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
import tensor_reference as ptx
from test_tensor_fragments import random_bits
from test_tensor_wgmma import Operand

FORMATS = ["f16", "bf16", "tf32", "e4m3", "e5m2", "s8", "u8"]
TOP, BOTTOM = 2**31 - 1, -(2**31)


@pytest.fixture(scope="module")
def forms() -> sim_harness.Kernels:
    return sim_harness.build(Path(__file__).parent / "kernels" / "tensor_forms.cu")


def run(
    kernels: sim_harness.Kernels, a: Any, b: Any, kinds: tuple[str, str], accumulator: str, c: Any, **flags: int
) -> Any:
    """D, 64 x 16, of operands [row, k]."""
    image = np.zeros(2560, np.uint8)
    for bits, kind, at in ((a, kinds[0], 0), (b, kinds[1], 2048)):
        operand = Operand(kind, bits, at)
        operand.leading, operand.stride = 128, 256
        operand.places = at + ptx.canonical(kind, len(bits), False, 0, 128, 256)
        operand.write(image)
    places = ptx.wgmma_d(16)
    registers = np.ascontiguousarray(c[places[..., 0], places[..., 1]])
    options = [flags.get(name, 0) for name in ("negate_a", "negate_b", "saturate")]
    indices = [FORMATS.index(kinds[0]), FORMATS.index(kinds[1]), ["f32", "f16", "s32"].index(accumulator)]
    kernels.run("wgmma_form", 1, 128, image, registers, *indices, *options)
    out = np.zeros_like(c)
    out[places[..., 0], places[..., 1]] = registers
    return out


@pytest.mark.parametrize(("negate_a", "negate_b"), [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("kind", ["f16", "e4m3"])
def test_f16_accumulators_and_negation(forms: sim_harness.Kernels, kind: str, negate_a: int, negate_b: int) -> None:
    rng = np.random.default_rng(1)
    depth = 256 // ptx.BITS[kind]
    a, b = random_bits(kind, (64, depth), rng), random_bits(kind, (16, depth), rng)
    if kind == "e4m3":
        a, b = a & 0xBF, b & 0xBF  # small enough for f16
    c = rng.standard_normal((64, 16)).astype(np.float16)
    exact = ptx.values(kind, a) @ ptx.values(kind, b).T * (1 if negate_a == negate_b else -1)
    out = run(forms, a, b, (kind, kind), "f16", c, negate_a=negate_a, negate_b=negate_b)
    np.testing.assert_array_equal(out, (c.astype(np.float64) + exact).astype(np.float16))


@pytest.mark.parametrize("kinds", [("e4m3", "e5m2"), ("e5m2", "e4m3"), ("s8", "u8"), ("u8", "s8")])
def test_operands_of_different_formats(forms: sim_harness.Kernels, kinds: tuple[str, str]) -> None:
    rng = np.random.default_rng(2)
    a, b = random_bits(kinds[0], (64, 32), rng), random_bits(kinds[1], (16, 32), rng)
    integer = kinds[0] in ("s8", "u8")
    exact = ptx.values(kinds[0], a) @ ptx.values(kinds[1], b).T
    c = np.zeros((64, 16), np.int32 if integer else np.float32)
    wanted = exact.astype(c.dtype)
    np.testing.assert_array_equal(run(forms, a, b, kinds, "s32" if integer else "f32", c), wanted)
    d = np.zeros((32, 4), c.dtype)
    fa, fb = (
        ptx.packed(a[:16], kinds[0], ptx.fragment_a(kinds[0], 32)),
        ptx.packed(b[:8].T, kinds[1], ptx.fragment_b(kinds[1], 32)),
    )
    forms.run("mma_form", 1, 32, fa, fb, d.copy(), d, FORMATS.index(kinds[0]), FORMATS.index(kinds[1]), 0)
    places = ptx.fragment_c()
    np.testing.assert_array_equal(d, wanted[places[..., 0], places[..., 1]])


def test_saturation(forms: sim_harness.Kernels) -> None:
    a, b = np.full((64, 32), 127), np.full((16, 32), 127)
    b[::2] = 129  # -127
    c = np.where(np.arange(16) % 2, TOP - 5, BOTTOM + 5).astype(np.int32) + np.zeros((64, 1), np.int32)
    clipped = np.where(np.arange(16) % 2, TOP, BOTTOM).astype(np.int32) + np.zeros((64, 1), np.int32)
    np.testing.assert_array_equal(run(forms, a, b, ("s8", "s8"), "s32", c, saturate=1), clipped)
    wrapped = (c.astype(np.int64) + 32 * 127 * np.where(np.arange(16) % 2, 127, -127)).astype(np.uint32).view(np.int32)
    np.testing.assert_array_equal(run(forms, a, b, ("s8", "s8"), "s32", c), wrapped)
    places = ptx.fragment_c()
    d, c4 = np.zeros((32, 4), np.int32), np.ascontiguousarray(c[places[..., 0], places[..., 1]])
    fa, fb = ptx.packed(a[:16], "s8", ptx.fragment_a("s8", 32)), ptx.packed(b[:8].T, "s8", ptx.fragment_b("s8", 32))
    forms.run("mma_form", 1, 32, fa, fb, c4, d, 5, 5, 1)
    np.testing.assert_array_equal(d, clipped[places[..., 0], places[..., 1]])


PROGRAM = """
#include "model/formats_product.cpp"
#include <cstdint>
#include <cstdio>
#include <cstring>
static double a[64 * 32], b[32 * 256], sums[64 * 256];
static float d[64 * 256];
int main() {
  std::uint64_t state = 1, hash = 0;
  auto next = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<std::int64_t>(state) >> 42) * (state >> 20 & 1 ? 1.0 : 0x1p-40);
  };
  for (unsigned n = 8; n <= 256; n += 8)
    for (unsigned k = 4; k <= 32; k += 4) {
      for (double& x : a) x = next();
      for (double& x : b) x = next();
      for (float& x : d) x = static_cast<float>(next());
      spak::sim::product(a, b, 64, n, k, sums);
      spak::sim::product_add(a, b, 64, n, k, d);
      for (unsigned i = 0; i < 64 * n; ++i) {
        std::uint64_t bits;
        std::uint32_t low;
        std::memcpy(&bits, &sums[i], 8);
        std::memcpy(&low, &d[i], 4);
        hash = (hash ^ bits ^ low) * 1099511628211u;
      }
    }
  std::printf("%llx\\n", static_cast<unsigned long long>(hash));
}
"""


def test_sums_are_the_same_on_every_machine(tmp_path: Path) -> None:
    """With AVX2, without, and on AArch64 where it can be run."""
    (tmp_path / "sums.cpp").write_text(PROGRAM)
    variants = [("g++", ["-march=x86-64"], []), ("g++", ["-march=x86-64", "-DSPAK_SIM_PORTABLE_PRODUCT"], [])]
    if shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64"):
        variants.append(("aarch64-linux-gnu-g++", ["-static"], ["qemu-aarch64"]))
    said = set()
    for i, (compiler, flags, runner) in enumerate(variants):
        program = tmp_path / f"sums{i}"
        include = [
            "-I",
            str(sim_harness.CSRC / "sim"),
            "-I",
            str(sim_harness.CSRC / "include"),
            "-I",
            str(sim_harness.CSRC / "sim" / "model"),
        ]
        command = [
            compiler,
            "-std=c++20",
            "-O2",
            "-ffp-contract=off",
            *flags,
            *include,
            str(tmp_path / "sums.cpp"),
            "-o",
            str(program),
        ]
        subprocess.run(command, check=True)
        said.add(subprocess.run([*runner, str(program)], capture_output=True, text=True, check=True).stdout)
    assert len(said) == 1
