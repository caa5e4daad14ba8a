"""What tests of runs are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.runs import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    (tmp_path / "dodo.py").touch()
    return Project(tmp_path)
