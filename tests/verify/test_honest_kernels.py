"""Honest kernels pass, however they order and round; what is less than honest arithmetic does not."""

from __future__ import annotations

from pathlib import Path

import kernels as k
import pytest
from spak.model.ir import Unit
from support import MATMUL, REDUCE, RMSNORM, SOFTMAX, TRANSPOSE, VECTOR_ADD, judged, unit

SHAPES = ({"M": 9, "N": 7, "K": 1024}, {"M": 33, "N": 65, "K": 512})
BF16 = unit(
    "matmul_bf16",
    ["a: bf16[M, K]", "b: bf16[K, N]"],
    ["c: bf16[M, N]"],
    "a @ b",
    flops="2 * M * N * K",
    linear_in=("a", "b"),
    require=("M >= 1",),
    shapes=SHAPES,
)
DEEP = MATMUL.model_copy(update={"shapes": SHAPES})
LONG = REDUCE.model_copy(update={"shapes": ({"N": 1_000_003},)})

HONEST: dict[str, tuple[Unit, str]] = {
    "add": (VECTOR_ADD, k.ADD),
    "matmul": (DEEP, k.MATMUL_PLAIN),
    "matmul, blocked and fused": (DEEP, k.MATMUL_BLOCKED),
    "matmul, backwards": (DEEP, k.MATMUL_BACKWARDS),
    "matmul, bf16": (BF16, k.MATMUL_BF16),
    "softmax": (SOFTMAX, k.SOFTMAX),
    "softmax, online": (SOFTMAX, k.SOFTMAX_ONLINE),
    "rmsnorm": (RMSNORM, k.RMSNORM),
    "sum": (LONG, k.REDUCE),
    "sum, backwards": (LONG, k.REDUCE_BACKWARDS),
    "transpose": (TRANSPOSE, k.TRANSPOSE),
}


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_kernel_passes(name: str, tmp_path: Path) -> None:
    spec, source = HONEST[name]
    evidence = judged(tmp_path, spec, source)
    assert evidence.diagnostics == ()
    assert evidence.verdict == "passed"
    assert sum(c.name.startswith("round ") for c in evidence.checks) >= 20


@pytest.mark.parametrize("flags", [("-O3", "-ffp-contract=fast"), ("-O3", "-fassociative-math", "-fno-signed-zeros")])
def test_an_optimising_compiler_is_no_cheat(flags: tuple[str, ...], tmp_path: Path) -> None:
    """Contraction into fused multiply-adds, and vectorised sums in another order."""
    evidence = judged(tmp_path, DEEP, k.MATMUL_PLAIN, flags=flags)
    assert evidence.diagnostics == ()


LESS: dict[str, tuple[Unit, str, str]] = {
    "bf16 between blocks": (BF16, k.MATMUL_BF16_INTERMEDIATE, "SPK623"),
    "tf32 operands": (
        DEEP,
        k.changed(
            k.changed(k.MATMUL_PLAIN, "a[i * K + k] * b", "tf(a[i * K + k]) * tf(b").replace(
                "[k * N + j];", "[k * N + j]);"
            ),
            'extern "C"',
            "static float tf(float f) { uint32_t w; std::memcpy(&w, &f, 4); w = (w + 0x1000) & 0xffffe000; "
            'std::memcpy(&f, &w, 4); return f; } extern "C"',
        ),
        "SPK623",
    ),
    "an exponential to three digits": (
        SOFTMAX,
        k.SOFTMAX.replace("std::exp(x[i * N + j] - top)", "float(_Float16(std::exp(x[i * N + j] - top)))"),
        "SPK623",
    ),
    "small terms skipped": (
        MATMUL,
        k.changed(k.MATMUL_PLAIN, "s += a", "if (std::fabs(b[k * N + j]) > 1e-3f) s += a"),
        "SPK6",
    ),
    "denormals flushed": (VECTOR_ADD, k.changed(k.ADD, "a[i] + b[i]", "a[i] + b[i] + 1e-30f - 1e-30f"), "SPK6"),
}


@pytest.mark.parametrize("name", LESS)
def test_less_than_the_spec_asks_fails(name: str, tmp_path: Path) -> None:
    spec, source, code = LESS[name]
    evidence = judged(tmp_path, spec, source)
    assert evidence.verdict == "failed"
    assert evidence.diagnostics[0]["code"].startswith(code), evidence.diagnostics[0]


def test_rtol_only_tightens(tmp_path: Path) -> None:
    """Blocked sums pass by the derived bound; a relative tolerance below their rounding rejects them, a loose one
    changes nothing.
    """
    for rtol, verdict in ((1e-9, "failed"), (0.5, "failed"), (None, "passed")):
        source = k.MATMUL_PLAIN if rtol != 0.5 else k.changed(k.MATMUL_PLAIN, "alpha * s", "alpha * s * 1.01f")
        spec = unit(
            "matmul", ["a: f32[M, K]", "b: f32[K, N]", "alpha: f32 = 1.0"], ["c: f32[M, N]"], "alpha * (a @ b)",
            require=("M >= 1",), rtol=rtol, flops="2 * M * N * K",
        )  # fmt: skip
        assert judged(tmp_path / str(rtol), spec, source).verdict == verdict
