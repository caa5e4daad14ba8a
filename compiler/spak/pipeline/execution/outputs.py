"""The files that an action makes: looked at, removed, restored. Knows nothing of keys or of processes."""

# ruff: noqa: PTH103, PTH108, PTH120
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.store import atomic
from spak.store.actions import Actions
from spak.store.digests import ABSENT, Digests

Made = Mapping[str, tuple[str, int]]  # path -> (digest, mode)


def intact(made: Made, digests: Digests) -> str:
    """'' if every file is as recorded, else what is not, as a sentence."""
    for path, (digest, mode) in made.items():
        try:
            entry = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return f"output {path} is gone"
        except OSError as error:
            raise atomic.broken("read", path, error) from error
        if not stat.S_ISREG(entry.st_mode):
            return f"output {path} is no regular file any more"
        if digests.of(path) != digest:
            return f"output {path} was changed"
        if stat.S_IMODE(entry.st_mode) != mode:
            return f"output {path} has another mode"
    return ""


def take(paths: Iterable[str], digests: Digests) -> dict[str, tuple[str, int]]:
    """Digest and mode of those that are there as regular files."""
    made = {}
    for path in sorted(paths):
        try:
            entry = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise atomic.broken("read", path, error) from error
        if stat.S_ISREG(entry.st_mode) and (digest := digests.of(path)) != ABSENT:
            made[path] = (digest, stat.S_IMODE(entry.st_mode))
    return made


def clear(paths: Iterable[str]) -> None:
    """Remove the files and make their folders. Raises SpakError: SPK706 if one would lie outside of the tree,
    SPK701.
    """
    root = os.path.realpath(".")
    for path in paths:
        folder = os.path.dirname(path) or "."
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise atomic.broken("make", folder, error) from error
        inside(path, root)
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise atomic.broken("replace", path, error) from error


def inside(path: str, root: str) -> None:
    """Raise SPK706 if a path's folder leads out of the tree through a link."""
    real = os.path.realpath(os.path.dirname(path) or ".")
    if real != root and not real.startswith(root + os.sep):
        what = f"{path!r} would be written outside of the project: its folder is a link to {real}"
        raise SpakError(Diagnostic("SPK706", what, None, "remove the link"))


def discard(paths: Iterable[str]) -> None:
    """Remove what an interrupted or broken action may have left. Never raises: the record says what counts."""
    for path in paths:
        try:
            Path(path).unlink(missing_ok=True)
        except OSError:
            continue


def restore(made: Made, declared: Iterable[str], cache: Actions, digests: Digests) -> bool:
    """Bring every file to its recorded state from the cache, and remove declared ones that were not made. False is a
    miss.
    """
    absent = [path for path in declared if path not in made]
    changed = [path for path in made if intact({path: made[path]}, digests)]
    clear([*absent, *changed])
    for path in changed:
        digest, mode = made[path]
        if not cache.checkout(digest, path, mode):
            return False
    return True
