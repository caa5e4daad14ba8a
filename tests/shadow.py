"""Lets a copy of the compiler stand in for the installed one."""

from __future__ import annotations

from pathlib import Path

HOOK = """import sys

sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
"""


def shadow(folder: Path) -> None:
    """Make `PYTHONPATH=folder` win over an editable install, whose finder would come first."""
    (folder / "sitecustomize.py").write_text(HOOK)
