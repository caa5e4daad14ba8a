"""PTX operands as C++: registers are unsigned integers of their size, addresses are pointers. Knows no instruction."""

from __future__ import annotations

import re

from spak.sim.ptx.statement import Instruction, Statement, Unreadable

P = "::spak::sim::ptx::"
S = "::spak::sim::"
_NUMBER = re.compile(r"^-?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)U?$")
# PTX ISA, "Constant Expressions": the same in C++.
_CONSTANT = re.compile(r"^(?:0[xX][0-9a-fA-F]+U?|0[bB][01]+U?|\d+U?|[-+*/%&|^~!?:()<>=\s])+$")
_SPECIAL = {
    "laneid": f"({P}thread_rank() % 32u)",
    "warpid": f"({P}thread_rank() / 32u)",
    "nwarpid": f"(({P}block_threads() + 31u) / 32u)",
    "smid": "::spak::sim::smid(spak_at)",
    "nsmid": "::spak::sim::nsmid(spak_at)",
    "clock": "static_cast<std::uint32_t>(::spak::sim::cycles(spak_at))",
    "clock64": "static_cast<std::uint64_t>(::spak::sim::cycles(spak_at))",
    "globaltimer": "::spak::sim::nanoseconds(spak_at)",
    "globaltimer_lo": "static_cast<std::uint32_t>(::spak::sim::nanoseconds(spak_at))",
    "cluster_ctarank": "::spak::sim::cluster_rank(spak_at)",
    "cluster_nctarank": "::spak::sim::cluster_size(spak_at)",
    "lanemask_eq": f"(1u << ({P}thread_rank() % 32u))",
    "lanemask_lt": f"((1u << ({P}thread_rank() % 32u)) - 1u)",
    "lanemask_le": f"((2u << ({P}thread_rank() % 32u)) - 1u)",
    "lanemask_gt": f"~((2u << ({P}thread_rank() % 32u)) - 1u)",
    "lanemask_ge": f"~((1u << ({P}thread_rank() % 32u)) - 1u)",
    **{f"tid.{a}": f"threadIdx.{a}" for a in "xyz"},
    **{f"ntid.{a}": f"blockDim.{a}" for a in "xyz"},
    **{f"ctaid.{a}": f"blockIdx.{a}" for a in "xyz"},
    **{f"nctaid.{a}": f"gridDim.{a}" for a in "xyz"},
    **{f"cluster_nctaid.{a}": f"::spak::sim::cluster_shape(spak_at).{a}" for a in "xyz"},
    **{f"cluster_ctaid.{a}": f"(blockIdx.{a} % ::spak::sim::cluster_shape(spak_at).{a})" for a in "xyz"},
    **{f"clusterid.{a}": f"(blockIdx.{a} / ::spak::sim::cluster_shape(spak_at).{a})" for a in "xyz"},
    **{f"nclusterid.{a}": f"(gridDim.{a} / ::spak::sim::cluster_shape(spak_at).{a})" for a in "xyz"},
}
_SPECIAL_BITS = {"clock64": 64, "globaltimer": 64}
_MODELS = {
    "smid": "special", "nsmid": "special", "clock": "special", "clock64": "special", "globaltimer": "special",
    "globaltimer_lo": "special",
}  # fmt: skip
CPP = {
    **{f"u{n}": f"std::uint{n}_t" for n in (8, 16, 32, 64)},
    **{f"b{n}": f"std::uint{n}_t" for n in (8, 16, 32, 64)},
    **{f"s{n}": f"std::int{n}_t" for n in (8, 16, 32, 64)},
    "f32": "float",
    "f64": "double",
    "pred": "bool",
}


def bits_of(kind: str) -> int:
    """32 for `u32`, 1 for `pred`, 32 for `f16x2`."""
    if kind == "pred":
        return 1
    match = re.fullmatch(r"[a-z]+?(\d+)(x2)?", kind)
    if match is None:
        raise Unreadable(f"the type .{kind} is not known")
    return int(match[1]) * (2 if match[2] else 1)


class Emitter:
    """Makes C++ of one statement's operands. `models` are the headers of spak/sim/model that the text needs."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.models: set[str] = {"ptx"}
        self.bound: set[int] = set()  # operands that instructions use by address
        self.fresh = 0

    def name(self, operand: str) -> str:
        """The C++ variable of a register, "" if the operand is none."""
        plain = re.sub(r"[\0%$]", "", operand)
        if re.fullmatch(r"%\d+", operand):
            number = int(operand[1:])
            if number >= len(self.statement.operands):
                raise Unreadable(f"the operand {operand} does not exist")
            return "" if not self.statement.operands[number].bits else f"spak_{number}"
        return f"spak_{plain}" if plain in self.statement.registers else ""

    def size(self, operand: str) -> int:
        """Bits of a register; 0 for what is none."""
        if re.fullmatch(r"%\d+", operand):
            number = int(operand[1:])
            return self.statement.operands[number].bits if number < len(self.statement.operands) else 0
        return self.statement.registers.get(re.sub(r"[\0%$]", "", operand), 0)

    def bits(self, operand: str, bits: int) -> str:
        """The operand's value as an unsigned integer of so many bits; bool for 1."""
        operand = operand.strip()
        cast = "bool" if bits == 1 else f"std::uint{bits}_t"
        name = self.name(operand)
        if name:
            return name if self.size(operand) == bits else f"static_cast<{cast}>({name})"
        if operand.startswith("!"):
            return f"(!{self.bits(operand[1:], 1)})"
        if re.fullmatch(r"-?%\d+", operand):
            sign = "-" if operand[0] == "-" else ""
            self.name(operand.lstrip("-"))  # that it exists
            text = self.statement.operands[int(operand.lstrip("-%"))].text
            return f"static_cast<{cast}>({sign}({text}))"
        if re.fullmatch(r"0[fF][0-9a-fA-F]{8}", operand):
            return f"static_cast<{cast}>(0x{operand[2:]}u)"
        if re.fullmatch(r"0[dD][0-9a-fA-F]{16}", operand):
            return f"static_cast<{cast}>(0x{operand[2:]}ull)"
        if _NUMBER.match(operand):
            return f"static_cast<{cast}>({operand.rstrip('U')}{'ll' if bits == 64 else ''})"
        if re.fullmatch(r"-?\d+(?:\.\d*(?:[eE][-+]?\d+)?|[eE][-+]?\d+)", operand):
            value = f"static_cast<float>({operand})" if bits == 32 else operand
            return f"{P}bits<{cast}>({value})"
        if operand == "WARP_SZ":
            return f"static_cast<{cast}>(32)"
        if _CONSTANT.match(plain := operand.replace("\0", "%")) and re.search(r"\d", plain):
            return f"static_cast<{cast}>({plain})"
        return self.special(operand, bits, cast)

    def special(self, operand: str, bits: int, cast: str) -> str:
        plain = re.sub(r"^[\0%]", "", operand)
        if operand[:1] in "\0%" and plain in _SPECIAL:
            if model := _MODELS.get(plain, "cluster" if "cluster" in plain else ""):
                self.models.add(model)
            return f"static_cast<{cast}>({_SPECIAL[plain]})"
        shown = operand.replace("\0", "%")
        raise Unreadable(f"the operand `{shown}` is no register, number or special register that the simulator knows")

    def value(self, operand: str, kind: str) -> str:
        """The operand as a value of a PTX type: `s32` is an int32_t, `f32` a float."""
        if kind not in CPP:
            raise Unreadable(f"the type .{kind} is not known here")
        bits = bits_of(kind)
        raw = self.bits(operand, max(bits, 16) if bits == 8 else bits)
        if kind[0] in "ub" or kind == "pred":
            return f"static_cast<{CPP[kind]}>({raw})" if bits == 8 else raw
        return f"{P}as<{CPP[kind]}>({raw})"

    def set(self, operand: str, value: str) -> str:
        """Assignment of C++ `value` to a register; `_` takes nothing."""
        operand = operand.strip()
        if operand == "_":
            return f"static_cast<void>({value});"
        name = self.name(operand)
        if not name:
            raise Unreadable(f"`{operand.replace(chr(0), '%')}` is no register that can be written")
        size = self.size(operand)
        return f"{name} = {value};" if size == 1 else f"{name} = {P}bits<std::uint{size}_t>({value});"

    def vector(self, operand: str) -> list[str]:
        """`{a, b}` -> its parts; anything else is a vector of one."""
        operand = operand.strip()
        if operand.startswith("{"):
            return [part.strip() for part in operand.strip("{} ").split(",") if part.strip()]
        return [operand]

    def address(self, operand: str) -> tuple[str, list[str]]:
        """`[a+16, {x, y}]` -> (the first expression, the rest of it, vectors taken apart)."""
        inner = operand.strip()
        if not (inner.startswith("[") and inner.endswith("]")):
            raise Unreadable(f"`{operand.replace(chr(0), '%')}` is no address")
        first, _, rest = inner[1:-1].partition(",")
        return first.strip(), self.vector(rest) if rest.strip() else []

    def integer(self, expression: str, bits: int) -> str:
        """An address expression, `a`, `a+16` or `a + %1`, as an integer."""
        parts = re.findall(r"([+-]?)\s*([^\s+-][^+-]*)", expression)
        words = [("-" if sign == "-" else "+", part.strip()) for sign, part in parts]
        text = " ".join(f"{sign} {self.bits(part, bits)}" for sign, part in words)
        return f"static_cast<std::uint{bits}_t>({text.removeprefix('+ ')})"

    def pointer(self, operand: str, space: str, size: str) -> str:
        """The generic pointer of an address operand; `space` is "shared..." for the 32-bit window, else generic."""
        first, _ = self.address(operand)
        if space.startswith("shared"):
            self.models.add("shared")
            return f"{S}shared_pointer({self.integer(first, 32)}, {size}, spak_at)"
        return f"reinterpret_cast<void*>({self.integer(first, 64)})"

    def temporary(self) -> str:
        self.fresh += 1
        return f"spak_t{self.fresh}"

    def operand_address(self, operand: str) -> str:
        """The address of the C++ variable that an asm operand is bound to, which is not copied then."""
        if not re.fullmatch(r"%\d+", operand) or not self.name(operand):
            raise Unreadable("accumulators have to be operands of the asm statement")
        self.bound.add(int(operand[1:]))
        return f"&({self.statement.operands[int(operand[1:])].text})"


def guarded(instruction: Instruction, emitter: Emitter, text: str) -> str:
    """The text of an instruction, run only where its predicate holds."""
    if not instruction.guard:
        return text
    return f"if ({emitter.bits(instruction.guard, 1)}) {{ {text} }}"
