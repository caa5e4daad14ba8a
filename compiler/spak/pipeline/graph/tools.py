"""Tools outside of the tree and their identity: path, version, digest. Knows nothing of what they are used for.

cxx:NAME     the C++ compiler: $CXX, else NAME, else g++; its identity covers cc1plus, which does the work
cmake ninja  beside the interpreter, where pip puts them, else as found in PATH
python       the interpreter that runs the stages
nvrtc        the NVRTC library of the nvidia-cuda-nvrtc wheel
nvdisasm cuobjdump   where they are installed
pkg:NAME     an installed Python distribution, by its RECORD
PATH         anything else is a program, found in PATH
"""

# ruff: noqa: PTH117, PTH119
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError
from spak.store.digests import Digests

BUNDLED = frozenset({"cmake", "ninja"})
OPTIONAL = frozenset({"nvdisasm", "cuobjdump", "ninja"})


@dataclass(frozen=True, slots=True)
class Tool:
    """`files` are what the identity was read from; `digest` covers them all."""

    name: str
    path: str
    version: str
    files: tuple[tuple[str, str], ...]  # (path, digest)

    @property
    def identity(self) -> str:
        """One line for the key: `/usr/bin/g++ "g++ (Debian) 12.2.0" sha256:...`. A path inside the virtual environment is left
        out: another environment with the same contents is the same tool.
        """
        own = self.path.startswith(sys.prefix + os.sep)
        return " ".join(["" if own else self.path, f'"{self.version}"', *(digest for _, digest in self.files)])


class Tools:
    """The tools as the environment has them; each is looked up once a run."""

    def __init__(self, digests: Digests, env: Mapping[str, str]) -> None:
        self._digests, self._env = digests, env
        self._found: dict[str, Tool] = {}

    def find(self, name: str) -> Tool:
        """The tool, or one with an empty path for an optional tool that is not installed. Raises SpakError (SPK721)."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def used(self) -> list[Tool]:
        """All that were looked up, for the manifest."""
        return [self._found[name] for name in sorted(self._found)]

    def _look(self, name: str) -> Tool:
        known: dict[str, Callable[[], Tool]] = {"python": self._python, "nvrtc": self._nvrtc}
        if name in known:
            return known[name]()
        if name.partition(":")[0] == "cxx":
            return self._cxx(name.partition(":")[2] or "g++")
        if name.startswith("pkg:"):
            return self._distribution(name)
        return self._program(name, self._env.get(name.upper(), name))

    def _cxx(self, default: str) -> Tool:
        tool = self._program("cxx", self._env.get("CXX") or default)
        if not tool.path:
            return tool
        inner = _say([tool.path, "-print-prog-name=cc1plus"], self._env).strip()
        extra = ((inner, self._digests.of(inner)),) if os.path.isabs(inner) else ()
        return Tool("cxx", tool.path, tool.version, (*tool.files, *extra))

    def _program(self, name: str, command: str) -> Tool:
        beside = Path(sys.executable).parent / name
        if name in BUNDLED and beside.is_file():
            wheel = self._distribution(f"pkg:{name}")
            return Tool(name, str(beside), wheel.version, wheel.files)
        found = shutil.which(command, path=self._env.get("PATH"))
        if found is None:
            if name in OPTIONAL:
                return Tool(name, "", "not installed", ())
            hint = (
                "set CXX to a C++20 compiler, or install g++"
                if name == "cxx"
                else f"install {command}, or add it to PATH"
            )
            raise SpakError(Diagnostic("SPK721", f"{command!r} was not found", None, hint))
        path = os.path.realpath(found)
        return Tool(name, found, self._version(found, path), ((path, self._digests.of(path)),))

    def _version(self, command: str, path: str) -> str:
        lines = _say([command, "--version"], self._env).splitlines()
        return lines[0].strip() if lines else os.path.basename(path)

    def _python(self) -> Tool:
        path = os.path.realpath(sys.executable)
        return Tool("python", path, sys.version.split()[0], ((path, self._digests.of(path)),))

    def _nvrtc(self) -> Tool:
        spec = importlib.util.find_spec("nvidia")
        places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
        for place in places:
            for library in sorted(place.glob("**/libnvrtc.so*")):
                version = library.name.partition(".so.")[2] or "unknown"
                return Tool("nvrtc", str(library), version, ((str(library), self._digests.of(str(library))),))
        raise SpakError(Diagnostic("SPK721", "NVRTC was not found", None, "`pip install nvidia-cuda-nvrtc`"))

    def _distribution(self, name: str) -> Tool:
        import importlib.metadata  # with a parser of mail: most builds look no distribution up

        wanted = name.removeprefix("pkg:")
        try:
            found = importlib.metadata.distribution(wanted)
        except importlib.metadata.PackageNotFoundError:
            return Tool(name, "", "not installed", ())
        paths = (row.partition(",")[0] for row in (found.read_text("RECORD") or "").splitlines())
        own = next((path for path in paths if path.endswith(".dist-info/RECORD") and path.count("/") == 1), "")
        record = str(found.locate_file(own)) if own else ""
        files = ((record, _contents(record)),) if record else ()
        return Tool(name, wanted, found.version, files)


def _contents(record: str) -> str:
    """The digest of what a distribution installed, by its RECORD.

    Scripts, which name their interpreter, and pip's own notes are left out: they differ between environments.
    """
    rows = Path(record).read_text().splitlines()
    own = [row for row in rows if not row.startswith("../") and ".dist-info/" not in row]
    return sha256_bytes("\n".join(sorted(own)).encode())


def _say(argv: list[str], env: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            argv, capture_output=True, env=dict(env), timeout=30, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")
