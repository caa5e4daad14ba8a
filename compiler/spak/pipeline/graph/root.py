"""Where a project begins. Knows nothing of its settings, so that a build finds its tree before any model is imported."""

from __future__ import annotations

from pathlib import Path

from spak.errors import Diagnostic, SpakError


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that holds a `dodo.py`. Raises SpakError."""
    for folder in (start, *start.parents):
        if (folder / "dodo.py").is_file():
            return folder
    raise SpakError(
        Diagnostic(
            "SPK901", f"no dodo.py in {start.name or start} or above it", None, "`spak init NAME` makes a new project"
        )
    )
