"""The kernels of this folder, compiled once on a machine for each content."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import sim_harness

KERNELS = Path(__file__).parent / "kernels"


@pytest.fixture(scope="session")
def features() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "features.cu")


@pytest.fixture(scope="session")
def faults() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "faults.cu", flags=["-Wno-error"])


@pytest.fixture(scope="session")
def programs() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "programs.cu")


@pytest.fixture(scope="session")
def engine() -> sim_harness.Kernels:
    return sim_harness.build(KERNELS / "engine.cu", flags=["-I", str(sim_harness.CSRC / "sim"), "-Wno-error"])
