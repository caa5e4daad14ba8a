"""What an answer is for: the digest of what was asked. Knows nothing of who answers."""

from __future__ import annotations

from spak.digest import sha256_bytes
from spak.model.base import canonical_json
from spak.model.request import Asked, Request


def digest_of(asked: Asked) -> str:
    """Covers every field of a request, every field but the name of a question."""
    if isinstance(asked, Request):
        return sha256_bytes(canonical_json(asked))
    return sha256_bytes(canonical_json(asked.model_dump(mode="json", exclude={"name"})))
