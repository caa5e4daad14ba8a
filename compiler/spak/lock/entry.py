"""One entry of the lock: which reply was accepted for which request, and on what evidence. Knows nothing of the
file.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from spak.model.base import Model
from spak.model.request import Provenance

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
OptionalDigest = Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]

Key = tuple[str, str, str]  # unit, variant, dialect


class TargetEvidence(Model):
    """What was found for one target when the reply was accepted. Digests are empty for what was not made."""

    name: Name
    build: OptionalDigest = ""
    evidence: OptionalDigest = ""
    verdict: str = ""


class Entry(Model):
    """`request` is what would be asked today and `asked` what the reply answered: they differ after a source was kept.

    `spec` is the digest of the unit's IR; `reply`, `source` and `plan` are digests of the files in `generated/`.
    `attempts` counts the replies it took, `sample` the refreshes. `observed` are the names of the fired rules that were told
    with the request: no part of what keys the entry, as what fires depends on where it was measured.
    """

    unit: Name
    variant: Name
    dialect: Name
    spec: Digest
    request: Digest
    asked: OptionalDigest = ""
    reply: Digest
    source: Digest
    plan: Digest
    attempts: int = 1
    sample: int = 0
    observed: tuple[str, ...] = ()
    provenance: Provenance
    targets: tuple[TargetEvidence, ...] = ()

    @property
    def key(self) -> Key:
        return (self.unit, self.variant, self.dialect)
