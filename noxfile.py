"""Sessions: `nox` runs lint, types and tests; `nox -s gpu` verifies the CUDA targets on the GPU of this machine."""

from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "tests"]
PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, spelling, direction of imports."""
    session.install("-e", ".[dev]")
    sources = [str(path) for path in Path("csrc").rglob("*") if path.suffix in {".h", ".cpp"}]
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("clang-format", "--dry-run", "--Werror", *sources)
    session.run("typos")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, over the compiler."""
    session.install("-e", ".[dev]")
    session.run("mypy", "compiler/spak")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The whole suite."""
    session.install("-e", ".[test]")
    session.run("doit", "build")
    session.run("doit", "test")


@nox.session
def docs(session: nox.Session) -> None:
    """Regenerate the generated pages and say whether they had gone stale."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "tests/docs", "-q")


@nox.session(venv_params=["--system-site-packages"])
def gpu(session: nox.Session) -> None:
    """Build everything and verify it on the GPU that is here, the simulator's models too; results go to
    `targets/<name>/results/`.
    """
    session.install("-e", ".[test,cuda]")
    session.run("python", "tests/gpu/simulator.py")
    session.run("python", "tests/gpu/record.py")
