"""`pip wheel .` of the repository: compiler and kernels in one file, which runs where only NumPy is and builds for others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import built
import pytest
from shadow import shadow

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

#: What a wheel is made of. A checkout has more, and nothing of that may matter.
SOURCES = (
    "CMakeLists.txt",
    "LICENSE",
    "README.md",
    "compiler",
    "csrc",
    "dodo.py",
    "generated",
    "pyproject.toml",
    "specs",
    "targets",
)

UNITS = ("matmul", "transpose")
TARGETS = ("cpu", "sm_90a")
MULTIPLY = """
import numpy as np, spak
rng = np.random.default_rng(0)
a, b = rng.standard_normal((37, 53), np.float32), rng.standard_normal((53, 29), np.float32)
f = spak.load("matmul")
c = f(a, b)
assert c.dtype == np.float32 and np.allclose(c, a.astype("f8") @ b, rtol=1e-4, atol=1e-4)
print(" ".join(sorted(e.target for e in f.entries)))
x = np.arange(6, dtype=np.float32).reshape(2, 3)
assert spak.load("transpose")(x).tolist() == x.T.tolist()
"""


def make(folder: Path) -> Path:
    """The wheel of a fresh copy of the repository, built there; with a few kernels, as each takes its time."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        source = built.REPO / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    built.only(built.Tree(folder), UNITS)
    for target in (folder / "targets").glob("*.toml"):
        if target.stem not in TARGETS:
            target.unlink()
    (folder / "made").mkdir()
    argv = [sys.executable, "-m", "pip", "wheel", "-q", ".", "--no-deps", "--no-build-isolation", "-w", "made"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=built.LIMIT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = (folder / "made").iterdir()
    return found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("wheel") / "repository")


@pytest.fixture(scope="session")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as installed, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", folder, wheel]
    subprocess.run(argv, check=True, capture_output=True)
    return folder


def test_it_holds_the_compiler_its_headers_and_the_kernels(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "spak/cli/build.py",
        "spak/cmake/spakConfig.cmake",
        "spak_kernels/__init__.py",
        "spak_kernels/matmul.cpu.json",
    } <= names
    for path in sorted((built.REPO / "csrc" / "include").rglob("*.h")):
        assert f"spak/include/{path.relative_to(built.REPO / 'csrc' / 'include').as_posix()}" in names
    for path in sorted((built.REPO / "csrc" / "runtime").glob("*.cpp")):
        assert f"spak/build/runtime_sources/{path.name}" in names
    package = built.REPO / "compiler" / "spak"
    data = {".css", ".cpp", ".j2", ".lark", ".ld", ".toml", ".md", ".yaml", ".lock"}
    for path in sorted(p for p in package.rglob("*") if p.suffix in data and "__pycache__" not in p.parts):
        assert f"spak/{path.relative_to(package).as_posix()}" in names
    kernels = {name for name in names if name.startswith("spak_kernels/") and name.endswith("_cpu.so")}
    assert {name.split("/")[1] for name in kernels} == set(UNITS)
    assert [name for name in names if name.startswith("spak_kernels/") and name.endswith("_sm_90a.so")]
    assert not [name for name in names if name.startswith(("tests/", "specs/", "csrc/"))]


def test_it_runs_in_an_environment_with_only_numpy(wheel: Path, tmp_path: Path) -> None:
    python = built.empty_environment(tmp_path / "venv")
    python.pip("install", "-q", "--no-index", "--no-deps", "--no-compile", str(wheel))
    assert "cpu" in python.run("-c", MULTIPLY).stdout.split()


def test_no_folder_is_named_in_it(wheel: Path) -> None:
    places = {str(wheel.parent.parent), sys.prefix, sys.base_prefix, str(Path.home()) + "/"} - {"/usr", "/usr/local"}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert not [place for place in places if place.encode() in data], name


def test_two_builds_in_two_directories_are_identical(wheel: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "another" / "place")
    assert other.name == wheel.name
    assert other.read_bytes() == wheel.read_bytes()


def test_cmake_projects_find_the_installed_package(site: Path, tmp_path: Path) -> None:
    """Headers and runtime sources come from the wheel, and the repository is not needed."""
    tree = built.copy(tmp_path / "user")
    shadow(site)
    env = {**tree.env, "PYTHONPATH": str(site)}
    user = built.Tree(tree.root, env)
    found = user.python("import spak; print(spak.__file__)").stdout.strip()
    assert found.startswith(str(site)), found
    lines = ("cmake_minimum_required(VERSION 3.24)", "project(user LANGUAGES CXX)", "find_package(spak REQUIRED)")
    (user.root / "CMakeLists.txt").write_text(
        "\n".join([*lines, "spak_add_kernel(sums UNIT vector_add TARGET cpu)", ""])
    )
    spak_dir = user.spak("cmake-dir").stdout.strip()
    assert spak_dir.startswith(str(site))
    tools = {name: built.tool(name) for name in ("cmake", "ninja")}
    configure = [f"-DCMAKE_MAKE_PROGRAM={tools['ninja']}", f"-Dspak_DIR={spak_dir}", f"-DSPAK_PYTHON={sys.executable}"]
    user.run(tools["cmake"], "-S", ".", "-B", "out", "-G", "Ninja", *configure)
    user.run(tools["cmake"], "--build", "out")
    code = "import numpy as np; from vector_add_cpu import vector_add as f; print(f(np.ones(3, 'f4'), np.ones(3, 'f4')).tolist())"
    out = built.Tree(user.root / "out", {**os.environ, "PYTHONPATH": ""}).python(code)
    assert out.stdout == "[2.0, 2.0, 2.0]\n"
