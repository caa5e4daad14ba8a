"""wgmma against the PTX ISA: fragments of every N, canonical layouts of every swizzle and majorness, formats, order."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
import tensor_reference as ptx
from test_tensor_fragments import random_bits

KERNELS = Path(__file__).parent / "kernels"
SWIZZLES = [0, 32, 64, 128]
IMAGE = 128 * 1024
B_AT = 64 * 1024


@pytest.fixture(scope="module")
def wgmma() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "tensor_wgmma.cu")


def strides(kind: str, rows: int, mn_major: bool, swizzle: int, spread: int) -> tuple[int, int]:
    """(leading, stride) of a tile whose pieces lie `spread` patterns apart."""
    if mn_major:
        if swizzle:
            atoms = -(-rows // (swizzle // 2))
            return 8 * swizzle * spread, 8 * swizzle * spread * atoms
        return 128 * spread * -(-rows // 8), 128 * spread
    if swizzle:
        return 0, 8 * swizzle * spread
    return 128 * spread * -(-rows // 8), 128 * spread


class Operand:
    """Bit patterns [row, k] laid out in shared memory at `at`."""

    def __init__(
        self, kind: str, bits: Any, at: int, mn_major: bool = False, swizzle: int = 0, spread: int = 1
    ) -> None:
        self.kind, self.bits, self.at, self.swizzle = kind, np.asarray(bits), at, swizzle
        self.leading, self.stride = strides(kind, len(self.bits), mn_major, swizzle, spread)
        places = ptx.canonical(kind, len(self.bits), mn_major, swizzle, self.leading, self.stride)
        self.places = ptx.swizzled(at + places, swizzle)

    def spec(self) -> list[int]:
        return [self.at, self.leading, self.stride, SWIZZLES.index(self.swizzle)]

    def write(self, image: Any) -> None:
        width = {8: np.uint8, 16: np.uint16, 32: np.uint32}[ptx.BITS[self.kind]]
        view = image.view(width)
        assert self.places.max() < len(image) and len(np.unique(self.places)) == self.places.size
        view[self.places // view.itemsize] = self.bits.astype(width)


def run(kernels: sim_harness.Kernels, name: str, a: Any, b: Operand, d: Any, *options: int, accumulate: bool = True,
        fragments: Any = None, **env: Any) -> Any:  # fmt: skip
    """D, 64 x n, of operands in shared memory (`a` None: in registers)."""
    image = np.full(IMAGE, 0xA5, np.uint8)
    b.write(image)
    if a is not None:
        a.write(image)
    n = len(b.bits)
    places = ptx.wgmma_d(n)
    registers = np.ascontiguousarray(d[places[..., 0], places[..., 1]])
    spec = np.array((a.spec() if a is not None else [0] * 4) + b.spec(), np.int32)
    kernels.run(
        name, 1, 128, image, 0 if fragments is None else fragments, IMAGE // 4, spec, registers, n, int(accumulate), *options,
        smem=IMAGE, **env,
    )  # fmt: skip
    out = np.zeros_like(d)
    out[places[..., 0], places[..., 1]] = registers
    return out


def expected(kind: str, a: Any, b: Any, c: Any) -> Any:
    exact = ptx.values(kind, a).astype(np.longdouble) @ ptx.values(kind, b).astype(np.longdouble).T
    if kind in ("s8", "u8"):
        return (c.astype(np.int64) + exact.astype(np.int64)).astype(np.uint32).view(np.int32)
    return (c + exact).astype(np.float32)


def random_case(kind: str, n: int, seed: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    depth = 256 // ptx.BITS[kind]
    c = rng.integers(-(2**31), 2**31, (64, n), dtype=np.int64).astype(np.int32)
    if kind not in ("s8", "u8"):
        c = rng.standard_normal((64, n)).astype(np.float32)
    return random_bits(kind, (64, depth), rng), random_bits(kind, (n, depth), rng), c


@pytest.mark.parametrize("n", range(8, 257, 8))
def test_every_width(wgmma: sim_harness.Kernels, n: int) -> None:
    a, b, c = random_case("bf16", n, n)
    left, right = Operand("bf16", a, 0, swizzle=128), Operand("bf16", b, B_AT, swizzle=128)
    np.testing.assert_array_equal(run(wgmma, "wgmma_bf16_any", left, right, c), expected("bf16", a, b, c))
    fragments = ptx.packed(a, "bf16", ptx.wgmma_a("bf16"))
    out = run(wgmma, "wgmma_bf16_any", None, right, c, fragments=fragments, accumulate=False)
    np.testing.assert_array_equal(out, expected("bf16", a, b, np.zeros_like(c)))


@pytest.mark.parametrize("n", [8, 64, 96, 256])
@pytest.mark.parametrize("swizzle", SWIZZLES)
@pytest.mark.parametrize(("ta", "tb"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_every_layout(wgmma: sim_harness.Kernels, n: int, swizzle: int, ta: int, tb: int) -> None:
    """Both operands in each swizzle, each majorness; dense tiles and ones with gaps between their pieces."""
    for spread in (1, 2):
        a, b, c = random_case("f16", n, n + swizzle + spread)
        spread_b = 1 if n == 256 else spread
        left = Operand("f16", a, 1024, bool(ta), swizzle, spread)
        right = Operand("f16", b, B_AT, bool(tb), SWIZZLES[(SWIZZLES.index(swizzle) + spread) % 4], spread_b)
        np.testing.assert_array_equal(
            run(wgmma, "wgmma_f16_transposed", left, right, c, ta, tb), expected("f16", a, b, c)
        )
    if not ta:
        fragments = ptx.packed(a, "f16", ptx.wgmma_a("f16"))
        out = run(wgmma, "wgmma_f16_transposed", None, right, c, 0, tb, fragments=fragments)
        np.testing.assert_array_equal(out, expected("f16", a, b, c))


@pytest.mark.parametrize("kind", ["tf32", "e4m3", "e5m2", "s8", "u8"])
@pytest.mark.parametrize("n", [8, 24, 112, 256])
def test_every_format(wgmma: sim_harness.Kernels, kind: str, n: int) -> None:
    for swizzle in SWIZZLES:
        a, b, c = random_case(kind, n, n + swizzle)
        left, right = Operand(kind, a, 2048, swizzle=swizzle), Operand(kind, b, B_AT, swizzle=swizzle)
        np.testing.assert_array_equal(run(wgmma, f"wgmma_{kind}_some", left, right, c), expected(kind, a, b, c))
    fragments = ptx.packed(a, kind, ptx.wgmma_a(kind))
    out = run(wgmma, f"wgmma_{kind}_some", None, right, c, fragments=fragments)
    np.testing.assert_array_equal(out, expected(kind, a, b, c))


@pytest.mark.parametrize("completion", ["eager", "lazy", "random"])
def test_a_chain_and_two_groups(wgmma: sim_harness.Kernels, completion: str) -> None:
    """Steps along K advance the descriptor inside a swizzled row; groups complete one after the other."""
    rng = np.random.default_rng(3)
    a, b = random_bits("bf16", (64, 64), rng), random_bits("bf16", (64, 64), rng)
    image = np.zeros(16384, np.uint8)
    row, column = np.arange(64)[:, None], np.arange(64)[None, :]
    for at, matrix in ((0, a), (8192, b)):
        image.view(np.uint16)[ptx.swizzled(at + row * 128 + column * 2, 128) // 2] = matrix.astype(np.uint16)
    registers = [np.zeros((128, 32), np.float32) for _ in range(2)]
    wgmma.run("wgmma_chain", 1, 128, image, 4096, *registers, smem=16384, completion=completion, seed=5)
    places = ptx.wgmma_d(64)
    for out, steps in zip(registers, ([0, 2], [0, 1, 2, 3]), strict=True):
        total = np.zeros((64, 64), np.float32)
        for k in steps:
            total = expected("bf16", a[:, 16 * k : 16 * k + 16], b[:, 16 * k : 16 * k + 16], total)
        np.testing.assert_array_equal(out, total[places[..., 0], places[..., 1]])


def test_what_a_model_does_at_one_go_is_not_interrupted(wgmma: sim_harness.Kernels) -> None:
    """The watch that lets others run where a thread loops is called all the time: it finds the thread in a model again and
    again, and must not enter the model a second time from there."""
    groups, steps, rng = 4, 300, np.random.default_rng(3)
    a, b = (rng.integers(-3, 4, (rows, 64)).astype(np.float32) for rows in (64 * groups, 256))
    row, column = np.arange(64 * groups + 256)[:, None], np.arange(64)[None, :]
    image = np.zeros(len(row) * 128, np.uint8)
    places = ptx.swizzled(row * 128 + column * 2, 128) // 2
    image.view(np.uint16)[places] = (np.concatenate([a, b]).view(np.uint32) >> 16).astype(np.uint16)
    registers = np.zeros((groups, 128, 128), np.float32)

    def product(steps: int) -> None:
        wgmma.run("wgmma_groups", 1, 128 * groups, image, image.size // 4, registers, steps, smem=image.size, threads=1)

    product(1)  # from now on somebody takes the signal
    me, over = threading.get_ident(), threading.Event()

    def look() -> None:
        while not over.is_set():
            signal.pthread_kill(me, signal.SIGRTMIN + 7)
            time.sleep(2e-5)

    watch = threading.Thread(target=look)
    watch.start()
    try:
        product(steps)
    finally:
        over.set()
        watch.join()
    places = ptx.wgmma_d(256)
    for group, out in enumerate(registers):
        wanted = steps * (a[64 * group : 64 * group + 64] @ b.T)
        np.testing.assert_array_equal(out, wanted[places[..., 0], places[..., 1]])
