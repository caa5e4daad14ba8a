"""Options of the whole suite."""

from __future__ import annotations

import os

import pytest

# Modules of the simulator have variables of threads that are found without a call; the loader sets room aside for a dozen.
# It reads this as a process starts: the workers of the suite do after this file has been read.
os.environ.setdefault("GLIBC_TUNABLES", "glibc.rtld.optional_static_tls=16384")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Rewrite the expected output of golden tests.")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten rather than compared."""
    return bool(request.config.getoption("--update-golden"))
