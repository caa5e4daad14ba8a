"""The spec files below a folder, and how a change of one is shown. Knows names of files, not what is in them."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

SKIPPED = frozenset({"build", "dist", "generated", "node_modules", "__pycache__"})


def spec_paths(folder: Path) -> list[Path]:
    """Every `SPEC.*.md` and `*.dsl` below a folder, sorted; hidden folders and build outputs are left out."""
    found: list[Path] = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        found += (Path(base) / name for name in names if is_spec(name))
    return sorted(found)


def is_spec(name: str) -> bool:
    """Whether a file's name says that it is one of the language."""
    return name.endswith(".dsl") or (name.startswith("SPEC.") and name.endswith(".md"))


def unified(old: str, new: str, name: str) -> str:
    """A change as a unified diff."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm="")
    return "".join(f"{line}\n" for line in lines)
