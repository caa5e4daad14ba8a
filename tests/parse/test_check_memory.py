"""`spak check` remembers: what has not changed is not checked again, and everything that a check depends on counts as change."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from spak.digest import digest_fields, sha256_file
from spak.parse.check import check_files, check_project
from spak.pipeline.graph import checking
from spak.store import checked
from spak.store.checked import Memory

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def unchecked(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


@pytest.fixture(scope="module")
def checked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = laid_out(tmp_path_factory.mktemp("checked"))
    check(root)
    return root


@pytest.fixture
def project(checked_once: Path, tmp_path: Path) -> Path:
    """As it is remembered after a first check."""
    shutil.copytree(checked_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def laid_out(root: Path) -> Path:
    (root / "dodo.py").write_text("")
    for part in ("specs/saxpy", "specs/softmax", "targets"):
        shutil.copytree(ROOT / part, root / part)
    (root / "specs" / "domains").mkdir()
    for name in ("cpu_kernels", "gpu_memory"):
        shutil.copy(ROOT / f"specs/domains/{name}.dsl", root / "specs/domains")
    (root / "specs" / "loop").mkdir()
    (root / "specs" / "loop" / "loop.dsl").write_text(
        'use gpu_memory\ntask t { step a { tool.run { comand: "x" } } }\n'
    )
    return root


FRESH: dict[str, list[str]] = {}


def fresh(project: Path) -> list[str]:
    """What a check without memory says of these very files."""
    files = (path for path in sorted(project.rglob("*")) if path.is_file())
    named = ((str(path.relative_to(project)), sha256_file(path)) for path in files)
    key = digest_fields(("file", name, digest) for name, digest in named if not name.startswith(".spak/"))
    if key not in FRESH:
        FRESH[key] = [str(one) for one in check_project(project)]
    return FRESH[key]


def check(project: Path) -> tuple[list[str], int, int]:
    """Messages, how many subjects were remembered, and how many there are."""
    memory = Memory(project)
    hits = sum(memory.recall(file) is not None for file in memory.entries)
    found = [str(one) for one in checking.check(project)]
    assert found == fresh(project), "memory and a fresh check must agree"
    return found, hits, len(Memory(project).entries)


def test_nothing_is_checked_twice(unchecked: Path) -> None:
    project = unchecked
    found, hits, subjects = check(project)
    assert hits == 0
    assert any("comand" in one for one in found)
    assert check(project) == (found, subjects, subjects)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spak.parse.check.check_one", lambda root, file: pytest.fail(f"{file} was checked again"))
        assert [str(one) for one in checking.check(project)] == found


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("specs/saxpy/SPEC.saxpy.md", "flops:", "flopps:", 1),
        ("specs/saxpy/tests.saxpy.yaml", "shapes", "shapez", 1),
        ("specs/softmax/reference.py", "def softmax", "def softmux", 1),
        ("specs/loop/loop.dsl", "comand", "cmd", 1),
        ("specs/domains/gpu_memory.dsl", "domain gpu_memory", "domain gpu_memori", 4),
        ("targets/cpu.toml", "dialect", "dialekt", None),
    ],
)
def test_a_change_is_seen(project: Path, file: str, old: str, new: str, again: int | None) -> None:
    before, _, subjects = check(project)
    path = project / file
    stat = path.stat()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # content counts, not times
    found, hits, _ = check(project)
    assert found != before
    assert subjects - hits == (again if again is not None else subjects)
    path.write_text(text)
    assert check(project)[0] == before


def test_a_file_that_comes_or_goes_is_seen(project: Path) -> None:
    (project / "specs" / "loop" / "loop.dsl").write_text('import "../other.dsl"\nuse newcomer\n')
    before, _, _ = check(project)
    assert sum("SPK210" in one for one in before) == 2
    (project / "specs" / "other.dsl").write_text('axiom: "it is there"\n')
    (project / "specs" / "domains" / "newcomer.dsl").write_text('domain newcomer { axiom: "so is this" }\n')
    assert not any("SPK210" in one for one in check(project)[0])
    (project / "specs" / "softmax" / "reference.py").unlink()
    assert any("reference.py" in one for one in check(project)[0])
    shutil.rmtree(project / "specs" / "softmax")
    check(project)


def test_names_and_targets_are_compared_across_what_is_remembered(project: Path) -> None:
    check(project)
    spec = project / "specs" / "saxpy" / "SPEC.saxpy.md"
    spec.write_text(spec.read_text().replace("name: saxpy", "name: softmax"))
    assert any("'softmax' is named twice" in one for one in check(project)[0])
    spec.write_text(
        spec.read_text().replace("name: softmax", "name: saxpy").replace("  flops:", "  targets: [cpu]\n  flops:")
    )
    assert not any("no target" in one for one in check(project)[0])
    (project / "targets" / "cpu.toml").unlink()
    assert any("no target 'cpu'" in one for one in check(project)[0])


def test_another_checker_starts_anew(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check(project)
    copy = tmp_path / "copy"
    for part in checked.CODE:
        source = checked.PACKAGE / part
        (copy / part).parent.mkdir(exist_ok=True)
        own = shutil.ignore_patterns("__pycache__")  # where other processes may write
        shutil.copy(source, copy / part) if source.is_file() else shutil.copytree(source, copy / part, ignore=own)
    monkeypatch.setattr(checked, "PACKAGE", copy)
    same = Memory(project)
    assert same.entries
    (copy / "lang" / "grammar.lark").write_text("// another language")
    assert not Memory(project).entries


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"world": 1}', b"\xff\xfe", b'{"world": "x", "entries": {"specs/loop": 3}}']
)
def test_a_broken_memory_is_none(project: Path, data: bytes) -> None:
    before, _, subjects = check(project)
    memory = project / ".spak" / "checked.json"
    memory.write_bytes(data.replace(b'"x"', f'"{checked.world(project)}"'.encode()))
    assert check(project)[0] == before
    assert check(project)[1] == subjects
    for entry in (3, {}, {"listing": 1}, None):
        import json

        whole = json.loads(memory.read_bytes())
        whole["entries"]["specs/loop"] = entry
        memory.write_text(json.dumps(whole))
        assert check(project)[0] == before


def test_second_specs_of_a_folder_are_checked(project: Path) -> None:
    (project / "specs" / "loop" / "second.dsl").write_text("a: *\n")
    assert any(one.startswith("specs/loop/second.dsl:1:4: SPK104") for one in check(project)[0])
    (only,) = check_files(project, ["specs/loop/second.dsl"])
    assert only.code == "SPK104"


NAMING = """
engineering_loop Sweep { parameter BM: [64]; measure { kernel: add; variant: simple; target: cpu; metric: gflops } }
agent_loop Look { step one { tool.build { unit: add, variant: simple } } }
"""


@pytest.mark.parametrize("where", ["loop/loop.dsl", "domains/sweeps.dsl"])
def test_a_kernel_that_is_only_named_counts(project: Path, where: str) -> None:
    if where.startswith("domains"):
        (project / "specs/domains/sweeps.dsl").write_text(f"domain sweeps {{ {NAMING} }}")
    else:
        (project / "specs" / where).write_text(NAMING)
    golden = ROOT / "tests/golden/errors/program-units-that-are-not-there/specs/add"
    absent = "there is no kernel 'add'"
    assert absent in " ".join(check(project)[0])
    assert absent in " ".join(check(project)[0])
    shutil.copytree(golden, project / "specs/add")
    assert absent not in " ".join(check(project)[0])
    spec = project / "specs/add/SPEC.add.md"
    spec.write_text(spec.read_text().replace("variant simple", "variant other"))
    assert "add has no variant 'simple'" in " ".join(check(project)[0])
    spec.write_text(spec.read_text().replace("variant other", "variant simple").replace("BLOCK", "BM"))
    assert "has no variant" not in " ".join(check(project)[0])
    spec.write_text(spec.read_text().replace("[64, 128]", "[32]"))
    assert "BM = 64 lies outside the tuning space of add" in " ".join(check(project)[0])
    spec.unlink()
    assert absent in " ".join(check(project)[0])


def test_a_kernel_that_a_kernels_own_file_names_counts(project: Path) -> None:
    shutil.copytree(ROOT / "tests/golden/errors/program-units-that-are-not-there/specs/add", project / "specs/add")
    saxpy = project / "specs/saxpy/SPEC.saxpy.md"
    saxpy.write_text(f"{saxpy.read_text()}\n```spak\n{NAMING.splitlines()[1]}\n```\n")
    assert "no variant" not in " ".join(check(project)[0])
    spec = project / "specs/add/SPEC.add.md"
    spec.write_text(spec.read_text().replace("variant simple", "variant other"))
    assert "add has no variant 'simple'" in " ".join(check(project)[0])
    spec.write_text(spec.read_text().replace("variant other", "variant simple"))
    assert "no variant" not in " ".join(check(project)[0])
