"""Paths in a call: inside the run's roots, and never of what the compiler itself relies on. Knows no tool.

What is decided here is decided by the text of a path alone. That no link leads elsewhere is seen to by
`spak.effects.files`, which reaches the file.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spak.agents.policy import Policy
from spak.effects import files
from spak.errors import Diagnostic, SpakError, Span
from spak.store import atomic

#: Not even read, at any depth: repositories hold credentials and hooks, `.spak` approvals and the state of runs.
HIDDEN = frozenset({".git", ".spak"})
#: Of the project, not written: what has been answered and proved, how the project is built, who is asked, what compiles.
KEPT = frozenset({"generated", "spak.lock", "dodo.py", "spak.toml", "pyproject.toml", "targets", "templates"})


@dataclass(frozen=True, slots=True)
class Place:
    """`path` below `root`; a root of '' is the project."""

    root: str
    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts

    def base(self, project: Path) -> Path:
        return Path(self.root) if self.root else project

    def to_json(self) -> dict[str, str]:
        return {"root": self.root, "path": self.path}

    def __str__(self) -> str:
        return f"{self.root}/{self.path}" if self.root else self.path


def at(data: dict[str, Any]) -> Place:
    """The place that `to_json` wrote."""
    return Place(data["root"], data["path"])


def locate(text: str, policy: Policy, span: Span | None, *, write: bool = False, folder: bool = False) -> Place:
    """The place that a path names. Raises SpakError where the run has no business there."""
    path = PurePosixPath(text)
    if not text or "\0" in text:
        raise _refused("SPK955", "an empty path" if not text else "a path with a NUL character", span, "name a file")
    if ".." in path.parts:
        raise _refused("SPK955", f"the path {text!r} climbs with `..`", span, "write it from the project's root")
    if text.endswith("/") and not folder:
        raise _refused("SPK955", f"the path {text!r} names a folder", span, "name a file")
    if path.is_absolute() and path.is_relative_to(policy.project):
        path = path.relative_to(policy.project)
    place = _inside(path, policy)
    if place is None and not (folder and path == PurePosixPath(".")):
        hint = "a contract's `roots` say where a run may work; `--root DIR` allows a folder beside the project"
        raise _refused("SPK955", f"{text!r} is outside of this run's roots ({', '.join(policy.roots)})", span, hint)
    hidden = HIDDEN.intersection(path.parts)
    kept = KEPT.intersection(path.parts[:1]) if write and not path.is_absolute() else ()
    for name in (*hidden, *kept):
        hint = f"no tool {'writes' if name in KEPT else 'reads or writes'} {name}"
        raise _refused("SPK957", f"{text!r} is not for tools", span, hint)
    return place or Place("", ".")


def _inside(path: PurePosixPath, policy: Policy) -> Place | None:
    """Where a path lies among the roots; the first that holds it counts."""
    for root in policy.roots:
        if not path.is_relative_to(root) and root != ".":
            continue
        if PurePosixPath(root).is_absolute():
            return Place(root, str(path.relative_to(root)))
        if not path.is_absolute():
            return Place("", str(path))
    return None


def _refused(code: str, what: str, span: Span | None, hint: str) -> SpakError:
    return SpakError(Diagnostic(code, what, span, hint))


def broken(what: str, place: Place, error: OSError, span: Span | None) -> SpakError:
    """The error that an OSError on the way to a place is. `what` is `read`, `write` or `work in`."""
    if isinstance(error, files.Crossing):
        code, why = "SPK956", f"{error.filename!r} is a symbolic link"
        hint = "name the file by its own path: no link is followed"
    elif isinstance(error, files.Odd):
        code, why, hint = "SPK958", "it is not a plain file", "name a plain file"
    elif isinstance(error, files.Huge):
        code, why, hint = "SPK960", f"it has {error.strerror}", "have a program take from it what is needed"
    else:
        code, why = "SPK958", (error.strerror or str(error)).lower()
        hint = atomic.HINTS.get(errno.errorcode.get(error.errno or 0, ""), "paths are relative to the project's root")
    return SpakError(Diagnostic(code, f"cannot {what} {str(place)!r}: {why}", span, hint))
