"""The tests of handlers share the sample project of the codegen tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "codegen"))

from sample_project import Project, make


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project to settle replies in; the working directory is its root."""
    before = Path.cwd()
    yield make(tmp_path)
    os.chdir(before)
