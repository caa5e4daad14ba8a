"""Which folders of `specs/` hold a program to run rather than a kernel to build. Knows how they look, not what they say.

A program has nothing to compile: the build graph leaves its folder alone, and `spak check` resolves it. It is told by its text
alone, because the graph asks at every start.
"""

from __future__ import annotations

import re
from pathlib import Path

from spak.lang.source import MAX_BYTES

KERNEL = re.compile(r"^[ \t]*kernel[ \t]+[^\s({:]+[ \t]*[({]", re.MULTILINE)  # not the `kernel matmul` of a measurement
EXECUTED = re.compile(
    r"^[ \t]*(?:system|task|agent_loop|service_loop|engineering_loop|workflow|protocol|component|effect|trace_schema|model"
    r"|knowledge|fact|rule|build)\b"
    r'(?:"[^"\n]*"|[^:=\n("])*(?:\([^)]*\)[^:=\n]*)?\{',  # a name, parameters with types and defaults, a result
    re.MULTILINE,
)


def program_file(root: Path, folder: str) -> str:
    """The program of a folder, '' where it holds a kernel unit, or nothing that says what it is."""
    paths = sorted(p for pattern in ("SPEC.*.md", "*.dsl") for p in (root / folder).glob(pattern))
    if not paths:
        return ""
    return paths[0].relative_to(root).as_posix() if is_program(paths[0]) else ""


def is_program(path: Path) -> bool:
    """Whether a file holds no kernel, but something that is executed or known."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return False
    text = text.replace("\r\n", "\n")
    return not KERNEL.search(text) and bool(EXECUTED.search(text))
