"""A forge: builds hand-written kernels through the real build stage, one runtime library for all tests of a run."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forge import Forge

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """`runtimes("cpu")` is the path of the target's runtime library, built by whichever test process asks first."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "popen-gw" in base.name else base) / "runtimes"
    shared.mkdir(exist_ok=True)

    def library(target: str) -> str:
        from spak.build import runtimelib
        from spak.effects import Effects
        from spak.parse.targets import load_target

        out = shared / target / "libspak_runtime.a"
        with (shared / f"{target}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not out.is_file():
                toolchain = load_target(ROOT / f"targets/{target}.toml").toolchain
                options = runtimelib.Options(engine=toolchain.engine, compiler=toolchain.compiler, out=str(out))
                assert runtimelib.run(options, Effects()).ok
        return str(out)

    return library


@pytest.fixture(scope="session")
def forge(runtimes: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(tmp_path_factory.mktemp("forge"), runtimes)


@pytest.fixture(scope="session")
def kernels(forge: Forge) -> Callable[[str, str], Any]:
    """`kernels("matmul", "cpu")`: the function of a sample, built once a test process."""
    return forge.sample
