"""The folder `generated/<unit>/<variant>/<dialect>`: what lies in it, and putting it right. Knows nothing of the lock's
text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spak.codegen.reply import Extracted
from spak.digest import sha256_bytes
from spak.store import atomic

SUFFIX = {"cuda": "cu", "cpp": "cpp"}


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests of the three files; empty for one that is not there."""

    reply: str = ""
    source: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """The three files that stand for a reply."""

    folder: Path
    dialect: str

    @property
    def reply(self) -> Path:
        return self.folder / "reply.md"

    @property
    def source(self) -> Path:
        return self.folder / f"kernel.{SUFFIX[self.dialect]}"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.toml"

    def digests(self) -> Digests:
        return Digests(_digest(self.reply), _digest(self.source), _digest(self.plan))

    def write(self, reply: bytes | None, extracted: Extracted) -> None:
        """Write the files, each atomically, and only what differs, so that a no-op touches nothing.

        Without a reply, `reply.md` stays as it is.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted = [(self.source, extracted.kernel.encode()), (self.plan, extracted.plan_text.encode())]
        wanted += [(self.reply, reply)] if reply is not None else []
        for path, data in wanted:
            if _digest(path) != sha256_bytes(data):
                atomic.write(path, data)

    def clear(self) -> None:
        """Remove the three files; other files and the attempts stay."""
        for path in (self.reply, self.source, self.plan):
            path.unlink(missing_ok=True)


def digests_of(reply: bytes, extracted: Extracted) -> Digests:
    """The digests that the three files of a reply have."""
    return Digests(
        sha256_bytes(reply), sha256_bytes(extracted.kernel.encode()), sha256_bytes(extracted.plan_text.encode())
    )


def _digest(path: Path) -> str:
    try:
        return sha256_bytes(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""
