"""Approvals: a person has seen a very command and lets it run. Knows nothing of what commands do.

.spak/approvals/<digest>.asked    what waits to be looked at, written when it was refused
.spak/approvals/<digest>          what was approved: the same bytes

An approval is for what its file says, not for what its name says: the file is compared with the command that is about to run.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from spak.agents.tools.arguments import shown
from spak.agents.tools.base import Planned
from spak.digest import sha256_bytes
from spak.effects import files
from spak.errors import Diagnostic, SpakError, Waiting
from spak.store import atomic

FOLDER = (".spak", "approvals")
MOST_BYTES = 64 << 20
PREFIX = re.compile(r"(sha256:)?[0-9a-f]{8,64}")


def require(root: Path, planned: Planned) -> None:
    """Return if this very command has been approved. Raises Waiting if not, having written down what it is."""
    name = _name(planned.digest)
    try:
        if _read(root, name) == planned.canonical:
            return
        files.write(root, (*FOLDER, f"{name}.asked"), planned.canonical)
    except OSError as error:
        raise atomic.broken("write", f"{'/'.join(FOLDER)}/{name}", error) from error
    what = "a command for a shell needs an approval"
    hint = "read it, then `spak step --approve DIGEST` and resume; `--allow-shell` allows every one"
    notes = (f"command {planned.text}", f"approve spak step --approve {name[:16]}")
    raise Waiting(Diagnostic("SPK949", what, planned.span, hint, notes))


def approve(root: Path, digest: str) -> str:
    """Approve what waits under a digest, of which 8 digits are enough; returns what it is, in words. Raises SpakError."""
    if not PREFIX.fullmatch(digest):
        raise _unknown(
            f"{digest[:80]!r} is no digest", "give the digest that was printed, or its first 8 digits at least"
        )
    names = [name for name in waiting(root) if name.startswith(digest.removeprefix("sha256:"))]
    if len(names) != 1:
        there = ", ".join(one[:16] for one in waiting(root)) or "none"
        raise _unknown(f"{len(names) or 'no'} commands wait under {digest!r}", f"what waits: {there}")
    data = _read(root, f"{names[0]}.asked")
    if data is None or sha256_bytes(data) != f"sha256:{names[0]}":
        what = f"what waits under {names[0][:16]} has been changed since it was written"
        raise SpakError(Diagnostic("SPK962", what, None, "resume the run: it asks again"))
    try:
        files.write(root, (*FOLDER, names[0]), data)
    except OSError as error:
        raise atomic.broken("write", "/".join((*FOLDER, names[0])), error) from error
    return words(data)


def waiting(root: Path) -> list[str]:
    """The digests, without their prefix, of what waits to be approved."""
    folder = root.joinpath(*FOLDER)
    asked = sorted(path.stem for path in folder.glob("*.asked")) if folder.is_dir() else []
    return [name for name in asked if not (folder / name).exists()]


def words(data: bytes) -> str:
    """A command as people read it before they approve it: nothing in it is hidden."""
    args = json.loads(data)["args"]
    lines = [f"$ {shown(args['argv'][-1])}", f"in {shown(args['path'])}"]
    lines += [f"with {name}={shown(value)}" for name, value in sorted(args["env"].items())]
    return "\n".join([*lines, *([f"given {shown(args['stdin'])}"] if args["stdin"] else [])])


def _read(root: Path, name: str) -> bytes | None:
    try:
        return files.read(root, (*FOLDER, name), MOST_BYTES)
    except FileNotFoundError:
        return None


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:")


def _unknown(what: str, hint: str) -> SpakError:
    return SpakError(Diagnostic("SPK965", what, None, hint))
