"""The engine and the kernels of this folder, compiled once a session."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sim_harness

KERNELS = Path(__file__).parent / "kernels"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that all workers of a test run share, and a lock on it: who comes first compiles."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "spak-sim"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            objects = sim_harness.compile_engine(shared)
            for source in sorted(KERNELS.glob("*.cu")):
                sim_harness.build(source, shared, objects, *(["-Wno-error"] if source.stem == "faults" else []))
            (shared / "done").touch()
        fcntl.flock(lock, fcntl.LOCK_UN)
        yield shared


@pytest.fixture(scope="session")
def features(built: Path) -> sim_harness.Kernels:
    return sim_harness.Kernels(built / "features.so")


@pytest.fixture(scope="session")
def faults(built: Path) -> sim_harness.Kernels:
    return sim_harness.Kernels(built / "faults.so")


@pytest.fixture(scope="session")
def programs(built: Path) -> sim_harness.Kernels:
    return sim_harness.Kernels(built / "programs.so")
