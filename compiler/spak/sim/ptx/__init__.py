"""Inline PTX: `asm` statements become calls of the simulator's models, in place, on the same lines. Knows no file."""

from __future__ import annotations

from spak.sim.ptx import arithmetic, asynchronous, collective, matrix, memory
from spak.sim.ptx.emit import Emitter, guarded
from spak.sim.ptx.forms import TABLE, make
from spak.sim.ptx.statement import Instruction, Statement, Unreadable, read
from spak.sim.work import Work

__all__ = ["TABLE", "arithmetic", "asynchronous", "collective", "matrix", "memory", "statement"]

_HINT = "use a function of <spak/cuda/...>, or leave the sim target out of the variant's targets"


def statement(work: Work, i: int) -> int:
    """Rewrite the asm statement at `i`; returns the index after it. Host code's is left alone."""
    opening = i + 1
    while work.at(opening) in ("volatile", "__volatile__", "__volatile", "inline", "goto"):
        opening += 1
    if work.at(opening) != "(" or (work.context.foreign and not _on_device(work, i)):
        return i + 1
    closing = work.closing(opening)
    found = Statement()
    try:
        read(found, work, opening, closing)
        text, models = translate(found)
    except Unreadable as error:
        token = work.code[i] if error.at < 0 or not found.places else found.token(error.at)
        if work.context.foreign:
            hint = "leave it out where the program runs on the simulator"
            work.replace(work.code[i].begin, work.code[closing].end, work.refuse("SPK591", error.what, token, hint))
        else:
            work.error("SPK591", error.what, token, _HINT)
        return closing + 1
    work.edits.headers.update(f"spak/sim/model/{name}.h" for name in models)
    work.replace(work.code[i].begin, work.code[closing].end, text)
    return closing + 1


def _on_device(work: Work, i: int) -> bool:
    """Whether code may run on the device. In a macro nobody knows; there is no other asm worth a macro here."""
    scopes = [scope for scope in work.shape.scopes[i] if scope.kind in ("function", "block")]
    return scopes[-1].device if scopes else bool(work.macro)


def translate(found: Statement) -> tuple[str, set[str]]:
    """An expression that does what the statement says, and the models that it needs. Raises Unreadable."""
    if not found.lines:
        return "({ })", set()  # a barrier for the compiler alone
    emitter = Emitter(found)
    body, labels = [], []
    for line in found.lines:
        if isinstance(line, str):
            labels.append(line)
            body.append(f"spak_{line}:;")
        else:
            body.append(guarded(line, emitter, _one(emitter, line, found)))
    declared = [f"__label__ {', '.join(f'spak_{label}' for label in labels)};"] if labels else []
    declared.append("[[maybe_unused]] const ::spak::sim::Site spak_at = ::spak::sim::here();")
    for i, operand in enumerate(found.operands):
        if operand.bits and i not in emitter.bound:
            cpp = f"std::uint{operand.bits}_t"
            start = f"::spak::sim::ptx::get<{cpp}>({operand.text})" if operand.read else "0"
            declared.append(f"[[maybe_unused]] {cpp} spak_{i} = {start};")
    for name, bits in found.registers.items():
        cpp = "bool" if bits == 1 else f"std::uint{bits}_t"
        declared.append(f"[[maybe_unused]] {cpp} spak_{name} = 0;")
    results = [
        f"::spak::sim::ptx::put({operand.text}, spak_{i});"
        for i, operand in enumerate(found.operands)
        if operand.written and operand.bits and i not in emitter.bound
    ]
    return "({ " + " ".join([*declared, *body, *results]) + " })", emitter.models


def _one(emitter: Emitter, line: Instruction, found: Statement) -> str:
    if line.parts[0] == "bra":
        target = line.operands[0].lstrip("\0%$") if line.operands else ""
        if target not in found.lines:
            raise Unreadable(f"`bra {target}` leads out of the statement", line.at)
        return f"goto spak_{target};"
    return make(emitter, line)
