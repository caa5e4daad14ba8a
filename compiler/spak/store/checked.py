"""What has been checked before, and whether it still holds. Knows digests of files, not how anything is checked.

`.spak/checked.json` has an entry for each unit, program, domain and target: what was found, and the digest of every file that
it was made of. It holds for the very code of the checker, the targets and the names of domains that it was written with; a torn
or foreign file is no memory at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.checked import Checked
from spak.store import atomic

PACKAGE = Path(__file__).resolve().parent.parent
CODE = ("digest.py", "errors", "lang", "model", "parse", "semantics")
ABSENCES = frozenset({"SPK110", "SPK210"})  # of files that were looked for in vain: they may have come since


class Memory:
    """The memory of one project."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / ".spak" / "checked.json"
        self.world = world(root)
        self.digests: dict[str, str] = {}
        self.hits = 0
        self.entries: dict[str, Any] = {}
        self.dirty = False
        try:
            data = json.loads(self.path.read_bytes())
            if data["world"] == self.world:
                self.entries = dict(data["entries"])
        except (OSError, ValueError, KeyError, TypeError):
            self.dirty = True

    def recall(self, file: str) -> Checked | None:
        """What was found, if everything it was made of is as it was."""
        try:
            entry = self.entries[file]
            now = self.listing(file)
            if entry["listing"] != now or any(self.digest(name) != digest for name, digest in entry["files"].items()):
                return None
            self.hits += 1
            return Checked(
                tuple(Diagnostic.from_json(one) for one in entry["found"]),
                tuple(entry["files"]),
                entry["spec"],
                entry["name"],
                Span(*entry["span"]) if entry["span"] else None,
                tuple(entry["targets"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            return None

    def keep(self, file: str, checked: Checked) -> None:
        """Remember, unless what was found depends on files that are not there."""
        if any(one.code in ABSENCES for one in checked.found):
            self.dirty |= self.entries.pop(file, None) is not None
            return
        span = checked.span
        entry = {
            "listing": self.listing(file),
            "files": {name: self.digest(name) for name in checked.files},
            "found": [one.to_json() for one in checked.found],
            "spec": checked.spec,
            "name": checked.name,
            "span": [span.file, span.line, span.col, span.end_line, span.end_col] if span else None,
            "targets": list(checked.targets),
        }
        if self.entries.get(file) != entry:
            self.entries[file] = entry
            self.dirty = True

    def save(self) -> None:
        """Write it down; a failure costs the next run some time and nothing else."""
        if not self.dirty:
            return
        data = json.dumps({"world": self.world, "entries": self.entries}, sort_keys=True)
        try:
            atomic.write(self.path, data.encode(), durable=False)
        except SpakError:
            return

    def listing(self, file: str) -> list[str]:
        """The names in a folder; none for a file."""
        try:
            return sorted(os.listdir(self.root / file))  # noqa: PTH208 a thousand folders are looked at
        except OSError:
            return []

    def digest(self, file: str) -> str:
        if file not in self.digests:
            try:
                path = self.root / file
                data = "\0".join(self.listing(file)).encode() if path.is_dir() else path.read_bytes()
                self.digests[file] = hashlib.sha256(data).hexdigest()
            except OSError:
                self.digests[file] = "absent"
        return self.digests[file]


def world(root: Path) -> str:
    """A digest of what every check depends on: the checker's code, the targets, and the names of domains."""
    sink = hashlib.sha256(sys.version.encode())
    for path in [*_code(), *sorted((root / "targets").glob("*.toml"))]:
        sink.update(path.name.encode() + b"\0")
        try:
            sink.update(path.read_bytes())
        except OSError:
            sink.update(b"absent")
    for path in sorted((root / "specs" / "domains").glob("*.dsl")):
        sink.update(path.name.encode() + b"\0")
    return sink.hexdigest()


def _code() -> Iterator[Path]:
    for part in CODE:
        base = PACKAGE / part
        if base.is_file():
            yield base
        for folder, folders, names in os.walk(base):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            yield from (Path(folder) / name for name in sorted(names) if name.endswith((".py", ".lark", ".toml")))
