"""The table of instruction forms: a pattern of the opcode, and who makes C++ of it. Knows no form itself.

A pattern is a regular expression in which `.` is a plain dot; it must match the whole opcode, cache hints left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from spak.sim.ptx.emit import Emitter
from spak.sim.ptx.statement import Instruction, Unreadable

Maker = Callable[[Emitter, Instruction, dict[str, str]], str]
HINTS = re.compile(r"\.(?:L1::\w+|L2::\w+|level::\w+)")


# Qualifiers of accesses to memory, in the order in which the table has them: assemblers take them in any.
_QUALIFIERS = (
    ("weak", "volatile", "relaxed", "acquire", "release", "acq_rel"),
    ("cta", "cluster", "gpu", "sys"),
    ("global", "shared", "shared::cta", "shared::cluster", "local"),
)


@dataclass(frozen=True, slots=True)
class Form:
    pattern: re.Pattern[str]
    make: Maker
    count: tuple[int, ...]  # of operands; () is any


TABLE: list[Form] = []


def form(pattern: str, *count: int) -> Callable[[Maker], Maker]:
    """Enter a maker into the table. Several patterns may lead to one maker."""

    def enter(make: Maker) -> Maker:
        TABLE.append(Form(re.compile(pattern.replace(".", r"\.")), make, count))
        return make

    return enter


def _ordered(op: str) -> str:
    """`ld.global.acquire.gpu.b32` -> `ld.acquire.gpu.global.b32`."""
    name, *parts = op.split(".")
    if name not in ("ld", "st", "atom", "red") or "async" in parts:
        return op
    known = [part for group in _QUALIFIERS for part in parts if part in group]
    return ".".join([name, *known, *(part for part in parts if part not in known)])


def make(emitter: Emitter, instruction: Instruction) -> str:
    """The C++ of one instruction. Raises Unreadable for what the table does not have."""
    op = _ordered(HINTS.sub("", instruction.op))
    for entry in TABLE:
        match = entry.pattern.fullmatch(op)
        if match is None:
            continue
        if entry.count and len(instruction.operands) not in entry.count:
            break
        try:
            return entry.make(emitter, instruction, {key: value or "" for key, value in match.groupdict().items()})
        except Unreadable as error:
            raise Unreadable(error.what, instruction.at) from None
    operands = f" with {len(instruction.operands)} operands" if instruction.operands else ""
    raise Unreadable(f"the simulator has no model of the instruction `{instruction.op}`{operands}", instruction.at)
