"""Each planted defect is rejected, and its cause named."""

from __future__ import annotations

from pathlib import Path

import kernels as k
import pytest
from kernels import changed
from spak.model.ir import Unit
from support import MATMUL, REDUCE, SOFTMAX, TRANSPOSE, VECTOR_ADD, judged

MM = k.MATMUL_PLAIN
F16 = changed(
    changed(MM, "float s = 0", "_Float16 s = 0"),
    "s += a[i * K + k] * b[k * N + j]",
    "s = (_Float16)((float)s + a[i * K + k] * b[k * N + j])",
)
TAIL = changed(k.ADD, "i < n", "i < n / 8 * 8")
K_TAIL = changed(MM, "k < K", "k < K / 8 * 8")
SWAPPED = changed(k.TRANSPOSE, "y[j * M + i]", "y[i * N + j]")
OPERAND = changed(MM, "b[k * N + j]", "b[j * K + k]")
STATIC = "static float seen[1 << 20]; static ll had = 0;"

CASES: dict[str, tuple[Unit, str, str, str]] = {
    "wrong bound": (MATMUL, changed(MM, "k < K;", "k < K - 1;"), "SPK622", "the last one is left out"),
    "wrong bound of the result": (VECTOR_ADD, changed(k.ADD, "i < n;", "i < n - 1;"), "SPK622", "never written"),
    "wrong stride": (
        MATMUL,
        changed(MM, "a[i * K + k]", "a[(i * N + k) % (M * K)]"),
        "SPK621",
        "a is read with the wrong stride",
    ),
    "wrong stride of the result": (
        MATMUL,
        changed(MM, "c[i * N + j] =", "if (i * (N - 1) + j < M * N) c[i * (N - 1) + j] ="),
        "SPK621",
        "c is written with the wrong stride",
    ),
    "skipped tail": (VECTOR_ADD, TAIL, "SPK616", "beyond the last multiple of 8"),
    "skipped tail of a sum": (MATMUL, K_TAIL, "SPK616", "along K"),
    "fp16 accumulator": (MATMUL, F16, "SPK623", "f16"),
    "swapped axes": (TRANSPOSE, SWAPPED, "SPK620", "swapped"),
    "swapped axes of an operand": (MATMUL, OPERAND, "SPK620", "b is read with its axes swapped"),
    "write outside": (VECTOR_ADD, changed(k.ADD, "i < n", "i < (n + 7) / 8 * 8"), "SPK614", "after the end of c"),
    "write before": (VECTOR_ADD, changed(k.ADD, "for", "c[-1] = 0; for"), "SPK614", "before the beginning of c"),
    "read outside": (
        VECTOR_ADD,
        changed(k.ADD, "{ for", "{ volatile float t = b[n + 64]; (void)t; for"),
        "SPK611",
        "reads past the end of b",
    ),
    "far outside": (VECTOR_ADD, changed(k.ADD, "c[i] =", "c[i * 1000000000] ="), "SPK611", "far outside"),
    "uninitialised accumulator": (
        MATMUL,
        changed(changed(MM, "float s = 0", "float s = c[i * N + j]"), "alpha * s", "s"),
        "SPK619",
        "c is accumulated into",
    ),
    "uninitialised workspace": (
        REDUCE,
        changed(
            changed(k.REDUCE, "float lane[16] = {}", "float* lane = (float*)std::malloc(1 << 20)"),
            "s[0] = total;",
            "s[0] = total; std::free(lane);",
        ),
        "SPK617",
        "second run",
    ),
    "writes to an input": (
        SOFTMAX,
        changed(
            k.SOFTMAX,
            "sum += std::exp(x[i * N + j] - top)",
            "sum += ((float*)x)[i * N + j] = std::exp(x[i * N + j] - top)",
        ),
        "SPK615",
        "of x changed",
    ),
    "hang": (
        VECTOR_ADD,
        changed(k.ADD, "for (ll i = 0; i < n; i++)", "for (volatile unsigned char i = 0; i < n; i++)"),
        "SPK612",
        "did not return",
    ),
    "abort": (VECTOR_ADD, changed(k.ADD, "{ for", "{ if (n > 9) std::abort(); for"), "SPK611", "SIGABRT"),
    "no-op": (
        MATMUL,
        'extern "C" void kernel(const float*, const float*, float, float*, ll, ll, ll) {}',
        "SPK616",
        "all",
    ),
    "scalar ignored": (MATMUL, changed(MM, "alpha * s", "s"), "SPK610", "alpha has no effect"),
    "drops NaN": (SOFTMAX, changed(k.SOFTMAX, "nan ? NAN :", "nan ? 0.0f :"), "SPK625", "NaN"),
    "memoised": (
        VECTOR_ADD,
        changed(k.ADD, 'extern "C"', STATIC + 'extern "C"')
        .replace("{ for", "{ if (had == n) { std::memcpy(c, seen, 4 * n); return; } had = n; for")
        .replace("c[i] = a", "seen[i] = c[i] = a"),
        "SPK628",
        "it remembers",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cause_is_named(name: str, tmp_path: Path) -> None:
    spec, source, code, words = CASES[name]
    evidence = judged(tmp_path, spec, source, call_seconds=0.2 if name == "hang" else 20.0)
    assert evidence.verdict == "failed"
    first = evidence.diagnostics[0]
    assert (first["code"], words in first["message"]) == (code, True), first
    assert first["hint"]
    assert evidence.smallest_failure is not None
    assert evidence.smallest_failure["code"] == code
    assert any(c.verdict == "failed" and c.replay for c in evidence.checks)
