"""Forms of mbarriers, asynchronous copies and the fences between proxies. Knows no matrix instruction."""

from __future__ import annotations

from spak.sim.ptx.emit import Emitter, S, bits_of
from spak.sim.ptx.forms import form
from spak.sim.ptx.statement import Instruction, Unreadable

_SHARED = r"(?P<space>.shared|.shared::cta|.shared::cluster)?"
_ORDER = r"(?:.(?:release|acquire|relaxed))?(?:.(?:cta|cluster))?"


def _bar(e: Emitter, operand: str, m: dict[str, str]) -> str:
    e.models.add("mbarrier")
    return f"static_cast<std::uint64_t*>({e.pointer(operand, m['space'].lstrip('.'), '8')})"


@form(r"mbarrier.(?P<op>init|inval)" + _SHARED + r".b64", 1, 2)
def mbarrier_init(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    if m["op"] == "inval":
        return f"{S}mbarrier_invalidate({_bar(e, i.operands[0], m)}, spak_at);"
    return f"{S}mbarrier_init({_bar(e, i.operands[0], m)}, {e.bits(i.operands[1], 32)}, spak_at);"


@form(
    r"mbarrier.(?P<op>arrive|arrive_drop)(?P<expect>.expect_tx)?(?P<open>.noComplete)?" + _ORDER + _SHARED + r".b64",
    1, 2, 3,
)  # fmt: skip
def mbarrier_arrive(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    operands = list(i.operands)
    to = operands.pop(0) if not operands[0].startswith("[") else "_"
    count = e.bits(operands[1], 32) if len(operands) > 1 else "1u"
    if m["expect"] and m["op"] == "arrive_drop":
        raise Unreadable(f"the simulator has no model of the instruction `{i.op}`")
    name = "mbarrier_arrive_expect_tx" if m["expect"] else f"mbarrier_{m['op']}"
    if m["open"]:
        name = "mbarrier_arrive_no_complete"
    return e.set(to, f"{S}{name}({_bar(e, operands[0], m)}, {count}, spak_at)")


@form(r"mbarrier.(?P<op>expect_tx|complete_tx)" + _ORDER + _SHARED + r".b64", 2)
def mbarrier_tx(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    return f"{S}mbarrier_{m['op']}({_bar(e, i.operands[0], m)}, {e.bits(i.operands[1], 32)}, spak_at);"


@form(r"mbarrier.(?P<op>test_wait|try_wait)(?P<parity>.parity)?" + _ORDER + _SHARED + r".b64", 3, 4)
def mbarrier_wait(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """The limit of time that try_wait may state has no effect: it suspends until the phase is complete."""
    bar = _bar(e, i.operands[1], m)
    if m["parity"]:
        return e.set(i.operands[0], f"{S}mbarrier_{m['op']}({bar}, {e.bits(i.operands[2], 32)}, spak_at)")
    return e.set(i.operands[0], f"{S}mbarrier_{m['op']}_state({bar}, {e.bits(i.operands[2], 64)}, spak_at)")


@form(r"mbarrier.pending_count.b64", 2)
def mbarrier_pending(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("mbarrier")
    return e.set(i.operands[0], f"{S}mbarrier_pending_count({e.bits(i.operands[1], 64)})")


@form(r"cp.async.(?P<cache>ca|cg).shared(?:::cta)?.global", 3, 4, 5)
def cp_async(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    """The fourth operand is the size of the source, or a predicate that makes it 0, or a cache policy."""
    e.models.add("cp_async")
    bytes_, source = e.bits(i.operands[2], 32), e.bits(i.operands[2], 32)
    if len(i.operands) > 3 and e.size(i.operands[3]) != 64:
        one = e.size(i.operands[3].lstrip("!")) == 1
        source = f"({e.bits(i.operands[3], 1)} ? 0u : {bytes_})" if one else e.bits(i.operands[3], 32)
    to = e.pointer(i.operands[0], "shared", bytes_)
    where = e.pointer(i.operands[1], "", "")
    return f"{S}cp_async({to}, {where}, static_cast<int>({bytes_}), static_cast<int>({source}), spak_at);"


@form(r"cp.async.(?P<op>commit_group|wait_all)", 0)
def cp_async_group(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("cp_async")
    return f"{S}cp_async_{'commit' if m['op'] == 'commit_group' else 'wait_all'}(spak_at);"


@form(r"cp.async.(?P<bulk>bulk.)?wait_group(?P<read>.read)?", 1)
def wait_group(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    pending = e.value(i.operands[0], "s32")
    e.models.add("bulk" if m["bulk"] else "cp_async")
    if not m["bulk"]:
        return f"{S}cp_async_wait({pending}, spak_at);"
    return f"{S}bulk_wait{'_read' if m['read'] else ''}({pending}, spak_at);"


@form(r"cp.async.bulk.commit_group", 0)
def bulk_commit(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("bulk")
    return f"{S}bulk_commit(spak_at);"


@form(r"cp.async.mbarrier.arrive(?P<noinc>.noinc)?" + _SHARED + r".b64", 1)
def cp_async_arrive(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("cp_async")
    return f"{S}cp_async_mbarrier_arrive{'_noinc' if m['noinc'] else ''}({_bar(e, i.operands[0], m)}, spak_at);"


_TX = r".mbarrier::complete_tx::bytes"


@form(r"cp.async.bulk.shared::(?:cluster|cta).global" + _TX + r"(?P<multicast>.multicast::cluster)?", 4, 5, 6)
def bulk_load(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models |= {"bulk", "mbarrier"}
    size = e.bits(i.operands[2], 32)
    to, where = e.pointer(i.operands[0], "shared", size), e.pointer(i.operands[1], "", "")
    bar = _bar(e, i.operands[3], {"space": ".shared"})
    mask = f", {e.bits(i.operands[4], 16)}" if m["multicast"] else ""
    return f"{S}bulk_load{'_multicast' if mask else ''}({to}, {where}, {size}, {bar}{mask}, spak_at);"


@form(r"st.async(?:.weak)?.shared::cluster" + _TX + r"(?:.v(?P<n>[24]))?.(?P<type>[busf](?:32|64))", 3)
def store_async(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models |= {"bulk", "mbarrier"}
    bits, values = bits_of(m["type"]), e.vector(i.operands[1])
    if len(values) != int(m["n"] or 1):
        raise Unreadable(f"`{i.op}` needs {m['n'] or 1} registers")
    to, bar = e.pointer(i.operands[0], "shared", str(len(values) * bits // 8)), {"space": ".shared"}
    name, listed = e.temporary(), ", ".join(e.bits(value, bits) for value in values)
    call = f"{S}store_async({to}, {name}, sizeof {name}, {_bar(e, i.operands[2], bar)}, spak_at);"
    return f"{{ const std::uint{bits}_t {name}[] = {{{listed}}}; {call} }}"


@form(r"cp.async.bulk.shared::cluster.shared::cta" + _TX, 4)
def bulk_peer(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models |= {"bulk", "mbarrier"}
    size = e.bits(i.operands[2], 32)
    to, where = (e.pointer(o, "shared", size) for o in i.operands[:2])
    return f"{S}bulk_copy_cluster({to}, {where}, {size}, {_bar(e, i.operands[3], {'space': '.shared'})}, spak_at);"


@form(r"cp.async.bulk.global.shared::cta.bulk_group", 3, 4)
def bulk_store(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("bulk")
    size = e.bits(i.operands[2], 32)
    return f"{S}bulk_store({e.pointer(i.operands[0], '', '')}, {e.pointer(i.operands[1], 'shared', size)}, {size}, spak_at);"


_REDUCTIONS = {"and": "bit_and", "or": "bit_or", "xor": "bit_xor"}


@form(
    r"cp.reduce.async.bulk.global.shared::cta.bulk_group.(?P<op>add|min|max|inc|dec|and|or|xor)(?:.noftz)?"
    r".(?P<type>u32|s32|u64|s64|f16|f32|f64|bf16|b32|b64)",
    3, 4,
)  # fmt: skip
def bulk_reduce(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("bulk")
    size = e.bits(i.operands[2], 32)
    element = m["type"].replace("b32", "u32").replace("b64", "u64")
    how = f"{S}Reduction::{_REDUCTIONS.get(m['op'], m['op'])}, {S}Element::{element}"
    to, where = e.pointer(i.operands[0], "", ""), e.pointer(i.operands[1], "shared", size)
    return f"{S}bulk_reduce({how}, {to}, {where}, {size}, spak_at);"


def _tensor(e: Emitter, operand: str, rank: int) -> tuple[str, str]:
    """The map's address and an array of coordinates."""
    e.models.add("tma")
    first, coordinates = e.address(operand)
    if len(coordinates) != rank:
        raise Unreadable(f"a tensor of {rank} dimensions needs {rank} coordinates")
    listed = ", ".join(e.value(one, "s32") for one in coordinates)
    return f"reinterpret_cast<const void*>({e.integer(first, 64)})", listed


def _call(e: Emitter, text: str, listed: str) -> str:
    return f"{{ const int spak_at_tile[] = {{{listed}}}; {S}{text} }}"


@form(
    r"cp.async.bulk.tensor.(?P<rank>[1-5])d.shared::(?:cluster|cta).global(?:.tile)?" + _TX
    + r"(?P<multicast>.multicast::cluster)?(?:.cta_group::1)?",
    3, 4, 5,
)  # fmt: skip
def tensor_load(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    map_, listed = _tensor(e, i.operands[1], int(m["rank"]))
    to, bar = e.pointer(i.operands[0], "shared", "16"), _bar(e, i.operands[2], {"space": ".shared"})
    if m["multicast"]:
        mask = e.bits(i.operands[3], 16)
        return _call(e, f"tma_load_multicast({to}, {map_}, {bar}, {mask}, {m['rank']}, spak_at_tile, spak_at);", listed)
    return _call(e, f"tma_load({to}, {map_}, {bar}, {m['rank']}, spak_at_tile, spak_at);", listed)


@form(r"cp.async.bulk.tensor.(?P<rank>[1-5])d.global.shared::cta(?:.tile)?.bulk_group", 2, 3)
def tensor_store(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    map_, listed = _tensor(e, i.operands[0], int(m["rank"]))
    return _call(
        e, f"tma_store({map_}, {e.pointer(i.operands[1], 'shared', '16')}, {m['rank']}, spak_at_tile, spak_at);", listed
    )


@form(
    r"cp.reduce.async.bulk.tensor.(?P<rank>[1-5])d.global.shared::cta.(?P<op>add|min|max|inc|dec|and|or|xor)(?:.tile)?.bulk_group",
    2, 3,
)  # fmt: skip
def tensor_reduce(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    map_, listed = _tensor(e, i.operands[0], int(m["rank"]))
    how = f"{S}Reduction::{_REDUCTIONS.get(m['op'], m['op'])}"
    return _call(
        e,
        f"tma_reduce({how}, {map_}, {e.pointer(i.operands[1], 'shared', '16')}, {m['rank']}, spak_at_tile, spak_at);",
        listed,
    )


@form(r"prefetch.tensormap", 1)
def prefetch_tensormap(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("tma")
    return f"{S}tma_prefetch({e.pointer(i.operands[0], '', '')}, spak_at);"


@form(r"cp.async.bulk.prefetch(?:.tensor.[1-5]d)?.L2.global(?:.tile)?", 1, 2, 3)
def prefetch(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.address(i.operands[0])
    return ";"


@form(r"fence.proxy.async(?:.(?P<space>global|shared::cta|shared::cluster|shared::\{cta,cluster\}))?", 0)
def fence_proxy(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("fence")
    space = "shared" if m["space"].startswith("shared") else m["space"] or "all"
    return f"{S}fence_proxy_async({S}ProxySpace::{space}, spak_at);"


@form(r"fence.mbarrier_init.release.cluster", 0)
def fence_init(e: Emitter, i: Instruction, m: dict[str, str]) -> str:
    e.models.add("fence")
    return f"{S}fence_mbarrier_init(spak_at);"
