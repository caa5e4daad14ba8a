"""Options of the whole suite."""

from __future__ import annotations

import compileall
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The same examples in each run: what is new is looked for with HYPOTHESIS_PROFILE=default, and becomes a test of its own.
# None has a time to keep: a machine may stand still for longer than any.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# Modules of the simulator have variables of threads that are found without a call; the loader sets room aside for a dozen.
# It reads this as a process starts: the workers of the suite do after this file has been read.
os.environ.setdefault("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384")


#: Characters of a test's name that one of its parameters may take: names go from process to process, and into each one's
#: environment.
NAME = 80


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A short name for a long text."""
    if not isinstance(val, str | bytes) or len(val) <= NAME:
        return None
    head = val[: NAME // 2] if isinstance(val, str) else val[: NAME // 2].decode("latin-1")
    return f"{head.encode('unicode_escape').decode()}... of {len(val)}"


def pytest_configure(config: pytest.Config) -> None:
    """Compile the compiler's modules once. Where Python is told to write no bytecode, as in many containers, each of the
    processes that tests start, and there are thousands, would do so for itself.
    """
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(__file__).parent.parent / "compiler" / "spak", quiet=2)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Rewrite the expected output of golden tests.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten rather than compared."""
    return bool(request.config.getoption("--update-golden"))
