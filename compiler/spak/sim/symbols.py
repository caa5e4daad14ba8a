"""Instructions to source lines, with the line table of a module. Knows nothing of findings.

addr2line comes with the compiler's binutils; DWARF is not parsed here, since inlined frames alone would be a project.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PLACE = re.compile(r"^(?P<file>.*):(?P<line>\d+|\?)(?: \(discriminator \d+\))?$")
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Frame:
    """One function that an instruction is part of, innermost (an inlined one) first; `line` 0 where none is known."""

    function: str
    file: str
    line: int


def frames(module: Path, offsets: Iterable[int]) -> dict[int, tuple[Frame, ...]]:
    """For each offset into the module its frames, innermost first; () where the module says nothing.

    Offsets are return addresses: the instruction looked for is the call before. One process for all of them.
    """
    wanted = sorted(set(offsets))
    if not wanted or not module.is_file():
        return dict.fromkeys(wanted, ())
    command = ["addr2line", "-a", "-i", "-f", "-C", "-e", str(module)]
    asked = "".join(f"{max(offset - 1, 0):#x}\n" for offset in wanted)
    try:
        done = subprocess.run(command, input=asked, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return dict.fromkeys(wanted, ())
    return dict(zip(wanted, _blocks(done.stdout), strict=False)) if done.returncode == 0 else dict.fromkeys(wanted, ())


def _blocks(said: str) -> Iterable[tuple[Frame, ...]]:
    """addr2line -a says an address, then a function and a place a frame."""
    block: list[str] | None = None
    for line in [*said.splitlines(), "0x0"]:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            if block is not None:
                yield tuple(_frame(*pair) for pair in zip(block[::2], block[1::2], strict=False) if pair[1][:2] != "??")
            block = []
        elif block is not None:
            block.append(line)


def _frame(function: str, place: str) -> Frame:
    match = _PLACE.match(place)
    if match is None:
        return Frame(function, place, 0)
    return Frame(function, match["file"], int(match["line"]) if match["line"] != "?" else 0)
