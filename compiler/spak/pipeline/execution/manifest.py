"""Writes the front door's manifest after a build that left nothing to do. Knows nothing of how actions are executed."""

# ruff: noqa: PTH112
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib
from collections.abc import Iterable
from pathlib import Path

from spak.errors import SpakError
from spak.pipeline.execution.frontdoor import MAGIC, manifest_path
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.keys import Keys
from spak.pipeline.graph.stages import sources
from spak.pipeline.graph.stamps import Stamps, stamp
from spak.store import atomic
from spak.store.digests import REST_NS, Stat

Selection = tuple[tuple[str, ...], tuple[str, ...]]


def write(root: Path, selection: Selection, actions: list[Action], keys: Keys, made_of: Stamps, message: str) -> bool:
    """Write it, if every file is at rest with the digest that the build went by. False if not: the next no-op is
    slower.
    """
    if not made_of.rest:
        return False
    files = _files(actions, keys)
    if files is None:
        time.sleep(REST_NS / 1e9)  # what was written last has now come to rest
        files = _files(actions, keys)
    if files is None:
        return False
    absent = {path for action in actions for path in action.optional} - files.keys()
    searched: list[str] = (
        keys.env.get("PATH", "").split(":") if keys.tools.used() else []
    )  # a tool may appear in front of ours
    folders = stamp(folder for folder in searched if os.path.isdir(folder))
    env = sorted(
        {name for action in actions for name in action.env} | {"PYTHONPATH", *(("CXX", "PATH") if searched else ())}
    )
    body = {
        "selection": selection,
        "python": (sys.executable, sys.version),
        "files": [*sorted(files.items()), *made_of.files, *folders.files],
        "outputs": sorted({path for action in actions for path in action.outputs}),
        "absent": sorted(absent | set(made_of.absent)),
        "env": [(name, keys.env.get(name, "")) for name in env],
        "names": [action.name for action in actions],
        "message": message,
    }
    data = marshal.dumps(body)
    try:
        atomic.write(
            manifest_path(str(root), selection), MAGIC + zlib.crc32(data).to_bytes(4, "little") + data, durable=False
        )
    except SpakError:
        return False
    return True


def remove_all(root: Path) -> None:
    """Close the front door while a build is under way."""
    for path in (root / ".spak" / "state").glob("noop-*"):
        path.unlink(missing_ok=True)


def _files(actions: list[Action], keys: Keys) -> dict[str, Stat] | None:
    """The stat of each file under which its digest was read; None while some are too fresh to be told from a later
    edit.
    """
    found: dict[str, Stat] = {}
    optional = {path for action in actions for path in action.optional}
    for path in _paths(actions, keys):
        if path in found:
            continue
        settled = keys.digests.settled(path)
        if settled is not None:
            found[path] = settled[0]
        elif path not in optional or os.path.lexists(path):
            return None
    return found


def _paths(actions: list[Action], keys: Keys) -> Iterable[str]:
    for action in actions:
        yield from action.inputs
        yield from action.optional
        yield from action.outputs
        yield from (path for path, _ in action.slices if os.path.lexists(path))
    for stage in {action.stage for action in actions}:
        yield from sources(stage)
    for tool in keys.tools.used():
        yield from (path for path, _ in tool.files)
