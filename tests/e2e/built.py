"""Copies of the shipped project in which the tests build, and how `spak` is run there. Knows no stage.

Every copy shares one cache: $SPAK_CACHE, or the repository's own, so that what a build or an earlier test has made is
restored and not made again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path

import spak

REPO = Path(__file__).parent.parent.parent
CACHE = Path(os.environ.get("SPAK_CACHE") or REPO / ".spak")
COPIED = ("dodo.py", "specs", "targets", "generated", "spak.lock")
LIMIT = 1500.0  # seconds that a build may take on a busy machine

#: Brings what some actions make, such as libraries of the runtime, into a project and its cache out of another cache, where it
#: may have been built already: it is what takes minutes. Its arguments are that cache and how the names of the actions begin.
SEEDED = """
import sys
from pathlib import Path
from spak.pipeline.execution.session import Session
from spak.store.actions import Actions, Folder
from spak.store.cas import Cas
session = Session(Path.cwd())
other, begins = Path(sys.argv[1]), tuple(sys.argv[2:])
session.executor.cache = Actions(session.cache.local, (Folder(other / "ac", Cas(other / "cas")),))
session.open()
try:
    names = [name for name in session.network.actions if name.startswith(begins)]
    assert names
    for result in session.build(names):
        assert result.status.good, [result.name, *map(str, result.diagnostics)]
        session.cache.put(result.key, session.executor.cache.get(result.key))
finally:
    session.close()
"""


@dataclass(frozen=True)
class Tree:
    """A project's root and the environment in which commands run there."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the root. With `check`, a failure shows what it printed."""
        done = subprocess.run(
            command, cwd=self.root, env=self.env, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def spak(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `spak` in the root."""
        return self.run(sys.executable, "-m", "spak", *args, check=check)

    def python(self, code: str, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script in the root, in a process of its own."""
        return self.run(sys.executable, "-c", code, *args, check=check)


def environment(cache: Path = CACHE) -> dict[str, str]:
    """This process's environment with the compiler under test and a cache."""
    path = [str(Path(spak.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if name != "SPAK_KERNELS"}
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "SPAK_CACHE": str(cache)}


def copy(root: Path, cache: Path = CACHE) -> Tree:
    """The shipped specs, targets and replies, not built, in a folder that does not exist yet."""
    root.mkdir(parents=True)
    for name in COPIED:
        source = REPO / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, root / name)
    return Tree(root, environment(cache))


def only(tree: Tree, units: tuple[str, ...], targets: tuple[str, ...] = ()) -> Tree:
    """Keep some units, and some targets where they are named, as a small project would have them."""
    for folder in sorted((tree.root / "specs").iterdir()):
        if folder.name not in (*units, "domains"):
            shutil.rmtree(folder)
    if targets:
        (tree.root / "spak.toml").write_text(f"targets = {list(targets)}\n")
    return tree


@dataclass(frozen=True)
class Python:
    """The interpreter of a virtual environment."""

    path: Path
    cwd: Path

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run it outside of every project, with nothing on its path but its own packages."""
        return self._run(self.path, *args)

    def pip(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Have pip work on this environment, which has none of its own."""
        return self._run(sys.executable, "-m", "pip", "--python", self.path, *args)

    def _run(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SPAK_"))}
        done = subprocess.run(argv, cwd=self.cwd, env=env, capture_output=True, text=True, timeout=LIMIT, check=False)
        assert done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done


def empty_environment(folder: Path) -> Python:
    """A new virtual environment with NumPy alone: the one that is installed here, for it stands in folders of its own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    numpy = distribution("numpy")
    for name in {file.parts[0] for file in numpy.files or ()} - {".."}:
        (site / name).symlink_to(Path(str(numpy.locate_file(name))).resolve())
    work = folder.parent / "work"
    work.mkdir()
    return Python(folder / "bin" / "python", work)


def tool(name: str) -> str:
    """A program of this Python's environment, where pip puts cmake and ninja, or of PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is not installed"
    return found
