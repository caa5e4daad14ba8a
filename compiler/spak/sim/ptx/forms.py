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


def make(emitter: Emitter, instruction: Instruction) -> str:
    """The C++ of one instruction. Raises Unreadable for what the table does not have."""
    op = HINTS.sub("", instruction.op)
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
