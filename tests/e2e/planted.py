"""Ten defects to plant in shipped replies, each with the words that its rejection must say. Knows no compiler stage.

A defect is a list of exact replacements in the device code of one reply. Every `old` must occur exactly once, so that
an edited reply cannot make a defect silently stop being one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """`words` must all occur, whatever their case, in the diagnostics of the stage that rejects the changed source."""

    name: str
    unit: str
    variant: str
    dialect: str
    target: str
    edits: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def __str__(self) -> str:
        return self.name

    def plant(self, source: str) -> str:
        """The source with the defect in it. Raises ValueError where an edit does not apply exactly once."""
        for old, new in self.edits:
            found = source.count(old)
            if found != 1:
                reply = f"{self.unit}.{self.variant}.{self.dialect}"
                raise ValueError(f"{self.name}: {old!r} occurs {found} times in {reply}")
            source = source.replace(old, new)
        return source


DEFECTS: tuple[Defect, ...] = (
    Defect(
        name="wrong-bound",
        unit="vector_add",
        variant="flat",
        dialect="cpp",
        target="cpu",
        edits=(("i < N; ++i", "i < N - 1; ++i"),),
        words=("bound is wrong",),
    ),
    Defect(
        name="dropped-barrier",
        unit="transpose",
        variant="tiled",
        dialect="cuda",
        target="sim",
        edits=(("      __syncthreads();\n      const long long i = i0 + tx;", "      const long long i = i0 + tx;"),),
        words=("barrier", "spk540", "spk618"),
    ),
    Defect(
        name="wrong-stride",
        unit="matmul",
        variant="naive",
        dialect="cuda",
        target="sim",
        edits=(("a[i * K + k]", "a[i * N + k]"),),
        words=("a is read with the wrong stride",),
    ),
    Defect(
        name="skipped-tail",
        unit="saxpy",
        variant="flat",
        dialect="cpp",
        target="cpu",
        edits=(("  for (; i < N; ++i) {\n    z[i] = std::fma(alpha, x[i], y[i]);\n  }\n", ""),),
        words=("tail is skipped",),
    ),
    Defect(
        name="fp16-accumulator",
        unit="matmul",
        variant="naive",
        dialect="cuda",
        target="sim",
        edits=(
            ("#include <spak/cuda/device.h>", "#include <spak/cuda/half.h>"),
            ("float sum = 0.0f;", "__half sum = __float2half(0.0f);"),
            (
                "sum = fmaf(a[i * K + k], b[k * N + j], sum);",
                "sum = __float2half(fmaf(a[i * K + k], b[k * N + j], __half2float(sum)));",
            ),
            ("c[i * N + j] = sum;", "c[i * N + j] = __half2float(sum);"),
        ),
        words=("accumulator", "f16"),
    ),
    Defect(
        name="swapped-axes",
        unit="transpose",
        variant="tiled",
        dialect="cuda",
        target="sim",
        edits=(("b[(j0 + r) * M + i] = tile[tx][r];", "b[i * N + j0 + r] = tile[tx][r];"),),
        words=("axes swapped",),
    ),
    Defect(
        name="write-past-the-end",
        unit="vector_add",
        variant="flat",
        dialect="cuda",
        target="sim",
        edits=(("if (wide && i + 4 <= N) {", "if (wide) {"),),
        words=("after the end of c", "spk530"),
    ),
    Defect(
        name="uninitialised-accumulator",
        unit="matmul",
        variant="naive",
        dialect="cpp",
        target="cpu",
        edits=(("row[j] = a[i * K] * b[j];", "row[j] += a[i * K] * b[j];"),),
        words=("without being initialised",),
    ),
    Defect(
        name="overflow-at-large-size",
        unit="matmul",
        variant="naive",
        dialect="cuda",
        target="sim",
        edits=(("c[i * N + j] = sum;", "c[static_cast<int>(i) * static_cast<int>(N) + static_cast<int>(j)] = sum;"),),
        words=("too much", "int"),
    ),
    Defect(
        name="write-to-an-input",
        unit="rmsnorm",
        variant="rowwise",
        dialect="cpp",
        target="cpu",
        edits=(
            (
                "out[j] = row[j] / rms * weight[j];",
                "const_cast<float*>(row)[j] = row[j] / rms;\n      out[j] = row[j] * weight[j];",
            ),
        ),
        words=("writes to an input",),
    ),
)
