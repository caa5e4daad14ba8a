"""The trial cache: one small file a trial, by what was measured, on what, and where. Knows nothing of what a trial is.

A trial is written once, whole, and synced: a sweep that is killed at any moment finds everything that it had finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spak.digest import sha256_bytes
from spak.model.base import canonical_json
from spak.store import atomic

VERSION = 1


class TrialCache:
    """A folder, `.spak/trials`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """What was put under a key; None if nothing was, or the file is no longer what was written."""
        try:
            data = json.loads(self._path(key).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or data.get("key") != json.loads(canonical_json(dict(key))):
            return None
        body = data.get("trial")
        intact = isinstance(body, dict) and data.get("sha256") == sha256_bytes(canonical_json(body))
        return body if intact else None

    def put(self, key: Mapping[str, Any], trial: Mapping[str, Any]) -> None:
        """Keep a trial. Raises SpakError where it cannot be written."""
        body = {"key": dict(key), "trial": dict(trial), "sha256": sha256_bytes(canonical_json(dict(trial)))}
        atomic.write(self._path(key), canonical_json(body))

    def _path(self, key: Mapping[str, Any]) -> Path:
        name = sha256_bytes(canonical_json({"version": VERSION, **key})).removeprefix("sha256:")
        return self.folder / name[:2] / f"{name[2:]}.json"
