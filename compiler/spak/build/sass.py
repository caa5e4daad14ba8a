"""Contracts on machine code, judged on a disassembled cubin. Knows opcodes, not what a kernel computes.

A contract is a line of the spec's `sass`: `no local memory`, `no spills`, `no atomics`, `must contain HGMMA`,
`must not contain LDL`, `registers <= 128`. Opcodes are compared up to their first
modifier, so `HGMMA` finds `HGMMA.64x128x16.F32`; with a dot, as a prefix: `LDG.E.128` finds `LDG.E.128.CONSTANT`.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from spak.build.cubin import KernelFacts
from spak.effects import Do, Limits

_LIMITS = Limits(wall_seconds=120, output_bytes=256 << 20)
_TEXT = re.compile(r"^\s*\.text\.([\w$]+):")
_INSTRUCTION = re.compile(r"^\s*(?:\.L_\w+:\s*)?/\*[0-9a-f]+\*/\s+(?:\{\s*)?(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_.]*)")
_LOCAL = ("LDL", "STL")
_ATOMIC = ("ATOM", "ATOMG", "ATOMS", "RED", "REDG", "REDS")


@dataclass(frozen=True)
class Contract:
    """One parsed line: `kind` is lacks, contains, spills or registers; `opcodes` what it is about."""

    text: str
    kind: str
    opcodes: tuple[str, ...] = ()
    limit: int = 0


@dataclass(frozen=True)
class Verdict:
    """`kernel` is where a contract does not hold, '' for a contract about all of them."""

    contract: Contract
    holds: bool
    kernel: str = ""
    detail: str = ""


def parse(text: str) -> Contract | None:
    """A contract, or None for a line that is none."""
    words = " ".join(text.split())
    simple = {"no local memory": ("lacks", _LOCAL), "no atomics": ("lacks", _ATOMIC), "no spills": ("spills", ())}
    if words.lower() in simple:
        kind, opcodes = simple[words.lower()]
        return Contract(words, kind, opcodes)
    if match := re.fullmatch(r"must( not)? contain ([A-Za-z][\w.]*)", words, re.IGNORECASE):
        return Contract(words, "lacks" if match[1] else "contains", (match[2].upper(),))
    if match := re.fullmatch(r"registers <= (\d+)", words, re.IGNORECASE):
        return Contract(words, "registers", (), int(match[1]))
    return None


def disassembler() -> str:
    """The path of nvdisasm: beside the wheels, else on PATH; '' where there is none."""
    for entry in sys.path:
        for found in sorted(Path(entry).glob("nvidia/cu1[2-9]/bin/nvdisasm")) if entry else []:
            return str(found)
    return shutil.which("nvdisasm") or next((str(p) for p in sorted(Path("/usr/local").glob("cuda*/bin/nvdisasm"))), "")


def disassemble(image: bytes, do: Do, tool: str) -> dict[str, list[str]] | None:
    """The opcodes of every function, in order; None when the disassembler cannot read this cubin."""
    with tempfile.TemporaryDirectory() as folder:  # nvdisasm reads files only
        path = Path(folder) / "kernel.cubin"
        path.write_bytes(image)
        completed = do.run([tool, "-c", str(path)], limits=_LIMITS)
    found = opcodes(completed.stdout.decode(errors="replace")) if completed.ok else {}
    return found if found and all(found.values()) else None  # a listing that was not understood must not pass contracts


def opcodes(listing: str) -> dict[str, list[str]]:
    """Opcodes by function, of nvdisasm's listing."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in listing.splitlines():
        if match := _TEXT.match(line):
            current = found.setdefault(match[1], [])
        elif match := _INSTRUCTION.match(line):
            current.append(match[1])
    return found


def judge(contract: Contract, code: dict[str, list[str]], kernels: dict[str, KernelFacts]) -> Iterable[Verdict]:
    """The contract's verdict for the module: one for all, or one for every kernel that breaks it."""
    if contract.kind == "contains":
        wanted = contract.opcodes[0]
        holds = any(_is(op, wanted) for ops in code.values() for op in ops)
        yield Verdict(
            contract, holds, "", "" if holds else f"no {wanted} in {', '.join(sorted(code)) or 'an empty module'}"
        )
        return
    names = code if contract.kind == "lacks" else kernels  # a function that was not inlined counts as well
    broken = [
        v for name in sorted(names) if (v := _one(contract, name, code.get(name, []), kernels.get(name, KernelFacts())))
    ]
    yield from broken or [Verdict(contract, True)]


def needs_code(contract: Contract) -> bool:
    """Whether a contract is about instructions, and not only about what ptxas reported."""
    return contract.kind in ("lacks", "contains")


def _one(contract: Contract, name: str, code: list[str], facts: KernelFacts) -> Verdict | None:
    if contract.kind == "lacks":
        hits = [op for op in code if any(_is(op, bad) for bad in contract.opcodes)]
        return Verdict(contract, False, name, f"{len(hits)} times {hits[0]}") if hits else None
    if contract.kind == "spills" and facts.spill_stores + facts.spill_loads > 0:
        return Verdict(contract, False, name, f"{facts.spill_stores} bytes stored, {facts.spill_loads} bytes loaded")
    if contract.kind == "registers" and facts.registers > contract.limit:
        return Verdict(contract, False, name, f"{facts.registers} registers")
    return None


def _is(opcode: str, wanted: str) -> bool:
    return opcode == wanted or opcode.startswith(wanted + ".")
