"""Stamps: the stats of a set of files, taken so that a later change cannot hide. Knows nothing of what the files
are.
"""

# ruff: noqa: PTH116
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from spak.store.digests import Stat, at_rest, stat_of


@dataclass(frozen=True, slots=True)
class Stamps:
    """`files` maps paths to stats; `absent` are those that were not there. `rest` is false if some were changing
    just then.
    """

    files: tuple[tuple[str, Stat], ...]
    absent: tuple[str, ...]
    rest: bool


def stamp(paths: Iterable[str], since: int = 0) -> Stamps:
    """The stats of files and folders. They are at rest if nothing has changed since `since` (time_ns), or just now."""
    before = since or time.time_ns()
    files, absent, rest = [], [], True
    for path in sorted(set(paths)):
        try:
            entry = stat_of(os.stat(path))
        except OSError:
            absent.append(path)
            continue
        rest = rest and at_rest(entry, before)
        files.append((path, entry))
    return Stamps(tuple(files), tuple(absent), rest)


def unchanged(files: Iterable[tuple[str, Stat]], absent: Iterable[str]) -> bool:
    """Whether everything still has its stat."""
    try:
        return all(stat_of(os.stat(path)) == known for path, known in files) and not any(map(os.path.lexists, absent))
    except OSError:
        return False
