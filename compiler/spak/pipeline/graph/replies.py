"""What the codegen stage would do with the replies on record: replay, judge or ask. Knows the lock and the record of
attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spak.errors import SpakError
from spak.pipeline.graph.action import Action

UNKNOWN = "unknown until it is made"  # the digest of a file that cannot be foretold


def prospect(action: Action, digest_of: Callable[[str], str]) -> tuple[str, str, dict[str, str]]:
    """("keep" | "re-verify" | "ask", why, digests of the files that would lie in `generated`). Raises SpakError for a
    bad lock.

    `digest_of` foretells the IR and the request. Files of a reply that is still to come are not in the result.
    """
    from spak.codegen.attempts import Attempts
    from spak.digest import sha256_bytes
    from spak.lock import Lock

    options: dict[str, Any] = dict(action.options)
    entry = Lock.load(options.get("lock", "spak.lock")).get(options["unit"], options["variant"], options["dialect"])
    log = Attempts(Path(options["generated"]) / "attempts")
    known = log.load()
    received = [number for number, one in known.items() if one.state == "received"]
    if options.get("refresh"):
        return "ask", "a refresh was asked for", {}
    if received:
        return "re-verify", "a reply is on record and not yet judged", files_of(action, log.text(max(received)))
    if entry is None:
        beside, answer = Path(options["generated"]) / "reply.md", Path(options.get("pending") or "-") / "answer.md"
        if beside.is_file() and sha256_bytes(beside.read_bytes()) not in {one.reply for one in known.values()}:
            return (
                "re-verify",
                f"the lock does not know the reply in {beside.parent}",
                files_of(action, beside.read_bytes()),
            )
        if answer.is_file():
            return "re-verify", f"an answer lies in {answer.parent}", files_of(action, answer.read_bytes())
        return "ask", "the lock has no reply for it", {}
    by_name = {"reply.md": entry.reply, "plan.toml": entry.plan}
    files = {path: by_name.get(Path(path).name, entry.source) for path in action.outputs}
    if entry.request != digest_of(options["request"]):
        return "re-verify", "what would be asked has changed", files
    if entry.spec != digest_of(options["ir"]):
        return "re-verify", "the unit has changed", files
    return "keep", "", files


def files_of(action: Action, reply: bytes) -> dict[str, str]:
    """The digests of the files that a reply consists of."""
    from spak.codegen.generated import digests_of
    from spak.codegen.reply import extract

    try:
        digests = digests_of(reply, extract(reply, action.options["dialect"], ""))
    except SpakError:
        return dict.fromkeys(action.outputs, UNKNOWN)
    by_name = {"reply.md": digests.reply, "plan.toml": digests.plan}
    return {path: by_name.get(Path(path).name, digests.source) for path in action.outputs}
