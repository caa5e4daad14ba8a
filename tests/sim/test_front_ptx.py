"""Inline PTX: every form is parsed, calls its model, and gives what the PTX ISA says."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness
from spak.errors import SpakError
from spak.sim.ptx import TABLE
from spak.sim.ptx.forms import HINTS
from spak.sim.source import rewrite


def f32(x: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", x))[0])


def f16(*halves: float) -> int:
    return int(sum(int(np.float16(x).view(np.uint16)) << 16 * i for i, x in enumerate(halves)))


M = 0xFFFFFFFF
# PTX with $d, $a, $b, $c for registers; constraint letters of d and the inputs; inputs as bits; the result's bits.
SCALARS: list[tuple[str, str, tuple[int, ...], int]] = [
    ("mov.u32 $d, 5;", "r", (), 5),
    ("mov.b32 $d, 0f3F800000;", "r", (), f32(1)),
    ("mov.u32 $d, 0b101;", "r", (), 5),
    ("mov.u32 $d, 123 + (2 + 5) * 7 %% 10;", "r", (), 132),
    ("mov.u32 $d, ~7 & 0xFF;", "r", (), 0xF8),
    ("mov.u32 $d, WARP_SZ;", "r", (), 32),
    ("mov.f64 $d, 1e10;", "d", (), 0x4202A05F20000000),
    ("mov.f32 $d, -0.1;", "f", (), f32(-0.1)),
    ("mov.b32 $d, {$a, $b};", "rhh", (0x1234, 0x5678), 0x56781234),
    ("{ .reg .b32 lo, hi; mov.b64 {lo, hi}, $a; mov.b64 $d, {hi, lo}; }", "ll", (0x1122334455667788,), 0x5566778811223344),
    ("{ .reg .b16 lo, hi; mov.b32 {lo, hi}, $a; mov.b32 $d, {hi, lo}; }", "rr", (0x11223344,), 0x33441122),
    ("add.s32 $d, $a, $b;", "rrr", (0x7FFFFFFF, 1), 0x80000000),
    ("sub.u64 $d, $a, $b;", "lll", (0, 1), 2**64 - 1),
    ("mul.lo.u32 $d, $a, $b;", "rrr", (0x10001, 0x10001), 0x20001),
    ("mul.hi.s32 $d, $a, $b;", "rrr", (M, 5), M),
    ("mul.hi.u32 $d, $a, $b;", "rrr", (M, 5), 4),
    ("mul.wide.u32 $d, $a, $b;", "lrr", (M, M), 0xFFFFFFFE00000001),
    ("mul.wide.s32 $d, $a, $b;", "lrr", (M, 2), 2**64 - 2),
    ("add.sat.s32 $d, $a, $b;", "rrr", (0x7FFFFFFF, 1), 0x7FFFFFFF),
    ("sub.sat.s32 $d, $a, $b;", "rrr", (0x80000000, 1), 0x80000000),
    ("add.cc.u32 $d, $a, $b; addc.u32 $d, 0, 0;", "rrr", (M, 1), 1),
    ("addc.cc.u32 $d, $a, $b;", "rrr", (5, 6), 12),  # with what the statement before left
    ("add.cc.u64 $d, $a, $b; addc.cc.u64 $d, $a, $a; addc.u64 $d, 0, 0;", "lll", (2**64 - 1, 1), 1),
    ("sub.cc.u32 $d, $a, $b; subc.cc.u32 $d, $a, 0; subc.u32 $d, 9, 0;", "rrr", (0, 1), 8),
    ("mad.lo.cc.u32 $d, $a, $b, $c; madc.hi.u32 $d, $a, $b, 0;", "rrrr", (M, M, M), M),
    ("mad.hi.cc.u32 $d, $a, $b, $c; addc.u32 $d, 0, 0;", "rrrr", (M, M, 2), 1),
    ("madc.lo.cc.u32 $d, $a, $b, $c;", "rrrr", (3, 4, 5), 18),
    ("mul24.lo.s32 $d, $a, $b;", "rrr", (0x01FFFFFF, 3), M - 2),
    ("mul24.hi.u32 $d, $a, $b;", "rrr", (0xFFFFFF, 0xFFFFFF), 0xFFFFFE00),
    ("mad24.lo.u32 $d, $a, $b, $c;", "rrrr", (0xFF000002, 3, 4), 10),
    ("sad.s32 $d, $a, $b, $c;", "rrrr", (M, 4, 10), 15),
    ("bfind.u32 $d, $a;", "rr", (0x00F00000,), 23),
    ("bfind.s32 $d, $a;", "rr", (M,), M),
    ("bfind.shiftamt.u64 $d, $a;", "rl", (1,), 63),
    ("mad.lo.s32 $d, $a, $b, $c;", "rrrr", (3, 4, 5), 17),
    ("mad.wide.u16 $d, $a, $b, $c;", "rhhr", (0xFFFF, 2, 1), 0x1FFFF),
    ("div.s32 $d, $a, $b;", "rrr", (M - 6, 2), M - 2),
    ("rem.u32 $d, $a, $b;", "rrr", (17, 5), 2),
    ("min.s32 $d, $a, $b;", "rrr", (M, 1), M),
    ("max.u32 $d, $a, $b;", "rrr", (M, 1), M),
    ("neg.s32 $d, $a;", "rr", (5,), M - 4),
    ("abs.s32 $d, $a;", "rr", (M - 4,), 5),
    ("and.b32 $d, $a, $b;", "rrr", (0xF0F0, 0xFF00), 0xF000),
    ("or.b64 $d, $a, 1;", "ll", (2**40,), 2**40 + 1),
    ("xor.b32 $d, $a, $b;", "rrr", (0xF0F0, 0xFF00), 0x0FF0),
    ("not.b32 $d, $a;", "rr", (0,), M),
    ("shl.b32 $d, $a, $b;", "rrr", (1, 40), 0),
    ("shr.u32 $d, $a, 4;", "rr", (0x80000000,), 0x08000000),
    ("shr.s32 $d, $a, 40;", "rr", (0x80000000,), M),
    ("shf.l.wrap.b32 $d, $a, $b, 8;", "rrr", (0x11223344, 0x55667788), 0x66778811),
    ("shf.r.clamp.b32 $d, $a, $b, 99;", "rrr", (1, 2), 2),
    ("popc.b64 $d, $a;", "rl", (2**63 + 7,), 4),
    ("clz.b32 $d, $a;", "rr", (1,), 31),
    ("brev.b32 $d, $a;", "rr", (1,), 0x80000000),
    ("prmt.b32 $d, $a, $b, 0x7531;", "rrr", (0x33221100, 0x77665544), 0x77553311),
    ("prmt.b32 $d, $a, $b, 0x000B;", "rrr", (0x80000000, 0), 0x000000FF),
    ("lop3.b32 $d, $a, $b, $c, 0x96;", "rrrr", (0xFF, 0xF0, 0x3C), 0xFF ^ 0xF0 ^ 0x3C),
    ("lop3.b32 $d, $a, $b, $c, 0xE8;", "rrrr", (0b1100, 0b1010, 0b0110), 0b1110),
    ("bfe.u32 $d, $a, 8, 8;", "rr", (0x12345678,), 0x56),
    ("bfe.s32 $d, $a, 28, 8;", "rr", (0x80000000,), M - 7),
    ("bfi.b32 $d, $a, $b, 8, 8;", "rrr", (0xAB, 0x11111111), 0x1111AB11),
    ("dp4a.s32.s32 $d, $a, $b, $c;", "rrrr", (0xFF01FF01, 0x02020202, 7), 7),
    ("dp4a.u32.s32 $d, $a, $b, $c;", "rrrr", (0x000000FF, 0x000000FF, 0), M - 254),
    ("add.rn.f32 $d, $a, $b;", "fff", (f32(1.5), f32(2.25)), f32(3.75)),
    ("fma.rn.ftz.f32 $d, $a, $b, $c;", "ffff", (f32(2), f32(3), f32(4)), f32(10)),
    ("mul.f64 $d, $a, 0d4000000000000000;", "dd", (struct.unpack("<Q", struct.pack("<d", 1.5))[0],), 0x4008000000000000),
    ("min.f32 $d, $a, $b;", "fff", (f32(math.nan), f32(2)), f32(2)),
    ("max.NaN.f32 $d, $a, $b;", "fff", (f32(math.nan), f32(2)), 0x7FC00000),
    ("add.sat.f32 $d, $a, $b;", "fff", (f32(1), f32(2)), f32(1)),
    ("ex2.approx.ftz.f32 $d, $a;", "ff", (f32(3),), f32(8)),
    ("lg2.approx.f32 $d, $a;", "ff", (f32(8),), f32(3)),
    ("rcp.approx.ftz.f32 $d, $a;", "ff", (f32(4),), f32(0.25)),
    ("rsqrt.approx.f32 $d, $a;", "ff", (f32(4),), f32(0.5)),
    ("sqrt.rn.f32 $d, $a;", "ff", (f32(9),), f32(3)),
    ("tanh.approx.f32 $d, $a;", "ff", (f32(0),), f32(0)),
    ("neg.f32 $d, $a;", "ff", (f32(2),), f32(-2)),
    ("abs.f32 $d, $a;", "ff", (f32(-2),), f32(2)),
    ("cvt.rn.f16x2.f32 $d, $a, $b;", "rff", (f32(2), f32(1)), f16(1, 2)),
    ("cvt.rn.relu.f16x2.f32 $d, $a, $b;", "rff", (f32(-2), f32(1)), f16(1, 0)),
    ("cvt.rn.bf16x2.f32 $d, $a, $b;", "rff", (0x40008000, 0x3F808001), 0x40003F81),
    ("cvt.rn.satfinite.e4m3x2.f32 $d, $a, $b;", "hff", (f32(-1), f32(1000)), 0xB87E),
    ("cvt.rn.satfinite.e5m2x2.f32 $d, $a, $b;", "hff", (f32(2**-16), f32(1.125)), 0x013C),
    ("cvt.rn.satfinite.relu.e4m3x2.f16x2 $d, $a;", "hr", (f16(1.9375, -3),), 0x0040),
    ("cvt.rn.f16x2.e4m3x2 $d, $a;", "rh", (0xB87E,), f16(448, -1)),
    ("cvt.rn.f16x2.e5m2x2 $d, $a;", "rh", (0x013C,), f16(1, 2**-16)),
    ("cvt.rna.tf32.f32 $d, $a;", "rf", (0x3F801000,), 0x3F802000),
    ("cvt.f32.f16 $d, $a;", "fh", (0x3C00,), f32(1)),
    ("cvt.rn.f16.f32 $d, $a;", "hf", (f32(0.1),), 0x2E66),
    ("cvt.rzi.s32.f32 $d, $a;", "rf", (f32(-2.7),), M - 1),
    ("cvt.rni.s32.f32 $d, $a;", "rf", (f32(2.5),), 2),
    ("cvt.rmi.u32.f32 $d, $a;", "rf", (f32(-5.5),), 0),
    ("cvt.rzi.s32.f32 $d, $a;", "rf", (f32(1e20),), 0x7FFFFFFF),
    ("cvt.rzi.s32.f32 $d, $a;", "rf", (f32(math.nan),), 0),
    ("cvt.rzi.u64.f32 $d, $a;", "lf", (f32(math.nan),), 2**63),
    ("cvt.rn.f32.s32 $d, $a;", "fr", (M,), f32(-1)),
    ("cvt.s64.s32 $d, $a;", "lr", (M,), 2**64 - 1),
    ("cvt.u64.u32 $d, $a;", "lr", (M,), M),
    ("cvt.u32.u64 $d, $a;", "rl", (2**40 + 3,), 3),
    ("cvt.s32.s8 $d, $a;", "rr", (0x80,), M - 127),
    ("cvt.sat.u8.s32 $d, $a;", "rr", (300,), 255),
    ("cvt.sat.s8.s32 $d, $a;", "rr", (M - 300,), M - 127),
    ("add.f16x2 $d, $a, $b;", "rrr", (f16(1, 2), f16(3, 4)), f16(4, 6)),
    ("fma.rn.f16x2 $d, $a, $b, $c;", "rrrr", (f16(2, 3), f16(2, 2), f16(1, 1)), f16(5, 7)),
    ("max.bf16x2 $d, $a, $b;", "rrr", (0x3F804000, 0x40003F80), 0x40004000),
    ("{ .reg .pred p; setp.lt.s32 p, $a, $b; selp.b32 $d, 1, 2, p; }", "rrr", (M, 0), 1),
    ("{ .reg .pred p; setp.lt.u32 p, $a, $b; selp.b32 $d, 1, 2, p; }", "rrr", (M, 0), 2),
    ("{ .reg .pred p, q; setp.eq.s32 p|q, $a, 3; selp.b32 $d, 1, 2, q; }", "rr", (3,), 2),
    ("{ .reg .pred p, q; setp.ne.b32 p, $a, 0; setp.gt.and.f32 q, $b, 0f00000000, p; selp.u32 $d, 1, 0, q; }",
     "rrf", (1, f32(2)), 1),
    ("{ .reg .pred p; setp.ltu.f32 p, $a, $b; selp.u32 $d, 1, 0, p; }", "rff", (f32(math.nan), f32(1)), 1),
    ("{ .reg .pred p; setp.nan.f32 p, $a, $b; selp.u32 $d, 1, 0, p; }", "rff", (f32(math.nan), f32(1)), 1),
    ("{ .reg .pred p; setp.num.f32 p, $a, $b; selp.u32 $d, 1, 0, p; }", "rff", (f32(math.nan), f32(1)), 0),
    ("{ .reg .pred p; setp.ne.f32 p, $a, $b; selp.u32 $d, 1, 0, p; }", "rff", (f32(math.nan), f32(1)), 0),
    ("{ .reg .pred p; setp.eq.u32 p, $a, 1; mov.u32 $d, 7; @p mov.u32 $d, 8; @!p add.u32 $d, $d, 1; }", "rr", (0,), 8),
    ("{ .reg .u32 r<3>; mov.u32 r0, 1; L%=: add.u32 r0, r0, r0; .reg .pred q; setp.lt.u32 q, r0, 99; @q bra L%=; "
     "mov.u32 $d, r0; }",
     "r", (), 128),
    ("{ /* a comment; */ .reg .pred p; // another;\n mov.pred p, 1; not.pred p, p; selp.b32 $d, 3, 4, p; }", "r", (), 4),
]  # fmt: skip
SIZES = {"r": "std::uint32_t", "l": "std::uint64_t", "h": "std::uint16_t", "f": "float", "d": "double"}


def statement(number: int, ptx: str, letters: str, inputs: tuple[int, ...]) -> str:
    """One asm statement on typed variables, whose bits go to out[number]."""
    lines = []
    for name, letter, bits in zip("abc", letters[1:], inputs, strict=False):
        raw = {"f": "unsigned", "d": "unsigned long long"}.get(letter)
        value = f"spak_as<{SIZES[letter]}>(({raw}){bits}ull)" if raw else f"{SIZES[letter]}({bits}ull)"
        lines.append(f"volatile {SIZES[letter]} {name} = {value};")
    for i, name in enumerate("dabc"):
        ptx = ptx.replace(f"${name}", f"%{i}")
    ptx = "\\n".join(ptx.replace(" p,", " %%p,").replace(", p;", ", %%p;").replace("@p", "@%%p").split("\n"))
    ins = ", ".join(f'"{letter}"({name})' for name, letter in zip("abc", letters[1:], strict=False))
    lines.append(f'{SIZES[letters[0]]} d; asm volatile("{ptx}" : "={letters[0]}"(d) : {ins});')
    lines.append(f"out[{number}] = spak_bits(d);")
    return "  { " + " ".join(lines) + " }\n"


HEAD = """\
#include <cstring>
template <class T, class U> __device__ T spak_as(U bits) { T out; std::memcpy(&out, &bits, sizeof out); return out; }
template <class T> __device__ unsigned long long spak_bits(T x) {
  unsigned long long out = 0;
  std::memcpy(&out, &x, sizeof x);
  return out;
}
"""


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> sim_harness.Kernels:
    scalars = "".join(statement(i, *case[:3]) for i, case in enumerate(SCALARS))
    text = HEAD + 'extern "C" __global__ void scalars(unsigned long long* out) {\n' + scalars + "}\n"
    path = tmp_path_factory.mktemp("ptx") / "front_ptx.cu"
    path.write_text(text + (Path(__file__).parent / "kernels_front" / "ptx.cu").read_text())
    return sim_harness.build(path)


def test_scalar_instructions(kernels: sim_harness.Kernels) -> None:
    out = np.zeros(len(SCALARS), np.uint64)
    kernels.run("scalars", 1, 1, out)
    bad = [
        (case[0], hex(case[3]), hex(int(value))) for case, value in zip(SCALARS, out, strict=True) if case[3] != value
    ]
    assert not bad


def run(kernels: sim_harness.Kernels, name: str, threads: int, *shape: int, **options: Any) -> np.ndarray:
    out = np.zeros(shape, np.uint32)
    kernels.run(name, 1, threads, out, **options)
    return out


def test_a_thread_ends_in_a_function(kernels: sim_harness.Kernels) -> None:
    out, t = run(kernels, "leaves", 64, 64), np.arange(64)
    assert (out == np.minimum(t, 7) + np.maximum(t, 60) + np.where(t % 2, 0, 1000)).all()


def test_lanes_together(kernels: sim_harness.Kernels) -> None:
    out = run(kernels, "lanes", 64, 16, 64)
    lane = np.arange(64) % 32
    assert (out[0] == lane).all() and (out[1] == np.arange(64) // 32).all()
    assert (out[2] == (lane ^ 1)).all()
    assert (out[3] == np.where(lane % 8 < 5, np.arange(64) % 32 + 3, 1000 + lane)).all()  # down by 3 in segments of 8
    assert (out[4] == np.where(lane >= 2, lane - 2, 1000 + lane)).all()
    assert (out[5] == 0x0000FFFF).all() and (out[6] == 1).all() and (out[7] == 0).all()
    assert (out[8] == 31 * 16).all() and (out[9] == 31).all()
    assert (out[10] == np.where(lane % 2, 0xAAAAAAAA, 0x55555555)).all()
    assert out[11].sum() == 2 and (out[12] >> lane & 1).all()
    assert (out[13] == (1 << lane.astype(np.uint64)) - 1).all()
    assert (out[14] == 64).all() and (out[15] == np.arange(64)).all()


def test_memory(kernels: sim_harness.Kernels) -> None:
    out = run(kernels, "memory", 32, 12, 32)
    lane = np.arange(32)
    assert (out[0] == 4 * lane).all() and (out[1] == 4 * lane + 3).all()
    assert (out[2] == 31 - lane).all() and (out[3] == 7).all()
    assert out[4][0] == 32 * 31 // 2 and sorted(out[5]) == list(range(32)) and out[6][0] == f32(32)
    assert (out[7] == 1).all() and (out[8] == 0).all()
    assert out[9][0] == 31 and out[10][0] == 5 and out[10][1] == 6 and out[10][2] == 300 % 256
    assert (out[11] == np.where(lane % 2, lane, 0)).all()


def test_sums_of_many(kernels: sim_harness.Kernels) -> None:
    out = run(kernels, "sums", 64, 3, 32)
    assert out[0][0] == f16(64, 32) and out[0][1] == 0x42804200  # bf16: 64 and 32
    assert out[0][2:6].tolist() == [f32(64), f32(128), f32(192), f32(256)] and out[0][6] == 64
    assert (out[1] == 32).all() and (out[2] == 7).all()


def test_asynchronous_copies_and_their_barriers(kernels: sim_harness.Kernels) -> None:
    data = np.arange(256, dtype=np.uint32)
    for completion in ("eager", "lazy"):
        out = np.zeros((3, 128), np.uint32)
        kernels.run("copies", 1, 32, out, data, completion=completion)
        assert (out[0] == np.where(np.arange(128) % 4 < 3, data[:128], 0)).all()
        assert (out[1] == data[128:]).all() and (out[2] == data[128:] + 1).all()


def test_matrices(kernels: sim_harness.Kernels) -> None:
    out = np.zeros((4, 128), np.float32)
    kernels.run("matrices", 1, 128, out, smem=4096)
    assert (out[0, :32] == 17).all()  # C of ones and 16 products of ones
    assert (out[1] == 16).all() and (out[2] == 32).all()
    assert (out[3, :32] == 1).all()


def test_every_form_of_the_table_is_used_by_a_test() -> None:
    """Each form of the table is met by a statement of this file or of kernels_front/ptx.cu."""
    texts = [case[0] for case in SCALARS] + [(Path(__file__).parent / "kernels_front" / "ptx.cu").read_text(), *PARSED]
    words = {word for text in texts for word in re.findall(r"[a-z][\w:]*(?:\.[\w:{},]+)*", text)}
    bare = {HINTS.sub("", word) for word in words}
    unused = [entry.pattern.pattern for entry in TABLE if not any(entry.pattern.fullmatch(word) for word in bare)]
    assert not unused


PARSED = [
    'asm volatile("st.async.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%0], {%0, %0, %0, %0}, [%0];" :: "r"(a));',
    'asm volatile("ldmatrix.sync.aligned.x4.trans.m8n8.shared.b16 {%0, %0, %0, %0}, [%0];" : "+r"(a));',
    'asm volatile("{ .reg .pred p; setp.eq.u32 p, %0, 1; barrier.cta.red.and.pred p, 0, p; }" :: "r"(a));',
    'asm volatile("mbarrier.inval.shared.b64 [%0];" :: "r"(a));',
    'asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0], 2;" :: "r"(a));',
    'asm volatile("mbarrier.arrive_drop.shared.b64 %0, [%1];" : "=l"(l) : "r"(a));',
    'asm volatile("mbarrier.arrive.noComplete.shared.b64 %0, [%1], 1;" : "=l"(l) : "r"(a));',
    'asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], 16;" :: "r"(a));',
    'asm volatile("{ .reg .pred p; mbarrier.test_wait.shared.b64 p, [%0], %1; }" :: "r"(a), "l"(l));',
    'asm volatile("mbarrier.pending_count.b64 %0, %1;" : "=r"(a) : "l"(l));',
    'asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" :: "r"(a));',
    'asm volatile("cp.async.wait_all;");',
    'asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes '
    '[%0], [%1], 16, [%2];" :: "r"(a), "r"(a), "r"(a));',
    'asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%0], [%1], 16;" :: "l"(l), "r"(a));',
    'asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint '
    '[%0], [%1, {%2, %3}], [%4], %5, %6;" :: "r"(a), "l"(l), "r"(a), "r"(a), "r"(a), "h"(h), "l"(l));',
    'asm volatile("cp.async.bulk.tensor.3d.global.shared::cta.tile.bulk_group [%0, {%1, %2, %3}], [%4];" '
    '::  "l"(l), "r"(a), "r"(a), "r"(a), "r"(a));',
    'asm volatile("cp.reduce.async.bulk.tensor.1d.global.shared::cta.add.bulk_group [%0, {%1}], [%2];" '
    '::  "l"(l), "r"(a), "r"(a));',
    'asm volatile("prefetch.tensormap [%0];" :: "l"(l));',
    'asm volatile("cp.async.bulk.prefetch.L2.global [%0], 16;" :: "l"(l));',
    'asm volatile("prefetch.global.L2 [%0];" :: "l"(l));',
    'asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(l));',
    'asm volatile("fence.mbarrier_init.release.cluster;");',
    'asm volatile("fence.proxy.async.shared::cta;");',
    'asm volatile("barrier.cluster.arrive.relaxed.aligned;");',
    'asm volatile("barrier.cluster.wait.acquire.aligned;");',
    'asm volatile("bar.arrive 1, 64;");',
    'asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" :: "n"(240));',
    'asm volatile("griddepcontrol.launch_dependents;");',
    'asm volatile("nanosleep.u32 20;");',
    'asm volatile("trap;");',
    'asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(a) : "r"(a), "r"(a));',
    'asm volatile("getctarank.shared::cluster.u32 %0, %1;" : "=r"(a) : "r"(a));',
    'asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(a) : "r"(a));',
    'asm volatile("stmatrix.sync.aligned.m8n8.x1.trans.shared.b16 [%0], {%1};" :: "r"(a), "r"(a));',
    'asm volatile("ldmatrix.sync.aligned.trans.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(a) : "r"(a));',
    'asm volatile("membar.gl;");',
    'asm volatile("mov.u32 %0, %%smid;" : "=r"(a));',
    'asm volatile("mov.u64 %0, %globaltimer;" : "=l"(l));',
    'asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(a));',
    'asm volatile("mov.u32 %[to], %[from];" : [to] "=r"(a) : [from] "r"(a));',
    'asm volatile("" ::: "memory");',
]  # fmt: skip


@pytest.mark.parametrize("text", PARSED)
def test_forms_that_need_more_than_one_block_are_parsed(text: str) -> None:
    if "%globaltimer" in text and "%%" not in text:
        text = text.replace("%globaltimer", "%%globaltimer")
    out = rewrite(f"__device__ void f(unsigned a, unsigned long long l, unsigned short h) {{ {text} }}", "k.cu")
    assert "asm" not in out and "({" in out


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('asm("frob.u32 %0, 1;" : "=r"(a));', "k.cu:2:5", "no model of the instruction `frob.u32`"),
        ('asm("mov.u32 %0, 1;\\n"\n"add.xx.u32 %0, %0, 1;" : "=r"(a));', "k.cu:3:1", "no model of the instruction `add.xx.u32`"),
        ('asm("mov.u32 %0, %1;" : "=r"(a));', "k.cu:2:5", "the operand %1 does not exist"),
        ('asm("mov.u32 %0, bar;" : "=r"(a));', "k.cu:2:5", "the operand `bar` is no register"),
        ('asm("mov.u32 %0, %%tid.w;" : "=r"(a));', "k.cu:2:5", "the operand `%tid.w` is no register"),
        ('asm("mov.u32 %0, 1;" : "=m"(a));', "k.cu:2:1", 'an operand with the constraint "=m" cannot be followed'),
        ('asm("mov.u32 %0, 1;\\n"\n".reg .b128 q;" : "=r"(a));', "k.cu:3:1", "`.reg .b128 q` cannot be followed"),
        ('asm("bra L;");', "k.cu:2:5", "`bra L` leads out of the statement"),
        ('asm(TEXT "1;");', "k.cu:2:1", "the text of an asm statement is not a plain string"),
        ('asm("add.u32 %0, 1;" : "=r"(a));', "k.cu:2:5", "no model of the instruction `add.u32` with 2 operands"),
        ('asm("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1}], [%1];" :: "l"(l), "r"(a));', "k.cu:2:5",
         "a tensor of 2 dimensions needs 2 coordinates"),
        ('asm("add.rz.f32 %0, %0, %0;" : "+f"(x));', "k.cu:2:5", "rounds to nearest only"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_named_with_its_line(text: str, where: str, what: str) -> None:
    with pytest.raises(SpakError) as caught:
        rewrite(f"__device__ void f(unsigned a, unsigned long long l, float x) {{\n{text} }}", "k.cu")
    (found,) = caught.value.diagnostics
    assert str(found.span).startswith(where) and found.code == "SPK591" and what in found.message, str(found)
