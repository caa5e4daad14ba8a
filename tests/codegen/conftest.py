"""Fixtures of the codegen tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_project import Project, make


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project to settle replies in; the working directory is its root."""
    before = Path.cwd()
    yield make(tmp_path)
    os.chdir(before)
