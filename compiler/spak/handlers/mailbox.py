"""The folder where requests wait for answers: `.spak/pending/<name>/`. Knows nothing of who writes the answers.

request.json   the request, exactly; its digest is what an answer is for
request.md     the same for reading
answer.md      the answer, verbatim
answer.json    who gave it, written before it by `spak answer`
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.digest import sha256_bytes
from spak.model.base import canonical_json
from spak.model.request import Request
from spak.store import atomic

PENDING = Path(".spak/pending")


def name_of(request: Request) -> str:
    """`<unit>.<variant>.<dialect>`"""
    return f"{request.unit}.{request.variant}.{request.dialect}"


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
            return sha256_bytes((self.folder / "request.json").read_bytes())
        except FileNotFoundError:
            return ""

    def request(self) -> Request | None:
        """The request that lies here, or None if there is none that can be read."""
        try:
            return Request(**json.loads((self.folder / "request.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def put_request(self, request: Request) -> None:
        """Write the request, the exact form last: it says that the folder is complete."""
        data = canonical_json(request)
        if self.asked == sha256_bytes(data) and (self.folder / "request.md").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        atomic.write(self.folder / "request.md", readable(request, sha256_bytes(data)).encode())
        atomic.write(self.folder / "request.json", data)

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


def readable(request: Request, digest: str) -> str:
    """The request as a page: how to answer it, then the conversation."""
    name = name_of(request)
    parts = [
        f"<!-- {name}, attempt {request.attempt}, request {digest}\n"
        f"     Write the reply (two fenced blocks, see its end) to a file and run: spak answer {name} FILE -->"
    ]
    parts += [f"<!-- {message.role} -->\n\n{message.content.rstrip()}" for message in request.messages]
    return "\n\n".join(parts) + "\n"
