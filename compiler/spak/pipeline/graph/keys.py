"""An action's key: one walk over everything that the action reads, hashed or explained. Knows nothing of what actions
do.

The walk is the only description of what an action depends on; `build`, `plan`, `explain` and doit's `info` all use it,
so they
cannot disagree.
"""

# ruff: noqa: PTH123
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from spak.digest import Field, digest_fields, sha256_bytes
from spak.errors import Diagnostic, SpakError
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.stages import code_digest, code_files
from spak.pipeline.graph.tools import Tools
from spak.store.digests import ABSENT, Digests

DigestOf = Callable[[str], str]


class Keys:
    """The key walk over one tree as it is now."""

    def __init__(self, digests: Digests, tools: Tools, env: Mapping[str, str]) -> None:
        self.digests, self.tools, self.env = digests, tools, env
        self._code: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {}
        self._slices: dict[tuple[str, str], dict[str, str]] = {}

    def fields(self, action: Action, digest_of: DigestOf | None = None) -> tuple[Field, ...]:
        """The walk. `digest_of` may foretell files that are yet to be made. Raises SpakError (SPK704) for a missing
        input.
        """
        return tuple(self._walk(action, digest_of or self.digests.of))

    def code(self, stage: str) -> str:
        """The stage's version, read once a run; see `edited`."""
        if stage not in self._code:
            files = code_files(stage, self.digests)
            self._code[stage] = (code_digest(files), files)
        return self._code[stage][0]

    def edited(self, stage: str) -> str:
        """The first file of the stage that is not any more what `code` was read from, or ''."""
        self.code(stage)
        return self.digests.same(self._code[stage][1])

    def _walk(self, action: Action, digest_of: DigestOf) -> Iterator[Field]:
        yield ("stage", action.stage, self.code(action.stage))
        for name in sorted(action.options):
            yield ("option", name, json.dumps(action.options[name], sort_keys=True, ensure_ascii=False))
        for name in sorted(action.env):
            yield ("env", name, self.env.get(name, ""))
        for name in sorted(action.tools):
            yield ("tool", name, self.tools.find(name).identity)
        for name, text in sorted(action.values):
            yield ("value", name, text)
        for path, part in sorted(action.slices):
            yield ("slice", f"{path}#{part}", self.slice(path, part))
        missing = []
        for path in sorted(action.inputs):
            digest = digest_of(path)
            if digest == ABSENT:
                missing.append(
                    Diagnostic("SPK704", f"{action.name} needs {path!r}, which does not exist", None, "restore it")
                )
            yield ("input", path, digest)
        for path in sorted(action.optional):
            yield ("input", path, digest_of(path))
        for path in sorted(action.outputs):
            yield ("output", path, "")
        if missing:
            raise SpakError(*missing)

    def slice(self, path: str, part: str) -> str:
        """The digest of one entry of a lock file; ABSENT if there is no such entry. Raises SpakError for a damaged
        lock.
        """
        whole = self.digests.of(path)
        if (path, whole) not in self._slices:
            self._slices[(path, whole)] = {} if whole == ABSENT else _entries(path)
        return self._slices[(path, whole)].get(part, ABSENT)


def key_of(fields: tuple[Field, ...]) -> str:
    """The hash sink."""
    return digest_fields(fields)


def _entries(path: str) -> dict[str, str]:
    """The digest of each `[[entry]]` by `unit.variant.dialect`."""
    import tomllib

    from spak.lock import Lock

    Lock.load(path)  # complains with every mistake at its line
    with open(path, "rb") as file:
        tree = tomllib.load(file)
    found = {}
    for row in tree.get("entry", ()):
        name = f"{row['unit']}.{row['variant']}.{row['dialect']}"
        found[name] = sha256_bytes(json.dumps(row, sort_keys=True).encode())
    return found
