"""Digests: one walk over framed fields feeds both the hash and its readable explanation. Knows nothing of stages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

Field = tuple[str, str, str]  # (kind, name, value); value is text or "sha256:..."


def sha256_bytes(data: bytes) -> str:
    """`sha256:<hex>` of a byte string."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def sha256_file(path: str | Path) -> str:
    """`sha256:<hex>` of a file's content. Raises OSError."""
    with Path(path).open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def digest_fields(fields: Iterable[Field]) -> str:
    """The digest of a sequence of fields, each framed by its length so that no two sequences collide by concatenation."""
    hasher = hashlib.sha256()
    for field in fields:
        for part in field:
            raw = part.encode()
            hasher.update(len(raw).to_bytes(8, "little"))
            hasher.update(raw)
    return "sha256:" + hasher.hexdigest()


def explain_fields(fields: Iterable[Field]) -> str:
    """The same walk, for people: one `kind name = value` line a field."""
    return "\n".join(f"{kind:8} {name} = {value}" for kind, name, value in fields)


def first_difference(old: Iterable[Field], new: Iterable[Field]) -> str:
    """A sentence naming the first field that differs between two walks, or '' if they are the same."""
    before = {(kind, name): value for kind, name, value in old}
    for kind, name, value in new:
        if (kind, name) not in before:
            return f"{kind} {name} is new"
        if before.pop((kind, name)) != value:
            return f"{kind} {name} changed"
    return f"{' '.join(next(iter(before)))} is gone" if before else ""
