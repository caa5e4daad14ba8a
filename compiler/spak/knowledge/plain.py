"""Plain files: what a run left is read from nothing else, since a pipe would never end."""

from __future__ import annotations

import stat
from pathlib import Path


def is_strange(path: Path) -> bool:
    """Whether something is there that is no plain file. One look at it: what appears meanwhile is not there yet."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except OSError:  # whoever opens it says why
        return False
