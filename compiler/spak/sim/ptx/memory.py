"""Forms that load, store and combine in memory, and those about addresses and fences. Knows no asynchronous copy."""

from __future__ import annotations

import re

from spak.sim.ptx.emit import CPP, Emitter, P, S, bits_of
from spak.sim.ptx.forms import form
from spak.sim.ptx.statement import Instruction, Unreadable

_SPACE = r"(?:.(?P<space>global|shared|shared::cta|shared::cluster|local|const|param))?"
_CACHE = r"(?:.(?:ca|cg|cs|lu|cv|wb|wt|nc))*"
_ORDER = r"(?:.(?P<order>weak|volatile|relaxed|acquire|release|acq_rel))?"
_SCOPE = r"(?:.(?P<scope>cta|cluster|gpu|sys))?"
_FENCES = {"cta": "block", "cluster": "cluster", "gpu": "device", "gl": "device", "sys": "system"}


@form(r"ld" + _ORDER + _SCOPE + _SPACE + _CACHE + r"(?:.v(?P<n>[248]))?.(?P<type>[busf](?:8|16|32|64))", 2, 3)
def load(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    registers, bits = e.vector(i.operands[0]), bits_of(m["type"])
    if len(registers) != int(m["n"] or 1):
        raise Unreadable(f"`{i.op}` needs {m['n'] or 1} registers")
    pointer = e.pointer(i.operands[1], m["space"], str(len(registers) * bits // 8))
    kind = CPP[m["type"]] if bits == 8 else f"std::{'int' if m['type'][0] == 's' else 'uint'}{bits}_t"
    if m["order"] in ("volatile", "relaxed", "acquire") and len(registers) == 1:
        order = "__ATOMIC_ACQUIRE" if m["order"] == "acquire" else "__ATOMIC_RELAXED"
        return e.set(
            registers[0], f"{P}extend<{kind}>({P}load_atomic<{kind}>({pointer}, {order}, {_scope(m)}, spak_at))"
        )
    name = e.temporary()
    moved = " ".join(e.set(one, f"{P}extend<{kind}>({name}.v[{k}])") for k, one in enumerate(registers))
    return f"{{ const auto {name} = {P}load<{kind}, {len(registers)}>({pointer}, spak_at); {moved} }}"


@form(r"st" + _ORDER + _SCOPE + _SPACE + _CACHE + r"(?:.v(?P<n>[248]))?.(?P<type>[busf](?:8|16|32|64))", 2, 3)
def store(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    values, bits = e.vector(i.operands[1]), bits_of(m["type"])
    pointer = e.pointer(i.operands[0], m["space"], str(len(values) * bits // 8))
    kind = f"std::uint{bits}_t"
    if m["order"] in ("volatile", "relaxed", "release") and len(values) == 1:
        order = "__ATOMIC_RELEASE" if m["order"] == "release" else "__ATOMIC_RELAXED"
        return f"{P}store_atomic<{kind}>({pointer}, {_narrow(e, values[0], bits)}, {order}, {_scope(m)}, spak_at);"
    listed = ", ".join(_narrow(e, value, bits) for value in values)
    return f"{P}store<{kind}, {len(values)}>({pointer}, {{{{{listed}}}}}, spak_at);"


def _narrow(e: Emitter, operand: str, bits: int) -> str:
    return f"static_cast<std::uint8_t>({e.bits(operand, 16)})" if bits == 8 else e.bits(operand, bits)


def _scope(m: dict[str, str]) -> str:
    return f"{S}FenceScope::{_FENCES[m.get('scope') or 'sys' if m.get('order') == 'volatile' else m.get('scope') or 'gpu']}"


@form(
    r"(?P<what>atom|red)" + _ORDER + _SCOPE + _SPACE + r".(?P<op>add|min|max|inc|dec|and|or|xor|exch|cas)(?:.noftz)?"
    r"(?:.(?P<n>v[248]))?.(?P<type>[busf](?:32|64)|f16x2|bf16x2)",
    2, 3, 4, 5,
)  # fmt: skip
def atomic(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    operands = list(i.operands)
    to = operands.pop(0) if m["what"] == "atom" else "_"
    wanted = 2 if m["op"] == "cas" else 1
    halves = m["type"].endswith("x2")
    if len(operands) - 1 not in (wanted, wanted + 1) or (halves and (m["op"] != "add" or m["n"])):
        raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
    bits = bits_of(m["type"])
    space = m["space"]
    parts = e.vector(operands[1])
    pointer = e.pointer(operands[0], space, str(len(parts) * bits // 8))
    order = f"{P}Order::{'relaxed' if m['order'] in ('', 'volatile') else m['order']}"
    if m["n"]:  # each element by itself, as PTX says
        if to != "_" or m["op"] != "add" or m["type"] != "f32" or len(parts) != int(m["n"][1]):
            raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
        each = (f"{P}atomic_add<float>(static_cast<float*>({pointer}) + {k}, {e.value(o, 'f32')}, {order}, {_scope(m)}, spak_at)"
                for k, o in enumerate(parts))  # fmt: skip
        return " ".join(f"static_cast<void>({one});" for one in each)
    if halves:
        kind = "true" if m["type"] == "bf16x2" else "false"
        call = f"{P}atomic_add_halves<{kind}>({pointer}, {e.bits(operands[1], 32)}, {order}, {_scope(m)}, spak_at)"
        e.models.add("formats")
        return e.set(to, call)
    kind = m["type"] if m["op"] in ("min", "max") or m["type"][0] == "f" else f"u{bits}"
    values = ", ".join(e.value(o, kind) for o in operands[1 : 1 + wanted])
    op = f"{m['op']}_" if m["op"] in ("and", "or", "xor") else m["op"]
    call = f"{P}atomic_{op}<{CPP[kind]}>({pointer}, {values}, {order}, {_scope(m)}, spak_at)"
    return e.set(to, call)


@form(r"cvta.to.(?P<space>shared|shared::cta|shared::cluster|global|local|const|param).u(?P<bits>32|64)", 2)
def cvta_to(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if not m["space"].startswith("shared"):
        return e.set(i.operands[0], e.bits(i.operands[1], int(m["bits"])))
    e.models.add("shared")
    return e.set(
        i.operands[0], f"{S}shared_address(reinterpret_cast<const void*>({e.bits(i.operands[1], 64)}), spak_at)"
    )


@form(r"cvta.(?P<space>shared|shared::cta|shared::cluster|global|local|const|param).u64", 2)
def cvta(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if not m["space"].startswith("shared"):
        return e.set(i.operands[0], e.bits(i.operands[1], 64))
    e.models.add("shared")
    pointer = f"{S}shared_pointer({e.bits(i.operands[1], 32)}, 1, spak_at)"
    return e.set(i.operands[0], f"reinterpret_cast<std::uint64_t>({pointer})")


@form(r"isspacep.(?P<space>shared|shared::cta|shared::cluster|global)", 2)
def isspacep(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    shared = f"{P}is_shared(reinterpret_cast<const void*>({e.bits(i.operands[1], 64)}))"
    e.models.add("shared")
    return e.set(i.operands[0], shared if m["space"].startswith("shared") else f"!{shared}")


@form(r"mapa(?P<space>.shared::cluster)?.u(?P<bits>32|64)", 3)
def mapa(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models |= {"shared", "cluster"}
    rank = e.bits(i.operands[2], 32)
    if m["space"]:
        own = f"{S}shared_pointer({e.bits(i.operands[1], 32)}, 1, spak_at)"
        return e.set(i.operands[0], f"{S}shared_address({S}cluster_map({own}, {rank}, spak_at), spak_at)")
    own = f"reinterpret_cast<const void*>({e.bits(i.operands[1], 64)})"
    return e.set(i.operands[0], f"reinterpret_cast<std::uint64_t>({S}cluster_map({own}, {rank}, spak_at))")


@form(r"getctarank(?P<space>.shared::cluster)?.u(?P<bits>32|64)", 2)
def getctarank(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("shared")
    if m["space"]:
        return e.set(i.operands[0], f"{P}rank_of({e.bits(i.operands[1], 32)}, spak_at)")
    pointer = f"reinterpret_cast<const void*>({e.bits(i.operands[1], 64)})"
    return e.set(i.operands[0], f"{P}rank_of({S}shared_address({pointer}, spak_at), spak_at)")


@form(r"membar.(?P<scope>cta|gl|sys|gpu)", 0)
@form(r"fence(?:.(?:sc|acq_rel|acquire|release))?.(?P<scope>cta|cluster|gpu|sys)", 0)
def fence(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return f"{S}fence({S}FenceScope::{_FENCES[m['scope']]});"


@form(
    r"(?:prefetch|prefetchu|discard|applypriority)(?:.(?:global|local|shared|const))?(?:.(?:L1|L2|evict_normal|tensormap))*",
    1,
    2,
)
def hint(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """Without effect on results; but the address has to be one."""
    e.address(i.operands[0])
    return ";"


@form(r"createpolicy.[\w.]+", 2, 3, 4)
def policy(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return e.set(i.operands[0], "std::uint64_t{0}") if re.match(r"createpolicy\.", i.op) else ""
