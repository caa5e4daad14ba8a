"""The kernels wheel of a project: what is in it, that it runs where only NumPy is, and that its bytes depend on content alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import built
import pytest
from spak.build import cmake, places
from spak.build.render import plain

pytestmark = pytest.mark.xdist_group("package")

TARGETS = ("cpu", "sim", "sm_90a")
MULTIPLY = """
import json, sys, numpy as np, spak_kernels
x = np.arange(5, dtype=np.float32)
kernel = spak_kernels.load("vector_add")
assert "spak" not in sys.modules
print(json.dumps([kernel(x, x).tolist(), spak_kernels.load("vector_add", target="sim")(x, x).tolist(), spak_kernels.__version__]))
"""


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> built.Tree:
    """vector_add on three targets, packaged by doit."""
    tree = built.only(built.copy(tmp_path_factory.mktemp("package") / "project"), ("vector_add",), TARGETS)
    tree.run(sys.executable, "-m", "doit", "package")
    return tree


@pytest.fixture
def copied(project: built.Tree, tmp_path: Path) -> built.Tree:
    """A tree of its own for a test that changes it; what is built is taken from the cache."""
    return built.only(built.copy(tmp_path / "tree"), ("vector_add",), ("cpu",))


def wheel(tree: built.Tree) -> Path:
    (found,) = (tree.root / "dist").iterdir()
    return found


def package(tree: built.Tree) -> dict[str, str]:
    """Build the wheel; returns what became of each action."""
    done = tree.spak("build", "package:wheel", "--json")
    return {row["name"]: row["status"] for row in json.loads(done.stdout)["actions"]}


def entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_it_runs_in_an_environment_with_only_numpy(project: built.Tree, tmp_path: Path) -> None:
    python = built.empty_environment(tmp_path / "venv")
    python.pip("install", "-q", "--no-index", "--no-deps", str(wheel(project)))
    done = python.run("-c", MULTIPLY)
    version = re.fullmatch(r"spak_kernels-(1\.1\+[0-9a-f]{12})-.*\.whl", wheel(project).name)
    assert version
    assert json.loads(done.stdout) == [[0, 2, 4, 6, 8], [0, 2, 4, 6, 8], version[1]]
    listed = python.pip("list", "--format=json").stdout
    assert {one["name"].lower().replace("-", "_") for one in json.loads(listed)} == {"numpy", "spak_kernels"}
    assert "No broken requirements" in python.pip("check").stdout


def manifests(path: Path) -> dict[str, Any]:
    return {name: json.loads(data) for name, data in entries(path).items() if name.endswith(".json")}


def test_manifests_hold_every_digest_from_spec_to_binary(project: built.Tree) -> None:
    files, root = entries(wheel(project)), project.root
    found = manifests(wheel(project))
    assert set(found) == {f"spak_kernels/vector_add.{target}.json" for target in TARGETS}
    for target in TARGETS:
        manifest = found[f"spak_kernels/vector_add.{target}.json"]
        (kernel,) = manifest["kernels"]
        chain = manifest["provenance"]["flat"]
        dialect = "cpp" if target == "cpu" else "cuda"
        replied = root / "generated/vector_add/flat" / dialect
        assert kernel["digest"] == chain["module"] == sha256(files[f"spak_kernels/{kernel['path']}"])
        assert chain["reply"] == sha256((replied / "reply.md").read_bytes())
        assert chain["plan"] == sha256((replied / "plan.toml").read_bytes())
        assert chain["source"] == sha256((replied / ("kernel.cpp" if target == "cpu" else "kernel.cu")).read_bytes())
        assert chain["request"] == sha256((root / f"build/request/vector_add.flat.{dialect}.json").read_bytes())
        assert chain["spec"] == sha256((root / "build/ir/vector_add.behaviour.json").read_bytes())
        stages = {one["stage"]: one for one in chain["evidence"]}
        assert set(stages) == {"check", "compile"} | ({"verify"} if target != "sm_90a" else set())
        for stage, evidence in stages.items():
            file = root / f"build/evidence/vector_add/flat/{target}/{stage}.json"
            assert evidence["sha256"] == sha256(file.read_bytes())
            assert (evidence["verdict"], bool(evidence["environment"]), bool(evidence["checks"])) == (
                "passed",
                True,
                True,
            )
        assert stages["compile"]["subject"]["module"] == chain["module"]


def test_no_absolute_path_and_no_time_is_in_it(project: built.Tree) -> None:
    """Not in the modules either: headers' messages hold the name of their file."""
    places = {
        str(project.root),
        str(Path.home()),
        sys.prefix,
        sys.base_prefix,
        str(built.REPO),
        str(built.CACHE),
        "/tmp/",
    }
    for name, data in entries(wheel(project)).items():
        for place in places:
            assert place.encode() not in data, f"{place} is in {name}"
        assert not re.search(rb"\b20\d\d-[01]\d-[0-3]\d\b|\d\d:\d\d:\d\d", data), name
    with zipfile.ZipFile(wheel(project)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_record_lists_every_file(project: built.Tree) -> None:
    files = entries(wheel(project))
    (record,) = (name for name in files if name.endswith("/RECORD"))
    rows = [line.rsplit(",", 2) for line in files[record].decode().splitlines()]
    assert [name for name, _, _ in rows] == [*sorted(set(files) - {record}), record]
    for name, digest, size in rows[:-1]:
        expected = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={expected}", len(files[name]))


@pytest.mark.slow
def test_two_builds_in_two_directories_are_identical(project: built.Tree, tmp_path: Path) -> None:
    """The second has a cache of its own, so that everything is made anew; all but the runtime libraries."""
    other = built.copy(tmp_path / "elsewhere" / "and deeper", cache=tmp_path / "cache")
    built.only(other, ("vector_add",), TARGETS).python(built.SEEDED, str(built.CACHE), "runtime:")
    made = package(other)
    assert {status for name, status in made.items() if name.startswith(("compile:", "verify:", "check:"))} == {"ran"}
    assert wheel(other).name == wheel(project).name
    assert wheel(other).read_bytes() == wheel(project).read_bytes()


@pytest.mark.parametrize(("engine", "names"), [("sim", ["unit", "block"]), ("nvrtc", ["driver"])])
def test_what_the_runtime_is_made_of_is_identical_in_another_directory(
    engine: str, names: list[str], project: built.Tree, tmp_path: Path
) -> None:
    """All of them would take a minute; what all engines share is made twice for the wheel of the repository."""
    (library,) = project.root.glob(f"build/runtime/{engine}-*/libspak_runtime.a")
    (tmp_path / "CMakeLists.txt").write_bytes(plain("runtime.CMakeLists.txt.j2", engine=engine))
    tree = built.Tree(tmp_path, project.env)
    known = {
        "CMAKE_MAKE_PROGRAM": built.tool("ninja"),
        "CMAKE_CXX_COMPILER": shutil.which(library.parent.name.removeprefix(f"{engine}-")),
        "SPAK_CMAKE_DIR": places.CMAKE.resolve(),
        "SPAK_PYTHON_INCLUDES": cmake.python_includes(),
    }
    tree.run(built.tool("cmake"), "-B", "out", "-G", "Ninja", *(f"-D{name}={value}" for name, value in known.items()))
    targets = tree.run(built.tool("ninja"), "-C", "out", "-t", "targets", "all").stdout
    for name in names:
        (made,) = re.findall(rf"^(\S+/{name}\.cpp\.o):", targets, re.MULTILINE)
        tree.run(built.tool("ninja"), "-C", "out", made)
        kept = subprocess.run(["ar", "p", library, f"{name}.cpp.o"], check=True, capture_output=True).stdout
        assert kept.startswith(b"\x7fELF")
        assert (tmp_path / "out" / made).read_bytes() == kept


def test_a_second_build_does_nothing_and_a_lost_wheel_comes_back(copied: built.Tree) -> None:
    package(copied)
    first = wheel(copied).read_bytes()
    assert set(package(copied).values()) == {"up-to-date"}
    for spoil in (
        wheel(copied).unlink,
        lambda: wheel(copied).write_bytes(b"no wheel"),
        lambda: shutil.rmtree(copied.root / "dist"),
    ):
        spoil()
        assert package(copied)["package:wheel"] == "restored"
        assert wheel(copied).read_bytes() == first


def test_the_version_moves_with_the_spec_and_with_the_content(copied: built.Tree) -> None:
    package(copied)
    before = wheel(copied).name.split("-")[1]
    spec = copied.root / "specs/vector_add/SPEC.vector_add.md"
    text = spec.read_text()
    spec.write_text(text.replace("The smallest kernel there is", "The least kernel there is"))
    package(copied)
    reworded = wheel(copied).name.split("-")[1]
    assert reworded.split("+")[0] == before.split("+")[0] == "1.1"
    assert reworded != before  # the manifest tells which request the reply was judged for
    spec.write_text(text.replace("version: 1\n", "version: 2\n"))
    package(copied)
    assert wheel(copied).name.split("-")[1].startswith("1.2+")
    spec.write_text(text)
    package(copied)
    assert wheel(copied).name.split("-")[1] == before
