"""The graph, kept between runs while nothing that it was made of has changed. Knows nothing of how it is made."""

# ruff: noqa: PTH120
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spak.errors import SpakError
from spak.pipeline.graph.action import Graph, from_json, to_json
from spak.pipeline.graph.stages import PACKAGE, files_below
from spak.pipeline.graph.stamps import Stamps, stamp, unchanged
from spak.store import atomic

MAGIC = b"spak graph 1\n"
CONFIG = ("dodo.py", "spak.toml", "pyproject.toml", "targets")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A graph and the stats of everything that it was made of."""

    graph: Graph
    made_of: Stamps


def load(store: Path, make: Callable[[], Graph]) -> Loaded:
    """The graph of the project in the current directory: as it was kept, or made by `make`. Raises what `make`
    raises.
    """
    kept = _read(store)
    if kept is not None:
        return kept
    began = time.time_ns()
    graph = make()
    made_of = stamp([*CONFIG, *own_code(), *graph.watched], began)
    loaded = Loaded(graph, made_of)
    if made_of.rest and not graph.diagnostics:
        _write(store, loaded)
    return loaded


def own_code() -> list[str]:
    """The files and folders of this program, any of which may take part in making a graph."""
    files = files_below(PACKAGE)
    return [*files, *sorted({os.path.dirname(path) for path in files})]


def _read(store: Path) -> Loaded | None:
    try:
        data = store.read_bytes()
        start = len(MAGIC) + 4
        if data[:start] != MAGIC + zlib.crc32(data[start:]).to_bytes(4, "little"):
            return None
        body = marshal.loads(data[start:])  # our own file, framed by a checksum; json is three times slower
        if body["python"] != sys.version or not unchanged(body["files"], body["absent"]):
            return None
        return Loaded(from_json(body["graph"]), Stamps(body["files"], body["absent"], True))
    except (OSError, ValueError, EOFError, TypeError, KeyError):
        return None


def _write(store: Path, loaded: Loaded) -> None:
    body = {
        "python": sys.version,
        "files": loaded.made_of.files,
        "absent": loaded.made_of.absent,
        "graph": to_json(loaded.graph),
    }
    try:
        data = marshal.dumps(body)
        atomic.write(store, MAGIC + zlib.crc32(data).to_bytes(4, "little") + data, durable=False)
    except (SpakError, ValueError):
        return  # options that marshal does not know, or a tree that cannot be written: the graph is made anew each time
