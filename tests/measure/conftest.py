"""The built project that measuring tests copy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tuneproject import shared


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as built: nobody touches it."""
    return shared(tmp_path_factory)


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project, which is the working directory."""
    root = tmp_path / "project"
    shutil.copytree(built, root, symlinks=True)
    monkeypatch.chdir(root)
    monkeypatch.delenv("SPAK_CACHE", raising=False)
    return root
