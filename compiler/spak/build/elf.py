"""Reads an ELF file: which symbols it needs, and whether code runs when it is loaded. Knows nothing of why one asks."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

_SYMTAB, _DYNSYM, _INIT_ARRAY, _PREINIT_ARRAY = 2, 11, 14, 16
_GLOBAL, _WEAK = 1, 2
_SECTION, _FILE = 3, 4
_WRITE, _ALLOC = 1, 2
#: Constructors, constants that hold addresses, and the compiler's own reference to its unwinder.
_NOT_STATE = (
    ".init_array",
    ".fini_array",
    ".data.rel.ro",
    ".tm_clone_table",
    ".data.rel.local.DW.ref.__gxx_personality_v0",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """Symbols that are needed from elsewhere, that are there for others to use (weak ones, such as inline functions, apart), and
    how many entries the init arrays have, which is what runs on loading. `writable` names the sections that outlive a call."""

    undefined: tuple[str, ...]
    defined: tuple[str, ...]
    weak: tuple[str, ...]
    constructors: int
    writable: tuple[str, ...] = ()


def read(path: str | Path) -> Facts:
    """The facts of a 64-bit little-endian ELF object or shared library. Raises ValueError for anything else."""
    image = Path(path).read_bytes()
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError(f"{path} is no 64-bit little-endian ELF file")
    (offset,) = struct.unpack_from("<Q", image, 40)
    size, count, names_at = struct.unpack_from("<HHH", image, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", image, offset + size * i) for i in range(count)]
    undefined: set[str] = set()
    defined: set[str] = set()
    weak: set[str] = set()
    constructors = 0
    kinds = {section[1] for section in sections}
    table = _SYMTAB if _SYMTAB in kinds else _DYNSYM
    writable: set[str] = set()
    base = sections[names_at][4]
    for label, kind, flags, _, start, length, link, _, _, entry in sections:
        section = image[base + label : image.index(b"\0", base + label)].decode(errors="replace")
        if flags & _WRITE and flags & _ALLOC and length and not section.startswith(_NOT_STATE):
            writable.add(section)
        if kind in (_INIT_ARRAY, _PREINIT_ARRAY):
            constructors += length // 8
        if kind != table:
            continue
        names = image[sections[link][4] : sections[link][4] + sections[link][5]]
        for at in range(start + entry, start + length, entry):
            name, info, _, index = struct.unpack_from("<IBBH", image, at)
            text = names[name : names.index(b"\0", name)].decode(errors="replace")
            if not text or info & 15 in (_SECTION, _FILE):
                continue
            if index == 0:
                undefined.add(text)
            elif info >> 4 == _GLOBAL:
                defined.add(text)
            elif info >> 4 == _WEAK:
                weak.add(text)
    return Facts(
        tuple(sorted(undefined)), tuple(sorted(defined)), tuple(sorted(weak)), constructors, tuple(sorted(writable))
    )
