"""Forms of arithmetic, comparison, conversion and moves: registers to registers. Knows no memory and no other lane."""

from __future__ import annotations

from spak.sim.ptx.emit import CPP, Emitter, P, bits_of
from spak.sim.ptx.forms import form
from spak.sim.ptx.statement import Instruction, Unreadable

_INTEGERS = "[us](?:16|32|64)"
_PACKED = "f16|bf16|f16x2|bf16x2"
_BINARY = {"add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "and": "&", "or": "|", "xor": "^"}


def _set(e: Emitter, i: Instruction, value: str) -> str:
    return e.set(i.operands[0], value)


@form(r"mov.(?P<type>pred|[busf](?:16|32|64))", 2)
def mov(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits = bits_of(m["type"])
    to, source = e.vector(i.operands[0]), e.vector(i.operands[1])
    if len(to) > 1:
        part = bits // len(to)
        value = e.temporary()
        moved = [e.set(one, f"static_cast<std::uint{part}_t>({value} >> {part * k})") for k, one in enumerate(to)]
        return f"{{ const auto {value} = {e.bits(source[0], bits)}; {' '.join(moved)} }}"
    if len(source) > 1:
        part = bits // len(source)
        parts = [f"static_cast<std::uint{bits}_t>({e.bits(one, part)}) << {part * k}" for k, one in enumerate(source)]
        return _set(e, i, f"({' | '.join(parts)})")
    return _set(e, i, e.bits(source[0], bits))


@form(r"(?P<op>add|sub|min|max|div|rem).(?P<type>" + _INTEGERS + r")", 3)
def integer(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a, b = (e.value(o, m["type"]) for o in i.operands[1:])
    if m["op"] in ("min", "max"):
        return _set(e, i, f"{a} {'<' if m['op'] == 'min' else '>'} {b} ? {a} : {b}")
    if m["op"] in ("add", "sub"):  # PTX wraps
        bits = bits_of(m["type"])
        a, b = (e.bits(o, bits) for o in i.operands[1:])
    return _set(e, i, f"{a} {_BINARY[m['op']]} {b}")


@form(r"(?P<op>add|sub).sat.s32", 3)
def saturating(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a, b = (f"std::int64_t{{{e.value(o, 's32')}}}" for o in i.operands[1:])
    return _set(e, i, f"static_cast<std::uint32_t>({P}clamp<std::int32_t>({a} {_BINARY[m['op']]} {b}))")


@form(r"(?P<op>add|sub)(?P<out>.cc).(?P<type>[us](?:32|64))", 3)
@form(r"(?P<op>add|sub)(?P<take>c)(?P<out>.cc)?.(?P<type>[us](?:32|64))", 3)
@form(r"(?P<op>mad).(?P<part>lo|hi)(?P<out>.cc).(?P<type>[us](?:32|64))", 4)
@form(r"(?P<op>mad)(?P<take>c).(?P<part>lo|hi)(?P<out>.cc)?.(?P<type>[us](?:32|64))", 4)
def carry(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """The carry is the thread's, and stays between statements: programs write one of these in each."""
    bits = bits_of(m["type"])
    a, b = (e.bits(o, bits) for o in i.operands[1:3])
    if m["op"] == "mad":
        factors = ", ".join(e.value(o, m["type"]) for o in i.operands[1:3])
        product = f"{P}multiply_{m['part']}<{CPP[m['type']]}>({factors})"
        a, b = f"static_cast<std::uint{bits}_t>({product})", e.bits(i.operands[3], bits)
    flags = ", ".join("true" if m.get(key) else "false" for key in ("take", "out"))
    how = "borrow" if m["op"] == "sub" else "carry"
    return _set(e, i, f"{P}with_{how}<std::uint{bits}_t, {flags}>({a}, {b}, spak_at)")


@form(r"(?P<op>mul|mad)24.(?P<part>lo|hi).(?P<type>[us]32)", 3, 4)
def multiply24(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """Of the lowest 24 bits; the lower or the upper 32 of the 48 bits that they make."""
    wide = f"std::{'int' if m['type'][0] == 's' else 'uint'}64_t"
    a, b = (f"static_cast<{wide}>({P}bfe<{CPP[m['type']]}>({e.value(o, m['type'])}, 0, 24))" for o in i.operands[1:3])
    value = f"static_cast<std::uint32_t>(({a} * {b}) >> {0 if m['part'] == 'lo' else 16})"
    return _set(e, i, f"{value} + {e.bits(i.operands[3], 32)}" if m["op"] == "mad" else value)


@form(r"sad.(?P<type>[us]32)", 4)
def distance(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a, b = (e.value(o, m["type"]) for o in i.operands[1:3])
    x, y = (e.bits(o, 32) for o in i.operands[1:3])
    return _set(e, i, f"{e.bits(i.operands[3], 32)} + ({a} < {b} ? {y} - {x} : {x} - {y})")


@form(r"bfind(?P<shift>.shiftamt)?.(?P<type>[us](?:32|64))", 2)
def find_bit(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return _set(e, i, f"{P}bfind({e.value(i.operands[1], m['type'])}, {'true' if m['shift'] else 'false'})")


@form(r"(?P<op>mul|mad).(?P<part>lo|hi|wide).(?P<type>" + _INTEGERS + r")", 3, 4)
def multiply(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits, kind = bits_of(m["type"]), CPP[m["type"]]
    a, b = (e.value(o, m["type"]) for o in i.operands[1:3])
    if m["part"] == "wide":
        value = f"{P}multiply_wide<{kind}>({a}, {b})"
        bits *= 2
    else:
        value = f"{P}multiply_{m['part']}<{kind}>({a}, {b})"
    if m["op"] == "mad":
        value = f"static_cast<std::uint{bits}_t>({value}) + {e.bits(i.operands[3], bits)}"
    return _set(e, i, value)


@form(r"(?P<op>and|or|xor).(?P<type>pred|b(?:16|32|64))", 3)
def logic(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits = bits_of(m["type"])
    return _set(e, i, f"{e.bits(i.operands[1], bits)} {_BINARY[m['op']]} {e.bits(i.operands[2], bits)}")


@form(r"not.(?P<type>pred|b(?:16|32|64))", 2)
def invert(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits = bits_of(m["type"])
    return _set(e, i, f"{'!' if bits == 1 else '~'}{e.bits(i.operands[1], bits)}")


@form(r"(?P<op>neg|abs).(?:ftz.)?(?P<type>s(?:16|32|64)|f32|f64)", 2)
def sign(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a = e.value(i.operands[1], m["type"])
    if m["type"][0] == "f":
        return _set(e, i, f"-{a}" if m["op"] == "neg" else f"{P}magnitude({a})")
    negative = f"0u - {e.bits(i.operands[1], bits_of(m['type']))}"
    return _set(
        e, i, negative if m["op"] == "neg" else f"{a} < 0 ? {negative} : {e.bits(i.operands[1], bits_of(m['type']))}"
    )


@form(r"(?P<op>shl|shr).(?P<type>[bus](?:16|32|64))", 3)
def shift(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    how = "left" if m["op"] == "shl" else "right"
    kind = CPP[m["type"]]
    return _set(e, i, f"{P}shift_{how}<{kind}>({e.value(i.operands[1], m['type'])}, {e.bits(i.operands[2], 32)})")


@form(r"shf.(?P<to>l|r).(?P<mode>wrap|clamp).b32", 4)
def funnel(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a, b, c = (e.bits(o, 32) for o in i.operands[1:])
    return _set(e, i, f"{P}funnel_{m['to']}({a}, {b}, {c}, {'true' if m['mode'] == 'clamp' else 'false'})")


@form(
    r"(?P<op>add|sub|mul|div|fma|mad|min|max|sqrt|rcp)(?:.(?:rn|rz|rm|rp|approx|full))?(?:.ftz)?(?P<sat>.sat)?(?:.NaN)?.(?P<type>f32|f64)",
    2,
    3,
    4,
)
def floating(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if any(part in i.parts for part in ("rz", "rm", "rp")):
        raise Unreadable(f"the simulator rounds to nearest only, not as `{i.op}` asks")
    values = [e.value(o, m["type"]) for o in i.operands[1:]]
    suffix = "f" if m["type"] == "f32" else ""
    if m["op"] in ("fma", "mad"):
        value = f"__builtin_fma{suffix}({', '.join(values)})"
    elif m["op"] in ("min", "max"):
        value = f"{P}float_{m['op']}({', '.join(values)}, {'true' if 'NaN' in i.parts else 'false'})"
    elif m["op"] == "sqrt":
        value = f"__builtin_sqrt{suffix}({values[0]})"
    elif m["op"] == "rcp":
        value = f"({CPP[m['type']]}(1) / {values[0]})"
    else:
        value = f"({values[0]} {_BINARY[m['op']]} {values[1]})"
    return _set(e, i, f"{P}saturate({value})" if m["sat"] else value)


@form(r"(?P<op>ex2|lg2|rsqrt|sin|cos|tanh).approx(?:.ftz)?.(?P<type>f32|f64)", 2)
def approximate(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """As exact as the host has them: PTX states bounds on the error only."""
    return _set(e, i, f"{P}approx_{m['op']}({e.value(i.operands[1], m['type'])})")


@form(
    r"(?P<op>add|sub|mul|fma|min|max|neg|abs|ex2|tanh)(?:.rn|.approx)?(?:.ftz)?(?:.NaN)?(?P<relu>.relu)?.(?P<type>"
    + _PACKED
    + r")",
    2,
    3,
    4,
)
def half(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """On each half; computed in f64 and rounded once, which is exact for f16 and bf16 but for the approximate ones."""
    bits = bits_of(m["type"])
    values = [e.bits(o, bits) for o in i.operands[1:]]
    pair, kind = ("2" if bits == 32 else ""), m["type"].removesuffix("x2")
    flags = f"{'true' if 'NaN' in i.parts else 'false'}, {'true' if m['relu'] else 'false'}"
    e.models.add("formats")
    return _set(
        e,
        i,
        f"{P}half{pair}_op<{P}HalfOp::{m['op']}_, {'true' if kind == 'bf16' else 'false'}>({flags}, {', '.join(values)})",
    )


_COMPARE = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "lo": "<",
    "ls": "<=",
    "hi": ">",
    "hs": ">=",
}


@form(r"setp.(?P<cmp>[a-z]{2,3})(?:.(?P<join>and|or|xor))?(?:.ftz)?.(?P<type>[busf](?:16|32|64))", 3, 4)
def compare(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if m["cmp"] in ("num", "nan") and m["type"][0] == "f" and not m["join"]:
        a, b = (e.value(o, m["type"]) for o in i.operands[1:3])
        nan = f"({a} != {a} || {b} != {b})"
        return _set(e, i, nan if m["cmp"] == "nan" else f"!{nan}")
    unordered = len(m["cmp"]) == 3 and m["cmp"][2] == "u"
    mark = _COMPARE.get(m["cmp"][:2] if unordered else m["cmp"])
    if mark is None or bool(m["join"]) != (len(i.operands) == 4):
        raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
    a, b = (e.value(o, m["type"]) for o in i.operands[1:3])
    value = f"({a} {mark} {b})"
    if m["type"][0] == "f" and m["cmp"] == "ne":
        value = f"(({a} < {b}) || ({a} > {b}))"
    if unordered:
        value = f"({value} || {a} != {a} || {b} != {b})"
    to, _, other = i.operands[0].partition("|")
    joined, opposite = value, f"!{value}"
    if m["join"]:
        c = e.bits(i.operands[3], 1)
        mark = {"and": "&", "or": "|", "xor": "^"}[m["join"]]
        joined, opposite = f"({value} {mark} {c})", f"(!{value} {mark} {c})"
    second = e.set(other, opposite) if other else ""
    return e.set(to, joined) + f" {second}".rstrip()


@form(r"selp.(?P<type>[busf](?:16|32|64))", 4)
def select(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits = bits_of(m["type"])
    a, b = (e.bits(o, bits) for o in i.operands[1:3])
    return _set(e, i, f"{e.bits(i.operands[3], 1)} ? {a} : {b}")


@form(
    r"cvt(?:.(?P<round>rn|rz|rni|rzi|rmi|rpi|rna))?(?:.ftz)?(?P<sat>.sat|.satfinite)?(?P<relu>.relu)?.(?P<to>\w+).(?P<from>\w+)",
    2,
    3,
)
def convert(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    to, source = m["to"], m["from"]
    halves = ("f16", "bf16")
    relu = "true" if m["relu"] else "false"
    e.models.add("formats")
    if to in ("f16x2", "bf16x2") and source == "f32" and m["round"] == "rn" and len(i.operands) == 3:
        high, low = (e.value(o, "f32") for o in i.operands[1:])
        return _set(e, i, f"{P}pack_halves<{'true' if to == 'bf16x2' else 'false'}>({low}, {high}, {relu})")
    if to in ("e4m3x2", "e5m2x2") and m["round"] == "rn" and m["sat"] == ".satfinite":
        kind = "true" if to == "e5m2x2" else "false"
        if source == "f32" and len(i.operands) == 3:
            high, low = (e.value(o, "f32") for o in i.operands[1:])
            return _set(e, i, f"{P}pack_f8<{kind}>({low}, {high}, {relu})")
        if source == "f16x2" and len(i.operands) == 2:
            return _set(e, i, f"{P}pack_f8<{kind}>({e.bits(i.operands[1], 32)}, {relu})")
    if to == "f16x2" and source in ("e4m3x2", "e5m2x2") and m["round"] == "rn" and len(i.operands) == 2:
        kind = "true" if source == "e5m2x2" else "false"
        return _set(e, i, f"{P}unpack_f8<{kind}>({e.bits(i.operands[1], 16)}, {relu})")
    if (to, source, m["round"]) == ("tf32", "f32", "rna"):
        return _set(e, i, f"::spak::sim::round_tf32({e.value(i.operands[1], 'f32')})")
    if to in halves and source == "f32" and m["round"] == "rn":
        return _set(e, i, f"{P}to_half<{'true' if to == 'bf16' else 'false'}>({e.value(i.operands[1], 'f32')}, {relu})")
    if to in ("f32", "f64") and source in halves:
        return _set(
            e,
            i,
            f"static_cast<{CPP[to]}>({P}from_half<{'true' if source == 'bf16' else 'false'}>({e.bits(i.operands[1], 16)}))",
        )
    if to not in CPP or source not in CPP or "pred" in (to, source) or len(i.operands) != 2 or m["relu"]:
        raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
    value = e.value(i.operands[1], source)
    if to[0] == "f":
        if m["round"] == "rz" or (m["round"] and m["round"][-1] == "i" and source[0] != "f"):
            raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
        if m["round"] and m["round"][-1] == "i":
            value = f"{P}round_{m['round']}({value})"
        value = f"static_cast<{CPP[to]}>({value})"
        return _set(e, i, f"{P}saturate({value})" if m["sat"] else value)
    if source[0] == "f":
        if not (m["round"] or "").endswith("i"):
            raise Unreadable(f"`{i.op}` must say how to round to an integer")
        return _set(e, i, f"{P}extend<{CPP[to]}>({P}to_integer<{CPP[to]}>({P}round_{m['round']}({value})))")
    if m["sat"]:
        return _set(e, i, f"{P}extend<{CPP[to]}>({P}clamp<{CPP[to]}>({value}))")
    return _set(e, i, f"{P}extend<{CPP[to]}>(static_cast<{CPP[to]}>({value}))")


@form(r"(?P<op>popc|clz|brev).b(?P<bits>32|64)", 2)
def count(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return _set(e, i, f"{P}{m['op']}({e.bits(i.operands[1], int(m['bits']))})")


@form(r"prmt.b32", 4)
def permute(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return _set(e, i, f"{P}prmt({', '.join(e.bits(o, 32) for o in i.operands[1:])})")


@form(r"lop3.b32", 5)
def lop3(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return _set(e, i, f"{P}lop3({', '.join(e.bits(o, 32) for o in i.operands[1:])})")


@form(r"bfe.(?P<type>[us](?:32|64))", 4)
def extract(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    a = e.value(i.operands[1], m["type"])
    return _set(e, i, f"{P}bfe<{CPP[m['type']]}>({a}, {e.bits(i.operands[2], 32)}, {e.bits(i.operands[3], 32)})")


@form(r"bfi.b(?P<bits>32|64)", 5)
def insert(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    bits = int(m["bits"])
    a, b = (e.bits(o, bits) for o in i.operands[1:3])
    return _set(e, i, f"{P}bfi<std::uint{bits}_t>({a}, {b}, {e.bits(i.operands[3], 32)}, {e.bits(i.operands[4], 32)})")


@form(r"dp4a.(?P<a>[us])32.(?P<b>[us])32", 4)
def dot(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    signs = ", ".join("true" if m[side] == "s" else "false" for side in "ab")
    return _set(e, i, f"{P}dp4a<{signs}>({', '.join(e.bits(o, 32) for o in i.operands[1:])})")
