"""A small real project for end-to-end tests, built once a session; every test gets a copy of it as it was then."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from built import CACHE, SEEDED
from realproject import Project, lay_out

OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_COLOR": "1"}


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of a test session; SPAK_E2E names one that outlives it."""
    if kept := os.environ.get("SPAK_E2E"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        return Path(kept)
    base = factory.getbasetemp()
    folder = (base.parent if "popen-gw" in base.name else base) / "e2e"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project as built: nobody touches it."""
    shared = shared_folder(tmp_path_factory)
    with (shared / "base.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(shared / "base", shared / "cache")
        if not (shared / "done").exists():
            shutil.rmtree(project.root, ignore_errors=True)
            lay_out(project.root)
            project.command("-c", SEEDED, str(CACHE), "runtime:")
            project.build()
            (shared / "done").touch()
        return project


@pytest.fixture
def project(base: Project, tmp_path: Path) -> Project:
    """A copy of the built project, in which nothing is to be done."""
    return base.copy(tmp_path / "project")


@pytest.fixture
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session's action cache: what one test has compiled no other compiles again."""
    return shared_folder(tmp_path_factory) / "cache"


@pytest.fixture(scope="session")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `spak init demo` makes: nobody touches it."""
    outside = Project(tmp_path_factory.mktemp("initialized"), shared_folder(tmp_path_factory) / "cache")
    outside.spak("init", "demo")
    seeded = Project(outside.root / "seeded", outside.cache)
    shutil.copytree(outside.root / "demo", seeded.root)
    seeded.command("-c", SEEDED, str(CACHE), "runtime:")
    return outside.root / "demo"


@pytest.fixture
def demo(initialized: Path, tmp_path: Path, shared_cache: Path) -> Project:
    """A fresh project; the session's cache spares it the runtime library."""
    shutil.copytree(initialized, tmp_path / "demo", symlinks=True)
    return Project(tmp_path / "demo", shared_cache, env=dict(OFFLINE))
