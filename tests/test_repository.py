"""What must hold of the repository as a whole: sizes, one-way imports, a complete catalogue of errors."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from spak.errors.catalogue import catalogue

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    p
    for folder in ("compiler/spak", "csrc", "tests")
    for p in (ROOT / folder).rglob("*")
    if p.suffix in {".py", ".h", ".cpp"}
)
PYTHON = [p for p in SOURCES if p.suffix == ".py" and "include" not in p.parts and (ROOT / "compiler") in p.parents]


def test_no_file_outgrows_its_subject() -> None:
    sizes = sorted(len(p.read_text().splitlines()) for p in SOURCES)
    too_long = [str(p.relative_to(ROOT)) for p in SOURCES if len(p.read_text().splitlines()) > 600]
    assert not too_long
    assert sizes[len(sizes) // 2] < 150
    assert sizes[len(sizes) * 9 // 10] <= 400


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in PYTHON
        if p.read_text().strip() and not p.read_text().lstrip().startswith('"""')
    ]
    assert not silent


def test_no_two_modules_of_the_tests_share_a_name() -> None:
    """pytest imports them by their bare names: the second of two would be refused, or be the first."""
    tests = ROOT / "tests"
    folders = [p for p in tests.iterdir() if p.is_dir() and p.name != "golden"]
    names = [p.stem for folder in (tests, *folders) for p in folder.glob("*.py") if p.stem != "conftest"]
    names += [p.parent.name for folder in folders for p in folder.glob("*/__init__.py")]
    assert sorted(names) == sorted(set(names))


def test_every_source_of_the_simulator_is_compiled_once() -> None:
    """Those of a folder as one translation unit, but for what `sources.txt` names besides."""
    simulator = ROOT / "csrc" / "sim"
    named = [line for name in ("sources.txt", "host/sources.txt") for line in (simulator / name).read_text().split()]
    for unit in [name for name in named if name.endswith("/all.cpp")]:
        named += re.findall(r'#include "(\S+)"', (simulator / unit).read_text())
    assert sorted(named) == sorted(path.relative_to(simulator).as_posix() for path in simulator.rglob("*.cpp"))


def test_every_code_is_in_the_catalogue_and_used() -> None:
    used = {code for p in SOURCES if "tests" not in p.parts for code in re.findall(r"SPK\d{3}", p.read_text())}
    known = set(catalogue())
    assert used - known == set(), "used without an entry in errors/codes"
    assert known - used == set(), "in the catalogue, but nothing raises it"


def test_imports_run_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_example_fails_because_the_machine_stood_still() -> None:
    suite = settings.get_profile("suite")
    assert suite.deadline is None and HealthCheck.too_slow in suite.suppress_health_check


SHOWN = "import spak.cli.root as r; r.root.main(['--help'], standalone_mode=False)"
BUILDS = "import spak.cli.build, spak.pipeline.frontends.command, spak.pipeline.graph.root"


@pytest.mark.parametrize("code", [SHOWN, BUILDS], ids=["help", "build"])
def test_nothing_heavy_is_imported_by_the_command_line(code: str) -> None:
    heavy = ["pydantic", "numpy", "lark", "doit", "z3", "litellm", "jinja2", "tree_sitter", "email"]
    script = f"import sys; {code}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
