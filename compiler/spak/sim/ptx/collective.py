"""Forms that lanes, warps, blocks and clusters execute together, and those about the running thread. Knows no memory."""

from __future__ import annotations

from spak.sim.ptx.emit import Emitter, P, S
from spak.sim.ptx.forms import form
from spak.sim.ptx.statement import Instruction, Unreadable


@form(r"shfl.sync.(?P<op>idx|up|down|bfly).b32", 5)
def shuffle(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    to, _, predicate = i.operands[0].partition("|")
    a, b, c, mask = (e.bits(o, 32) for o in i.operands[1:])
    name = e.temporary()
    second = e.set(predicate, f"{name}.there") if predicate else ""
    call = f"{P}shuffle({P}Shuffle::{m['op']}, {a}, {b}, {c}, {mask}, spak_at)"
    return f"{{ const auto {name} = {call}; {e.set(to, f'{name}.value')} {second} }}"


@form(r"vote.sync.(?P<op>all|any|uni).pred", 3)
def vote(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    p, mask = e.bits(i.operands[1], 1), e.bits(i.operands[2], 32)
    if m["op"] == "uni":
        return e.set(i.operands[0], f"{P}uniform({p}, {mask}, spak_at)")
    return e.set(i.operands[0], f"__{m['op']}_sync({mask}, {p}, spak_at) != 0")


@form(r"vote.sync.ballot.b32", 3)
def ballot(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return e.set(i.operands[0], f"__ballot_sync({e.bits(i.operands[2], 32)}, {e.bits(i.operands[1], 1)}, spak_at)")


@form(r"match.(?P<op>any|all).sync.b(?P<bits>32|64)", 3)
def match(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    to, _, predicate = i.operands[0].partition("|")
    value, mask = e.bits(i.operands[1], int(m["bits"])), e.bits(i.operands[2], 32)
    if m["op"] == "any":
        return e.set(to, f"__match_any_sync({mask}, {value}, spak_at)")
    name = e.temporary()
    second = e.set(predicate, f"{name} != 0") if predicate else ""
    return f"{{ int {name} = 0; {e.set(to, f'__match_all_sync({mask}, {value}, &{name}, spak_at)')} {second} }}"


@form(r"redux.sync.(?P<op>add|min|max|and|or|xor).(?P<type>[bus]32)", 3)
def reduce(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    value, mask = e.value(i.operands[1], m["type"]), e.bits(i.operands[2], 32)
    return e.set(i.operands[0], f"__reduce_{m['op']}_sync({mask}, {value}, spak_at)")


@form(r"activemask.b32", 1)
def activemask(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return e.set(i.operands[0], f"{S}active_mask(spak_at)")


@form(r"elect.sync", 2)
def elect(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("elect")
    to, _, predicate = i.operands[0].partition("|")
    if not predicate:
        raise Unreadable("`elect.sync` needs a predicate: `_|p`")
    name = e.temporary()
    call = f"{S}elect({e.bits(i.operands[1], 32)}, &{name}, spak_at)"
    return f"{{ std::uint32_t {name} = 0; {e.set(predicate, call)} {e.set(to, name)} }}"


@form(r"bar.warp.sync", 1)
def bar_warp(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return f"__syncwarp({e.bits(i.operands[0], 32)}, spak_at);"


@form(r"(?:bar|barrier)(?:.cta)?(?:.sync)(?:.aligned)?", 1, 2)
def bar_sync(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """Barrier 0 with all threads is __syncthreads."""
    if len(i.operands) == 1 and i.operands[0] == "0":
        return "__syncthreads(spak_at);"
    e.models.add("barrier")
    threads = e.value(i.operands[1], "s32") if len(i.operands) == 2 else f"{P}whole_warps()"
    return f"{S}named_sync({e.value(i.operands[0], 's32')}, {threads}, spak_at);"


@form(r"(?:bar|barrier)(?:.cta)?.red.(?P<op>popc|and|or)(?:.aligned)?.(?:u32|pred)", 3)
def bar_red(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if i.operands[1] != "0":
        raise Unreadable(f"the simulator has no model of `{i.op}` at other barriers than 0")
    op = "count" if m["op"] == "popc" else m["op"]
    return e.set(i.operands[0], f"__syncthreads_{op}({e.bits(i.operands[2], 1)}, spak_at)")


@form(r"(?:bar|barrier)(?:.cta)?.arrive(?:.aligned)?", 2)
def bar_arrive(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("barrier")
    return f"{S}named_arrive({', '.join(e.value(o, 's32') for o in i.operands)}, spak_at);"


@form(r"barrier.cluster.arrive(?:.(?P<order>release|relaxed))?(?:.aligned)?", 0)
def cluster_arrive(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("cluster")
    return f"{S}cluster_arrive({'true' if m['order'] == 'relaxed' else 'false'}, spak_at);"


@form(r"barrier.cluster.wait(?:.acquire)?(?:.aligned)?", 0)
def cluster_wait(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("cluster")
    return f"{S}cluster_wait(spak_at);"


@form(r"setmaxnreg.(?P<op>inc|dec).sync.aligned.u32", 1)
def setmaxnreg(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("registers")
    return f"{S}set_registers({e.value(i.operands[0], 's32')}, {'true' if m['op'] == 'inc' else 'false'}, spak_at);"


@form(r"griddepcontrol.(?P<op>wait|launch_dependents)", 0)
def griddepcontrol(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("dependent")
    return f"{S}dependent_{'wait' if m['op'] == 'wait' else 'launch'}(spak_at);"


@form(r"nanosleep.u32", 1)
def nanosleep(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("special")
    return f"{S}pause({e.bits(i.operands[0], 32)}, spak_at);"


@form(r"exit", 0)
def leave(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return f"{S}end_thread();"


@form(r"trap", 0)
def trap(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return "__trap(spak_at);"
