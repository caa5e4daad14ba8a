"""Read what a compiled CUDA module says about its kernels: the cubin's ELF notes and ptxas's log. Compiles nothing.

A cubin is a 64-bit little-endian ELF file. `.nv.info` holds attributes of all functions, `.nv.info.<kernel>` those of
one, each as format byte, attribute byte and a 16-bit value, or a 16-bit size and that many bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from spak.model.base import Model

_FRAME_SIZE, _MIN_STACK, _REGCOUNT, _KPARAM, _PARAM_SIZE, _REQNTID, _MAX_THREADS = (
    0x11,
    0x12,
    0x2F,
    0x17,
    0x19,
    0x10,
    0x05,
)
_SIZED = 4  # the attribute format whose 16-bit field is a byte count
_SHT_SYMTAB = 2
_RESERVED = 1024


class KernelFacts(Model):
    """What one kernel uses. Bytes and counts; -1 where neither the cubin nor the log says."""

    registers: int = -1
    static_smem: int = 0
    stack_bytes: int = 0
    spill_stores: int = -1
    spill_loads: int = -1
    barriers: int = -1
    param_bytes: int = -1
    params: tuple[tuple[int, int], ...] = ()  # (offset, size) of each parameter, in order
    required_block: tuple[int, int, int] | None = None
    max_block: tuple[int, int, int] | None = None  # from __launch_bounds__


class Section(Model):
    name: str
    kind: int
    info: int
    offset: int
    size: int
    link: int


def sections(image: bytes) -> list[Section]:
    """The section table of a cubin. Raises ValueError when it is not a 64-bit little-endian ELF file."""
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    try:
        table, size, count, names_at = struct.unpack_from("<Q", image, 40) + struct.unpack_from("<HHH", image, 58)
        raw = [struct.unpack_from("<IIQQQQIIQQ", image, table + i * size) for i in range(count)]
        base = raw[names_at][4]
    except (struct.error, IndexError) as error:
        raise ValueError(f"truncated ELF file: {error}") from error
    return [
        Section(name=_text(image, base + s[0]), kind=s[1], offset=s[4], size=s[5], link=s[6], info=s[7]) for s in raw
    ]


def read(image: bytes) -> dict[str, KernelFacts]:
    """Facts of every kernel in a cubin. Raises ValueError when it is not one."""
    table = sections(image)
    kernels = [s.name.removeprefix(".nv.info.") for s in table if s.name.startswith(".nv.info.")]
    found: dict[str, dict[str, object]] = {name: {} for name in kernels}
    symbols = _symbols(image, table)
    # From sm_90 on, the section of a kernel that uses shared memory includes the system's own 1,024 bytes.
    reserved = _RESERVED if any(s.name.startswith(".nv.shared.reserved") for s in table) else 0
    for section in table:
        if section.name == ".nv.info":
            for attribute, value in _attributes(image, section):
                _read_module_attribute(attribute, value, symbols, found)
        elif section.name.startswith(".nv.info."):
            _read_kernel_attributes(_attributes(image, section), found[section.name.removeprefix(".nv.info.")])
        elif section.name.startswith(".nv.shared.") and section.name.removeprefix(".nv.shared.") in found:
            found[section.name.removeprefix(".nv.shared.")]["static_smem"] = max(section.size - reserved, 0)
    return {name: KernelFacts.model_validate(found[name]) for name in sorted(found)}


def _read_module_attribute(
    attribute: int, value: bytes, symbols: list[str], found: dict[str, dict[str, object]]
) -> None:
    names = {_REGCOUNT: "registers", _FRAME_SIZE: "stack_bytes"}
    if attribute not in names or len(value) != 8:
        return
    symbol, number = struct.unpack("<II", value)
    if symbol < len(symbols) and symbols[symbol] in found:
        found[symbols[symbol]][names[attribute]] = number


def _read_kernel_attributes(attributes: Iterator[tuple[int, bytes]], into: dict[str, object]) -> None:
    params: dict[int, tuple[int, int]] = {}
    for attribute, value in attributes:
        if attribute == _KPARAM and len(value) >= 12:
            _index, ordinal, offset, packed = struct.unpack_from("<IHHI", value)
            params[ordinal] = (offset, packed >> 18)  # the size sits above 18 bits of flags and space
        elif attribute == _PARAM_SIZE:
            into["param_bytes"] = int.from_bytes(value[:2], "little")
        elif attribute in (_REQNTID, _MAX_THREADS) and len(value) == 12:
            into["required_block" if attribute == _REQNTID else "max_block"] = struct.unpack("<III", value)
    into["params"] = tuple(params[i] for i in sorted(params))


def _attributes(image: bytes, section: Section) -> Iterator[tuple[int, bytes]]:
    at, end = section.offset, section.offset + section.size
    while at + 4 <= end:
        form, attribute, field = struct.unpack_from("<BBH", image, at)
        at += 4
        if form == _SIZED:
            yield attribute, image[at : at + field]
            at += field
        else:
            yield attribute, field.to_bytes(2, "little")


def _symbols(image: bytes, table: list[Section]) -> list[str]:
    for section in table:
        if section.kind == _SHT_SYMTAB:
            base = table[section.link].offset
            offsets = range(section.offset, section.offset + section.size, 24)
            return [_text(image, base + struct.unpack_from("<I", image, at)[0]) for at in offsets]
    return []


def _text(image: bytes, at: int) -> str:
    return image[at : image.index(b"\0", at)].decode(errors="replace")


_ENTRY = re.compile(r"Compiling entry function '([^']+)'")
_PROPERTIES = re.compile(r"Function properties for (\S+)")
_SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers(?:, used (\d+) barriers)?")


def read_log(log: str) -> dict[str, KernelFacts]:
    """The same facts as ptxas states them with `-v`; spills and barriers are known only from here."""
    found: dict[str, dict[str, int]] = {}
    entry = function = ""
    for line in log.splitlines():
        if match := _ENTRY.search(line):
            entry = match[1]
            found.setdefault(entry, {})
        elif match := _PROPERTIES.search(line):
            function = match[1]
        elif (match := _SPILLS.search(line)) and function == entry:
            found[entry] |= dict(
                zip(("stack_bytes", "spill_stores", "spill_loads"), map(int, match.groups()), strict=True)
            )
        elif (match := _USED.search(line)) and entry:
            found[entry]["registers"] = int(match[1])
            found[entry]["barriers"] = int(match[2] or 0)
            if smem := re.search(r"(\d+) bytes smem", line):
                found[entry]["static_smem"] = int(smem[1])
    return {name: KernelFacts.model_validate(found[name]) for name in sorted(found)}


def facts(image: bytes, log: str) -> dict[str, KernelFacts]:
    """What cubin and log say together; the cubin, which is what runs, has the last word. Raises ValueError."""
    from_log = read_log(log)
    merged = {}
    for name, kernel in read(image).items():
        said = from_log.get(name, KernelFacts())
        known = kernel.model_dump(exclude_unset=True)
        merged[name] = said.model_copy(update=known) if known else said
    return merged
