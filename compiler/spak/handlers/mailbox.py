"""The folder where requests wait for answers: `.spak/pending/<name>/`. Knows nothing of who writes the answers.

request.json   the request or question, exactly; its digest is what an answer is for
request.md     the same for reading
answer.md      the answer, verbatim
answer.json    who gave it, written before it by `spak answer`
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.digest import sha256_bytes
from spak.effects.asking import digest_of
from spak.model.base import canonical_json
from spak.model.request import Asked, Question, Request
from spak.store import atomic

PENDING = Path(".spak/pending")


def name_of(asked: Asked) -> str:
    """`<unit>.<variant>.<dialect>` of a request. A question's own name where it can be that of a folder; what had to be
    changed for that carries a digest, so that two names never share a mailbox.
    """
    if isinstance(asked, Request):
        return f"{asked.unit}.{asked.variant}.{asked.dialect}"
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", asked.name)[:100].strip(".-") or "question"
    short = sha256_bytes(asked.name.encode()).removeprefix("sha256:")[:8]
    return name if name == asked.name else f"{name}-{short}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One name's folder; `shown` is its path as messages print it, relative to the project."""

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        return self.root / PENDING / self.name

    @property
    def shown(self) -> str:
        return (PENDING / self.name).as_posix()

    @property
    def answer(self) -> Path:
        return self.folder / "answer.md"

    @property
    def asked(self) -> str:
        """The digest of the request that lies here; empty if there is none."""
        try:
            data = (self.folder / "request.json").read_bytes()
        except FileNotFoundError:
            return ""
        found = _parse(data)
        return digest_of(found) if isinstance(found, Question) else sha256_bytes(data)

    def request(self) -> Asked | None:
        """What lies here, or None if there is nothing that can be read."""
        try:
            return _parse((self.folder / "request.json").read_bytes())
        except OSError:
            return None

    def put_request(self, asked: Asked) -> None:
        """Write what is asked, the exact form last: it says that the folder is complete."""
        digest = digest_of(asked)
        if self.asked == digest and (self.folder / "request.md").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic.write(self.folder / "request.md", readable(asked, digest).encode())
        atomic.write(self.folder / "request.json", canonical_json(asked))

    def close(self) -> None:
        """Nothing is waited for any more: the answer, if there was one, is on record elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def put_answer(self, data: bytes, about: dict[str, Any]) -> None:
        """Write an answer; who gave it goes first, as the build takes the answer as soon as it is there."""
        atomic.write(self.folder / "answer.json", canonical_json({**about, "answer": sha256_bytes(data)}))
        atomic.write(self.answer, data)

    def about(self, data: bytes) -> dict[str, Any]:
        """Who gave this answer; empty when it was put here without `spak answer`."""
        try:
            about = json.loads((self.folder / "answer.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return about if isinstance(about, dict) and about.get("answer") == sha256_bytes(data) else {}

    def set_aside(self) -> str:
        """Move an answer to another request out of the way, keeping it; its new path as messages print it."""
        short = self.asked.removeprefix("sha256:")[:12] or "unknown"
        self.answer.rename(self.folder / f"answer.for-{short}.md")
        return f"{self.shown}/answer.for-{short}.md"


def waiting(root: Path) -> list[Mailbox]:
    """Every mailbox with a request in it, by name."""
    folder = root / PENDING
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [box for name in names if (box := Mailbox(root, name)).request() is not None]


def _parse(data: bytes) -> Asked | None:
    try:
        fields = json.loads(data)
        return Request(**fields) if "unit" in fields else Question(**fields)
    except (ValueError, TypeError):
        return None


def readable(asked: Asked, digest: str) -> str:
    """The request as a page: how to answer it, then the conversation, then the schema that a reply must have."""
    name = name_of(asked)
    form = "two fenced blocks, see its end" if isinstance(asked, Request) else "what the last message asks for"
    parts = [
        f"<!-- {name}, attempt {asked.attempt}, request {digest}\n"
        f"     Write the reply ({form}) to a file and run: spak answer {name} FILE -->"
    ]
    parts += [f"<!-- {message.role} -->\n\n{message.content.rstrip()}" for message in asked.messages]
    if isinstance(asked, Question) and asked.reply_schema:
        schema = json.dumps(asked.reply_schema, indent=2, ensure_ascii=False)
        parts.append(f"<!-- the reply is JSON of this schema -->\n\n```json\n{schema}\n```")
    return "\n\n".join(parts) + "\n"
