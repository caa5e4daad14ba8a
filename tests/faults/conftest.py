"""Fault tests build throw-away projects; their stage and driver are imported as `tests.*`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent))


@pytest.fixture
def tree(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A chain of three actions and a sibling, not yet built."""
    from tests.faults.tree import chain

    return chain(tmp_path / "project")
