"""Checks that remember: a unit is read again only if something that it was made of has changed. Knows no kind of check."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spak.errors import Diagnostic
from spak.semantics.checked import Checked, check_all, everything, subject
from spak.store.checked import Memory


def check(root: Path, files: Iterable[str] = (), *, fresh: bool = False) -> list[Diagnostic]:
    """All diagnostics of FILES, or of the whole project. Outside a project, or with `fresh`, nothing is remembered."""
    memory = Memory(root) if (root / "dodo.py").is_file() and not fresh else None

    def one(file: str) -> Checked:
        remembered = memory.recall(file) if memory is not None else None
        if remembered is not None:
            return remembered
        from spak.parse.check import (
            check_one,
        )  # what reads specs takes longer to import than a check that remembers all

        checked = check_one(root, file)
        if memory is not None:
            memory.keep(file, checked)
        return checked

    named = [subject(root, file) for file in files]
    found = check_all(root, named or everything(root), one)
    if memory is not None:
        memory.save()
    return found
