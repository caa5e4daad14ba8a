"""Forms of matrix instructions: ldmatrix and its kin, mma.sync, wgmma. Knows no layout: the models do."""

from __future__ import annotations

from spak.sim.ptx.emit import Emitter, P, S
from spak.sim.ptx.forms import form
from spak.sim.ptx.statement import Instruction, Unreadable

_TYPES = r"f16|bf16|tf32|e4m3|e5m2|s8|u8"
_BYTES = {"f16": 2, "bf16": 2, "tf32": 4, "e4m3": 1, "e5m2": 1, "s8": 1, "u8": 1}


@form(r"ldmatrix.sync.aligned.m8n8.x(?P<n>[124])(?P<trans>.trans)?(?P<space>.shared|.shared::cta)?.b16", 2)
@form(r"ldmatrix.sync.aligned(?P<trans>.trans)?.m8n8.x(?P<n>[124])(?P<space>.shared|.shared::cta)?.b16", 2)
@form(r"ldmatrix.sync.aligned.x(?P<n>[124])(?P<trans>.trans)?.m8n8(?P<space>.shared|.shared::cta)?.b16", 2)
def ldmatrix(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("matrix")
    registers, name = e.vector(i.operands[0]), e.temporary()
    if len(registers) != int(m["n"]):
        raise Unreadable(f"`{i.op}` needs {m['n']} registers")
    trans = "true" if m["trans"] else "false"
    moved = " ".join(e.set(one, f"{name}[{k}]") for k, one in enumerate(registers))
    call = _row(e, i.operands[1], m, "ldmatrix", f"{name}, {m['n']}, {trans}", True)
    return f"{{ std::uint32_t {name}[{m['n']}]; {S}{call} {moved} }}"


@form(r"stmatrix.sync.aligned.m8n8.x(?P<n>[124])(?P<trans>.trans)?(?P<space>.shared|.shared::cta)?.b16", 2)
def stmatrix(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("matrix")
    values, name = [e.bits(o, 32) for o in e.vector(i.operands[1])], e.temporary()
    if len(values) != int(m["n"]):
        raise Unreadable(f"`{i.op}` needs {m['n']} registers")
    trans = "true" if m["trans"] else "false"
    call = _row(e, i.operands[0], m, "stmatrix", f"{name}, {m['n']}, {trans}", False)
    return f"{{ const std::uint32_t {name}[] = {{{', '.join(values)}}}; {S}{call} }}"


def _row(e: Emitter, operand: str, m: dict[str, str], name: str, rest: str, row_last: bool) -> str:
    first, _ = e.address(operand)
    row = e.integer(first, 32) if m["space"] else f"reinterpret_cast<void*>({e.integer(first, 64)})"
    name += "_shared" if m["space"] else ""
    arguments = f"{rest}, {row}" if row_last else f"{row}, {rest}"
    return f"{name}({arguments}, spak_at);"


@form(r"movmatrix.sync.aligned.m8n8.trans.b16", 2)
def movmatrix(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("matrix")
    return e.set(i.operands[0], f"{S}movmatrix({e.bits(i.operands[1], 32)}, spak_at)")


@form(
    rf"mma.sync.aligned.m16n8k(?P<k>\d+).row.col(?P<sat>.satfinite)?.(?P<d>f32|f16|s32).(?P<a>{_TYPES}).(?P<b>{_TYPES}).(?P<c>f32|f16|s32)",
    4,
)  # fmt: skip
def mma(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("mma")
    width = int(m["k"]) * _BYTES[m["a"]]
    if width not in (16, 32) or m["d"] != m["c"] or _BYTES[m["a"]] != _BYTES[m["b"]]:
        raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
    d, a, b, c = (e.vector(o) for o in i.operands)
    wanted = (2 if m["d"] == "f16" else 4, width // 8, width // 16)
    if (len(d), len(a), len(b)) != wanted or len(c) != len(d):
        raise Unreadable(f"`{i.op}` needs {wanted[0]}, {wanted[1]}, {wanted[2]} and {wanted[0]} registers")
    name = e.temporary()
    lists = [
        f"std::uint32_t {name}{x}[] = {{{', '.join(e.bits(o, 32) for o in row)}}};"
        for x, row in zip("abc", (a, b, c), strict=True)
    ]
    form_ = f"{{{S}Format::{m['a']}, {S}Format::{m['b']}, {S}Accumulator::{m['d']}, {m['k']}, {'true' if m['sat'] else 'false'}}}"
    moved = " ".join(e.set(one, f"{name}c[{k}]") for k, one in enumerate(d))
    return f"{{ {' '.join(lists)} {S}mma({form_}, {name}c, {name}a, {name}b, {name}c, spak_at); {moved} }}"


@form(
    rf"wgmma.mma_async.sync.aligned.m64n(?P<n>\d+)k(?P<k>\d+)(?P<sat>.satfinite)?.(?P<d>f32|f16|s32)(?P<sat2>.satfinite)?.(?P<a>{_TYPES}).(?P<b>{_TYPES})"
)
def wgmma(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """Operands: accumulators, A (a descriptor or four registers), B, scale-d, then for floats two signs, then transposes."""
    e.models.add("wgmma")
    accumulators, a, rest = e.vector(i.operands[0]), e.vector(i.operands[1]), list(i.operands[3:])
    n = int(m["n"])
    wanted = n // 4 if m["d"] == "f16" else n // 2
    if int(m["k"]) * _BYTES[m["a"]] != 32 or len(accumulators) != wanted or len(a) not in (1, 4) or not rest:
        raise Unreadable(f"`{i.op}` needs {wanted} accumulators, A as a descriptor or four registers, B and scale-d")
    scale = _truth(e, rest.pop(0))
    negate = [f"{e.value(one, 's32')} < 0" for one in rest[:2]] if m["d"] != "s32" else []
    major = [_truth(e, one) for one in rest[2:]]
    if len(a) == 4:
        major = ["false", *major]
    flags = [*(major + ["false"] * 2)[:2], *(negate + ["false"] * 2)[:2], "true" if m["sat"] or m["sat2"] else "false"]
    name = e.temporary()
    where = ", ".join(e.operand_address(one) for one in accumulators)
    form_ = f"{{{S}Format::{m['a']}, {S}Format::{m['b']}, {S}Accumulator::{m['d']}, {n}, {', '.join(flags)}}}"
    if len(a) == 4:
        left = f"std::uint32_t {name}a[4] = {{{', '.join(e.bits(one, 32) for one in a)}}};"
        first = f"{name}a"
    else:
        left, first = "", e.bits(a[0], 64)
    d = f"{P}in_a_row({name}, spak_at)"
    call = f"{S}wgmma({form_}, {d}, {first}, {e.bits(i.operands[2], 64)}, {scale}, spak_at);"
    return f"{{ void* const {name}[] = {{{where}}}; {left} {call} }}"


def _truth(e: Emitter, operand: str) -> str:
    return e.bits(operand, 1) if e.size(operand) == 1 else f"({e.value(operand, 's32')} != 0)"


@form(r"wgmma.(?P<op>fence|commit_group).sync.aligned", 0)
def wgmma_order(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("wgmma")
    return f"{S}wgmma_{'fence' if m['op'] == 'fence' else 'commit'}(spak_at);"


@form(r"wgmma.wait_group.sync.aligned", 1)
def wgmma_wait(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("wgmma")
    return f"{S}wgmma_wait({e.value(i.operands[0], 's32')}, spak_at);"
