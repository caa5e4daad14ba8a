"""The record of replies that are being judged or that failed, kept beside the code. Knows nothing of how they are
judged.

`attempts/<n>.md` is a reply verbatim and `attempts/attempts.json` says what became of each, so that a build that was
killed or that waits for an answer goes on from there. Number 0 is the pinned reply while another one is being tried in
its place.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import Model, canonical_json
from spak.model.request import Provenance
from spak.store import atomic

PINNED = 0


class Attempt(Model):
    """One reply. `base` is the digest of the request as rendered, `request` of what was asked with the conversation so
    far.

    An adopted edit has no base: it answers whatever the unit's request is when it is judged. `observed` names the fired rules
    that were told with the request.
    """

    base: str = ""
    request: str = ""
    reply: str
    state: Literal["received", "failed"]
    provenance: Provenance
    diagnostics: tuple[dict[str, Any], ...] = ()
    observed: tuple[str, ...] = ()


@dataclass(slots=True)
class Attempts:
    """The attempts folder of one unit, variant and dialect."""

    folder: Path

    @property
    def index(self) -> Path:
        return self.folder / "attempts.json"

    def load(self) -> dict[int, Attempt]:
        """Every attempt by its number. Raises SpakError if the record is damaged."""
        try:
            return {int(n): Attempt(**one) for n, one in json.loads(self.index.read_bytes()).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, ValidationError) as error:
            what = f"the record of attempts is damaged: {str(error).splitlines()[0]}"
            hint = "delete the folder it is in: the accepted reply is not there"
            raise SpakError(Diagnostic("SPK328", what, Span(str(self.index)), hint)) from None

    def text(self, number: int) -> bytes:
        """A reply verbatim; empty when its file is gone."""
        try:
            return self.file(number).read_bytes()
        except FileNotFoundError:
            return b""

    def file(self, number: int) -> Path:
        return self.folder / f"{number}.md"

    def receive(
        self, reply: bytes, base: str, request: str, provenance: Provenance, observed: tuple[str, ...] = ()
    ) -> int:
        """Keep a reply before anything is done with it, and return its number. The text goes first: an index entry is a
        promise.
        """
        known = self.load()
        number = max(known, default=0) + 1
        self._write(number, reply)
        self._save({**known, number: Attempt(
            base=base, request=request, reply=sha256_bytes(reply), state="received", provenance=provenance,
            observed=observed,
        )})  # fmt: skip
        return number

    def fail(self, number: int, diagnostics: tuple[dict[str, Any], ...]) -> None:
        """Say why a reply was not accepted."""
        known = self.load()
        self._save({**known, number: known[number].model_copy(update={"state": "failed", "diagnostics": diagnostics})})

    def set_pinned(
        self, reply: bytes, base: str, provenance: Provenance, diagnostics: tuple[dict[str, Any], ...]
    ) -> None:
        """Keep the pinned reply while others are tried: their files take its place until one is accepted."""
        one = Attempt(
            base=base, reply=sha256_bytes(reply), state="failed", provenance=provenance, diagnostics=diagnostics
        )
        if self.load().get(PINNED) == one and self.text(PINNED) == reply:
            return
        self._write(PINNED, reply)
        self._save({**self.load(), PINNED: one})

    def drop(self, *numbers: int) -> None:
        """Forget attempts: accepted ones live on as the unit's reply."""
        known = self.load()
        left = {n: one for n, one in known.items() if n not in numbers}
        if left != known:
            self._save(left)
        for number in numbers:
            self.file(number).unlink(missing_ok=True)
        if not left:
            self.index.unlink(missing_ok=True)
            _remove_if_empty(self.folder)

    def _write(self, number: int, reply: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic.write(self.file(number), reply)

    def _save(self, known: dict[int, Attempt]) -> None:
        atomic.write(
            self.index, canonical_json({str(n): one.model_dump(mode="json") for n, one in sorted(known.items())})
        )


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):  # other files are there, or the folder is gone already
        folder.rmdir()
