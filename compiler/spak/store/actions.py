"""The action cache: what an action's key led to. Knows neither how keys are made nor what actions do.

An entry is JSON: `{"outputs": {path: [digest, mode]}, "outcome": {...}, "fields": [[kind, name, value], ...]}`. Any
fault in it,
or in reaching it, is a miss.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from spak.digest import sha256_bytes
from spak.errors import SpakError
from spak.store import atomic
from spak.store.cas import Cas

VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What an action produced. `fields` is the walk that its key digests, for `explain`."""

    outputs: dict[str, tuple[str, int]]
    outcome: dict[str, Any]
    fields: tuple[tuple[str, str, str], ...] = ()


class Remote(Protocol):
    """A shared cache. Both calls may fail by raising OSError; what they return is verified by the caller."""

    def get(self, kind: str, digest: str) -> bytes | None:
        """The bytes of an "ac" entry (by action key) or a "cas" blob (by digest), or None."""

    def put(self, kind: str, digest: str, data: bytes) -> None:
        """Store the bytes. Entries are put after the blobs that they name."""


class Folder:
    """The local `Remote`: entries in one folder, blobs in a Cas."""

    def __init__(self, folder: Path, cas: Cas) -> None:
        self.folder, self.cas = folder, cas

    def get(self, kind: str, digest: str) -> bytes | None:
        path = self._path(digest) if kind == "ac" else self.cas.path(digest)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def put(self, kind: str, digest: str, data: bytes) -> None:
        path = self._path(digest) if kind == "ac" else self.cas.path(digest)
        atomic.write(path, data, durable=False)

    def _path(self, key: str) -> Path:
        hexa = key.removeprefix("sha256:")
        return self.folder / hexa[:2] / hexa[2:]


FAULTS = (OSError, SpakError, ValueError, KeyError, TypeError, AttributeError)


class Actions:
    """The cache of one tree: a local folder, which several trees may share, and remotes that are asked when it has
    nothing.
    """

    def __init__(self, local: Folder, remotes: tuple[Remote, ...] = ()) -> None:
        self.local, self.remotes = local, remotes

    def get(self, key: str) -> Entry | None:
        """The entry of a key, or None."""
        for store in (self.local, *self.remotes):
            try:
                data = store.get("ac", key)
                entry = None if data is None else _decode(data, key)
            except FAULTS:
                continue
            if entry is not None:
                return entry
        return None

    def put(self, key: str, entry: Entry) -> bool:
        """Keep the outputs, which lie in the working directory, and then the entry. False if something could not be
        kept.
        """
        for path, (digest, _) in entry.outputs.items():
            if not self.local.cas.put_file(path, digest):
                return False
        body = {
            "version": VERSION,
            "key": key,
            "outputs": entry.outputs,
            "outcome": entry.outcome,
            "fields": entry.fields,
        }
        data = json.dumps(body, sort_keys=True).encode()
        try:
            self.local.put("ac", key, data)
        except FAULTS:
            return False
        for remote in self.remotes:
            self._share(remote, key, entry, data)
        return True

    def checkout(self, digest: str, target: str, mode: int) -> bool:
        """Put a blob's content at `target`. False is a miss. Raises SpakError when the target cannot be written."""
        return self.local.cas.checkout(digest, target, mode) or (
            self._fetch(digest) and self.local.cas.checkout(digest, target, mode)
        )

    def _fetch(self, digest: str) -> bool:
        for remote in self.remotes:
            try:
                data = remote.get("cas", digest)
                if data is not None and sha256_bytes(data) == digest:
                    self.local.put("cas", digest, data)
                    return True
            except FAULTS:
                continue
        return False

    def _share(self, remote: Remote, key: str, entry: Entry, data: bytes) -> None:
        try:
            for path, (digest, _) in entry.outputs.items():
                remote.put("cas", digest, Path(path).read_bytes())
            remote.put("ac", key, data)
        except FAULTS:
            return


def _decode(data: bytes, key: str) -> Entry | None:
    body = json.loads(data)
    if body["version"] != VERSION or body["key"] != key:
        return None
    outputs = {str(path): (str(digest), int(mode)) for path, (digest, mode) in body["outputs"].items()}
    fields = tuple((str(kind), str(name), str(value)) for kind, name, value in body["fields"])
    return Entry(outputs, dict(body["outcome"]), fields)
