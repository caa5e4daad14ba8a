"""Edits of the shipped CUDA replies, each of which makes it wrong: barriers dropped, indices shifted, strides swapped, tails
skipped. Knows no compiler stage.

A barrier that only grid-stride loops of more than 2^16 blocks need is not among those dropped: no small run can tell.

`python tests/e2e/mutants.py [UNIT[.VARIANT] ...]`, run in the repository, judges each as a build would (check, compile, verify
on `sim`), says what catches it, and prints how many of how many were caught.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BARRIER = "__syncthreads();"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` occurs in the reply's device code; its `which`-th occurrence (from 0) becomes `new`."""

    reply: str
    what: str
    old: str
    new: str
    which: int = 0

    def __str__(self) -> str:
        return f"{self.reply}: {self.what}"

    def apply(self, source: str) -> str:
        """The wrong source. Raises ValueError where it is not what the mutant was written for."""
        parts = source.split(self.old)
        if len(parts) < self.which + 2:
            raise ValueError(f"{self}: {self.old!r} occurs {len(parts) - 1} times")
        head, tail = self.old.join(parts[: self.which + 1]), self.old.join(parts[self.which + 1 :])
        return f"{head}{self.new}{tail}"


def _of(reply: str, *edits: tuple[str, str, str] | tuple[str, str, str, int]) -> tuple[Mutant, ...]:
    return tuple(Mutant(reply, *edit) for edit in edits)


_TILED = (
    ("drop the barrier of a slice", BARRIER, "", 0),
    ("shift the index of a slice", "a_slice[now][a_k + s][a_row] =", "a_slice[now][a_k + s][a_row ^ 1] ="),
    ("swap the stride of b", "b_next += BK * N;", "b_next += BK * K;"),
    ("skip the tail of K", "left > 0; left -= BK", "left >= BK; left -= BK"),
    ("let the tail of a row overrun", "clamp4(K - a_k) : 0", "4 : 0"),
)

MUTANTS: tuple[Mutant, ...] = (
    *_of(
        "fmha.naive",
        ("drop the barrier before the scores", BARRIER, "", 0),
        ("drop the barrier after the weights", BARRIER, "", 1),
        ("drop the barrier before the next weights", BARRIER, "", 2),
        ("shift the index of v", "(j0 + s) * D + t]", "(j0 + s) * D + t + 1]"),
        ("swap the stride of the heads", "i / N * N * D", "i / N * N * N"),
        ("skip the tail of the keys", "at_most(THREADS, N - j0)", "at_most(THREADS, N - j0 - 1)"),
    ),
    *_of(
        "fmha.online",
        ("drop the barrier before the keys", BARRIER, "", 0),
        ("drop the barrier after the keys", BARRIER, "", 1),
        ("drop the barrier before the values", BARRIER, "", 2),
        ("drop the barrier after the values", BARRIER, "", 3),
        ("shift the index of a key", "tile[j * stride + d], s)", "tile[j * stride + d + 1], s)"),
        ("swap the stride of a tile", "tile[row * (depth + 1) + e % depth]", "tile[row * depth + e % depth]"),
        ("skip the tail of the keys", "at_most(KEYS, N - j0)", "at_most(KEYS, N - j0 - 1)"),
    ),
    *_of(
        "matmul.naive",
        ("shift the index of a", "a[i * K + k]", "a[i * K + k + 1]"),
        ("shift the index of the result", "c[i * N + j] = sum", "c[i * N + j + 1] = sum"),
        ("swap the stride of a", "a[i * K + k]", "a[i * M + k]"),
        ("swap the stride of b", "b[k * N + j]", "b[k * K + j]"),
        ("skip the tail of K", "k < K", "k < K - 1"),
        ("skip the tail of M", "i < M", "i < M - 1"),
    ),
    *_of("matmul.tiled", *_TILED),
    *_of(
        "matmul_bf16.naive",
        ("shift the index of a", "a[i * K + k]", "a[i * K + k + 1]"),
        ("shift the index of the result", "c[i * N + j] =", "c[i * N + j + 1] ="),
        ("swap the stride of a", "a[i * K + k]", "a[i * M + k]"),
        ("swap the stride of b", "b[k * N + j]", "b[k * K + j]"),
        ("skip the tail of K", "k < K", "k < K - 1"),
    ),
    *_of("matmul_bf16.tiled", *_TILED),
    *_of(
        "reduce_sum.compensated",
        ("drop the barrier of the tree", BARRIER, ""),
        ("shift the index of the tree", "sums[t + half]", "sums[t + half + 1]"),
        ("swap the stride of the parts", "partial[parts + blockIdx.x]", "partial[2 * blockIdx.x + 1]"),
        ("skip the tail", "for (; i < N; ++i) {\n    p0", "for (; i + 1 < N; ++i) {\n    p0"),
        ("skip the last part", "i < parts; i += THREADS", "i < parts - 1; i += THREADS"),
        ("halve the step of the grid", "i += parts * THREADS * 4", "i += parts * THREADS * 2"),
    ),
    *_of(
        "rmsnorm.rowwise",
        ("let each warp take its own sum", "spak::block_sum(sum)", "spak::warp_sum(sum)"),
        ("shift the index of the weight", "weight + j)", "weight + j + 1)"),
        ("swap the stride of the rows", "x + i * N", "x + i * M"),
        ("skip the tail of a row", "j < N; j += THREADS * WIDTH", "j < N - 1; j += THREADS * WIDTH", 1),
        ("overrun by rows that are not aligned", "if (N % 4 == 0 && ", "if ("),
    ),
    *_of(
        "saxpy.flat",
        ("shift the index of y", "spak::load<4>(y + i)", "spak::load<4>(y + i + 1)"),
        ("shift the index of the tail", "fmaf(alpha, x[j], y[j])", "fmaf(alpha, x[j + 1], y[j])"),
        ("swap the stride of the blocks", "blockIdx.x) * 1024", "blockIdx.x) * 1028"),
        ("skip the tail", "j < stop", "j + 1 < stop"),
        ("overrun the end", "wide && i + 4 <= N", "wide && i < N"),
    ),
    *_of(
        "softmax.rowwise",
        ("let each warp take its own maximum", "spak::block_max(best, LOWEST)", "spak::warp_max(best)", 0),
        ("let each warp take its own sum", "spak::block_sum(sum)", "spak::warp_sum(sum)", 1),
        ("shift the index of the result", "out[j] = v[k] / sum", "out[j + 1] = v[k] / sum"),
        ("swap the stride of the rows", "x + i * N", "x + i * M", 0),
        ("skip the tail of a row", "j < length ? row[j]", "j < length - 1 ? row[j]"),
        ("read what another thread cached", "cache[j] - best", "cache[j ^ 1] - best"),
    ),
    *_of(
        "transpose.tiled",
        ("drop the barrier before the tile is read", BARRIER, "", 0),
        ("shift the index of the tile", "= tile[tx][r]", "= tile[tx][r + 1]"),
        ("swap the stride of the result", "(j0 + r) * M + i", "(j0 + r) * N + i"),
        ("skip the tail", "i0 + r < M && j < N", "i0 + r < M && j < N - 1"),
        ("overrun the end", "j0 + r < N && i < M", "j0 + r < N"),
    ),
    *_of(
        "vector_add.flat",
        ("shift the index of b", "spak::load<4>(b + i)", "spak::load<4>(b + i + 4)"),
        ("shift the index of the tail", "a[j] + b[j]", "a[j] + b[j + 1]"),
        ("swap the stride of the blocks", "blockIdx.x) * 1024", "blockIdx.x) * 1028"),
        ("skip the tail", "j < stop", "j + 1 < stop"),
        ("overrun the end", "wide && i + 4 <= N", "wide && i < N"),
    ),
)  # fmt: skip


def main(names: list[str]) -> int:
    """Judge the mutants of the named replies, or all; the number of those that nothing caught."""
    import built
    from judging import judge
    from spak.pipeline.execution.session import Session

    chosen = [m for m in MUTANTS if not names or m.reply in names or m.reply.partition(".")[0] in names]
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = built.copy(Path(folder) / "tree")
        for mutant in chosen:
            unit, _, variant = mutant.reply.partition(".")
            file = tree.root / "generated" / unit / variant / "cuda" / "kernel.cu"
            source = file.read_text()
            file.write_text(mutant.apply(source))
            session = Session(tree.root)
            session.open()
            try:
                answer = judge(session, f"{mutant.reply}@sim")
            finally:
                session.close()
                file.write_text(source)
            said = answer["said"]
            caught += bool(answer["stage"])
            first = said[0][:100] if isinstance(said, list) and said else ""
            print(json.dumps({"mutant": str(mutant), "stage": answer["stage"], "said": first}), flush=True)
    print(f"{caught} of {len(chosen)} mutants of {len({m.reply for m in chosen})} replies caught")
    return len(chosen) - caught


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
