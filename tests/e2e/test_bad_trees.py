"""Projects and machines in which something is wrong: the message says what and where, the exit code is right, and nothing is left
half-written. `Project.command` has seen to it that there is no traceback."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from realproject import Project

pytestmark = pytest.mark.xdist_group("project")

SPEC = "specs/axpby/SPEC.axpby.md"


def owned(project: Project) -> dict[str, str]:
    """Digests of what belongs to people or to version control: no failing build may touch any of it."""
    return {
        path.relative_to(project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.root.rglob("*")
        if path.is_file() and not {"build", ".spak", "__pycache__"} & set(path.relative_to(project.root).parts)
    }


def leftovers(project: Project) -> list[Path]:
    return [path for path in project.root.rglob("*") if path.name.endswith(".tmp") or path.name.startswith(".tmp")]


@dataclass(frozen=True)
class Case:
    """What is done to the project, and all that the message must say."""

    spoil: Callable[[Project], object]
    says: tuple[str, ...]
    code: int = 1
    argv: tuple[str, ...] = ("build",)


def without_compiler(project: Project) -> None:
    """A PATH with everything that is needed but a compiler."""
    folder = project.root.parent / "bin"
    folder.mkdir()
    for name in ("sh", "env", "uname"):
        (folder / name).symlink_to(f"/bin/{name}")
    project.env["PATH"] = str(folder)


def second_folder(project: Project) -> None:
    project.put("specs/blend/SPEC.blend.md", project.path(SPEC).read_text())


def cycle(project: Project) -> None:
    project.put("specs/domains/one.dsl", "use two\ndomain one { }\n")
    project.put("specs/domains/two.dsl", "use one\ndomain two { }\n")
    project.edit(SPEC, "```spak\n", "```spak\nuse one\n")


def conflict(project: Project) -> None:
    lines = project.path("spak.lock").read_text().splitlines(keepends=True)
    marked = [*lines[:4], "<<<<<<< HEAD\n", *lines[4:-1], "=======\n", *lines[4:-1], ">>>>>>> theirs\n", lines[-1]]
    project.put("spak.lock", "".join(marked))


def cut(project: Project) -> None:
    text = project.path("spak.lock").read_text()
    project.put("spak.lock", text[: len(text) // 2])


def edit(name: str, old: str, new: str) -> Callable[[Project], None]:
    return lambda project: project.edit(name, old, new)


def put(name: str, text: str) -> Callable[[Project], object]:
    return lambda project: project.put(name, text)


CASES = {
    "CXX that is not there": Case(
        lambda project: project.env.update(CXX="nonexistent-g++"),
        ("SPK721", "'nonexistent-g++' was not found", "set CXX"),
    ),
    "no compiler": Case(without_compiler, ("SPK721", "'g++' was not found", "install g++")),
    "target without a toolchain": Case(
        put("targets/box.toml", 'title = "A box"\ndialect = "cpp"\ndevice = "cpu"\npreference = 1\nverify = "run"\n'),
        ("targets/box.toml:1:1: SPK206", "toolchain"),
    ),
    "unknown target in the settings": Case(
        edit("spak.toml", "# [model] ", 'targets = ["cpuu"]\n# [model] '),
        ("spak.toml:", "SPK903", "'cpuu'", "did you mean 'cpu'?"),
    ),
    "unknown setting": Case(
        edit("spak.toml", "package =", "packge ="), ("spak.toml:2:1: SPK902", "'packge'", "did you mean 'package'?")
    ),
    "settings that are not TOML": Case(
        edit("spak.toml", "package =", "package ="[:3]), ("spak.toml", "SPK902", "not valid TOML")
    ),
    "unknown unit": Case(
        lambda project: None, ("SPK714", "'axpbyy'", "did you mean 'axpby'?"), argv=("build", "axpbyy")
    ),
    "unknown target": Case(
        lambda project: None, ("SPK714", "'cpuu'", "did you mean 'cpu'?"), argv=("build", "--targets", "cpuu")
    ),
    "unknown handler": Case(
        lambda project: (
            project.path("spak.lock").unlink() or project.path("generated/axpby/simple/cpp/reply.md").unlink()
        ),
        ("SPK333", "`oracle`", "`suspend`"),
        argv=("build", "--handler", "oracle"),
    ),
    "one name for two units": Case(second_folder, ("specs/blend/SPEC.blend.md:2:1: SPK208", "called 'axpby'")),
    "spec in another's folder": Case(
        lambda project: project.put("specs/blend/SPEC.axpby.md", project.path(SPEC).read_text()),
        ("specs/blend/SPEC.axpby.md:1:1: SPK208", "lies in the folder 'blend'", "move it to specs/axpby"),
    ),
    "cyclic use": Case(cycle, ("SPK209", "a cycle of use", "specs/domains/one.dsl -> specs/domains/two.dsl")),
    "conflict in the lock": Case(conflict, ("spak.lock:5:1: SPK350", "<<<<<<<", "take either side")),
    "truncated lock": Case(cut, ("spak.lock:", "SPK351", "restore it from version control")),
    "spec that is not text": Case(
        lambda project: project.path(SPEC).write_bytes(b"---\nname: axpby\n\xff\xfe\n"),
        ("specs/axpby/SPEC.axpby.md:3:1: SPK", "UTF-8"),
    ),
    "target that is not TOML": Case(
        edit("targets/cpu.toml", "[toolchain]", "[toolchain"), ("targets/cpu.toml:", "SPK2")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_tree(demo: Project, name: str) -> None:
    case = CASES[name]
    case.spoil(demo)
    before = owned(demo)
    done = demo.spak(*case.argv, expect=case.code)
    said = done.stdout + done.stderr
    assert all(word in said for word in case.says), said
    assert owned(demo) == before
    assert not leftovers(demo)
    if case.argv == ("build",):
        again = demo.command("-m", "doit", "build", expect=case.code)
        said = again.stdout + again.stderr
        assert all(word in said for word in case.says), said


def test_unit_that_does_not_parse_beside_one_that_builds(demo: Project) -> None:
    demo.put(
        "specs/blend/SPEC.blend.md",
        demo.path(SPEC).read_text().replace("axpby", "blend").replace("require: N", "requires: N"),
    )
    for _ in range(2):
        built = demo.build(expect=1)
        assert built.having("failed") == {"parse:blend"}
        assert "specs/blend/SPEC.blend.md:16:3: SPK201" in built.err and "require" in built.err
        assert built.results["artifact:axpby@cpu"]["ok"]
    assert demo.path("build/kernels/axpby.cpu.json").is_file()
    demo.build("axpby")


def test_empty_project(demo: Project) -> None:
    for path in (SPEC, "specs/axpby/tests.axpby.yaml"):
        demo.path(path).unlink()
    demo.path("specs/axpby").rmdir()
    demo.path("specs").rmdir()
    done = demo.spak("build")
    assert "nothing to do" in done.stdout and "specs/" in done.stdout + done.stderr
    demo.command("-m", "doit", "build")


def test_outside_of_a_project(tmp_path: Path, shared_cache: Path) -> None:
    outside = Project(tmp_path, shared_cache)
    for command in ("build", "plan", "answer"):
        done = outside.spak(command, expect=1)
        assert "SPK901" in done.stderr and "no dodo.py" in done.stderr and "`spak init NAME`" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`mounted(folder, *options)` mounts something there until the test ends."""
    points: list[Path] = []

    def mount(folder: Path, *options: str) -> None:
        if subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode:
            pytest.skip("mounting needs root")
        points.append(folder)

    yield mount
    for point in dict.fromkeys(points):
        subprocess.run(["umount", "-l", str(point)], check=True)


def test_read_only_tree(demo: Project, mounted: Callable[..., None]) -> None:
    """What is up to date is said to be; what would have to be built can't be, and the message names the place."""
    demo.build()
    demo.spak("build")
    mounted(demo.root, "--bind", str(demo.root))
    mounted(demo.root, "-o", "remount,ro,bind")
    assert "up to date" in demo.spak("build").stdout
    demo.spak("plan")
    demo.spak("explain", "verify:axpby.simple@cpu", expect=None)
    failed = demo.spak("build", "--refresh", expect=1)
    assert "SPK7" in failed.stderr and "Read-only file system" in failed.stderr and ".spak" in failed.stderr
    plain = demo.command("-m", "doit", "build", "axpby", expect=None)
    assert plain.returncode in (0, 1)


def test_full_disk(demo: Project, mounted: Callable[..., None], tmp_path: Path) -> None:
    """The message names the file that did not fit; with space again, the same command goes on."""
    small = tmp_path / "small"
    small.mkdir()
    mounted(small, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
    shutil.copytree(demo.root, small / "demo")
    tree = Project(small / "demo", demo.cache)
    room = os.statvfs(small)
    ballast = small / "ballast"
    ballast.write_bytes(b"x" * (room.f_bavail * room.f_frsize - (160 << 10)))
    before = owned(tree)
    failed = tree.spak("build", expect=1)
    assert "SPK7" in failed.stderr and "No space left on device" in failed.stderr and "build/" in failed.stderr
    assert owned(tree) == before and not leftovers(tree)
    ballast.unlink()
    tree.build()
    assert not tree.build().ran
