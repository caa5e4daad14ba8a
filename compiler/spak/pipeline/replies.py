"""What the codegen stage would do with the replies on record: replay, judge or ask. Knows the lock and the record of
attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from spak.pipeline.action import Action

UNKNOWN = "unknown until it is made"  # the digest of a file that cannot be foretold


def prospect(action: Action, digest_of: Callable[[str], str]) -> tuple[str, str, dict[str, str]]:
    """("keep" | "re-verify" | "ask", why, digests of the files that would lie in `generated`). Raises SpakError for a
    bad lock.

    `digest_of` foretells the IR and the request. Files of a reply that is still to come are not in the result.
    """
    from spak.codegen.attempts import Attempts
    from spak.lock import Lock

    options: dict[str, Any] = dict(action.options)
    entry = Lock.load(options.get("lock", "spak.lock")).get(options["unit"], options["variant"], options["dialect"])
    waiting = Attempts(Path(options["generated"]) / "attempts").load()
    received = [one for one in waiting.values() if one.state == "received"]
    files: dict[str, str] = {}
    if entry is not None:
        by_name = {"reply.md": entry.reply, "plan.toml": entry.plan}
        files = {path: by_name.get(Path(path).name, entry.source) for path in action.outputs}
    if options.get("refresh"):
        return "ask", "a refresh was asked for", {}
    if received:
        return "re-verify", "a reply is on record and not yet judged", files
    if entry is None:
        pending = options.get("pending", "")
        answered = bool(pending) and (Path(pending) / "answer.md").is_file()
        if answered:
            return "re-verify", f"an answer lies in {pending}", dict.fromkeys(action.outputs, UNKNOWN)
        return "ask", "the lock has no reply for it", {}
    if entry.request != digest_of(options["request"]):
        return "re-verify", "what would be asked has changed", files
    if entry.spec != digest_of(options["ir"]):
        return "re-verify", "the unit has changed", files
    return "keep", "", files
