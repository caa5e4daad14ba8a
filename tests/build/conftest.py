"""A forge: builds hand-written kernels through the real build stage, one runtime library for all tests of a run."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from forge import Forge

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests" / "e2e"))  # how the shipped project is copied


#: Executes the graph's own action: what the project's build has made is restored and not compiled again.
RUNTIME = """
import sys
from pathlib import Path
from spak.pipeline.execution.session import Session
session = Session(Path.cwd())
session.open()
try:
    (action,) = [one for name, one in session.network.actions.items() if name.startswith(f"runtime:{sys.argv[1]}-")]
    result = session.executor.execute(action)
    assert result.ok, [str(one) for one in result.diagnostics]
    print(action.outputs[0])
finally:
    session.close()
"""


@pytest.fixture(scope="session")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """`runtimes("cpu")` is the path of the target's runtime library, out of the project's cache where it is there, else built by
    whichever test process asks first."""
    import built

    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "popen-gw" in base.name else base) / "runtimes"
    shared.mkdir(exist_ok=True)
    found: dict[str, str] = {}

    def library(target: str) -> str:
        from spak.parse.targets import load_target

        engine = load_target(ROOT / f"targets/{target}.toml").toolchain.engine
        if engine not in found:
            with (shared / "lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                root = shared / "tree"
                tree = built.Tree(root, built.environment()) if root.exists() else built.copy(root)
                found[engine] = str(root / tree.python(RUNTIME, engine).stdout.split()[-1])
        return found[engine]

    return library


@pytest.fixture(scope="session")
def forge(runtimes: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return Forge(tmp_path_factory.mktemp("forge"), runtimes)


@pytest.fixture(scope="session")
def kernels(forge: Forge) -> Callable[[str, str], Any]:
    """`kernels("matmul", "cpu")`: the function of a sample, built once a test process."""
    return forge.sample
