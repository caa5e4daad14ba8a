"""`tool.write { path: content: }`: replaces a file inside the run's roots, whole and durably. Knows nothing of its content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import arguments, paths
from spak.agents.tools.base import Context, Planned, Result
from spak.digest import sha256_bytes
from spak.effects import files
from spak.errors import Diagnostic, SpakError
from spak.semantics.operand import text
from spak.semantics.program import Fields

MOST_BYTES = 16 << 20


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """Which file and what goes into it."""
    values = arguments.read("write", args, env)
    span = arguments.place(args.get("path"), args)
    place = paths.locate(values["path"], policy, span, write=True)
    content = text(values["content"])
    where = arguments.place(args.get("content"), args)
    try:
        size = len(content.encode())
    except UnicodeEncodeError:
        what = "the content has characters without a UTF-8 form"
        raise SpakError(Diagnostic("SPK959", what, where, "leave them out: they are halves of characters")) from None
    if size > MOST_BYTES:
        what = f"{size} bytes for {str(place)!r}"
        raise SpakError(Diagnostic("SPK960", what, where, f"the limit is {MOST_BYTES}; have a program write it"))
    data = {**place.to_json(), "content": content}
    return Planned("write", data, f"write {arguments.shown(str(place))} ({size} bytes)", span)


def perform(planned: Planned, context: Context) -> Result:
    """Write it. The value says what was written: {path, bytes, digest}."""
    place = paths.at(planned.data)
    content = planned.data["content"].encode()
    try:
        files.write(place.base(context.root), place.parts, content)
    except OSError as error:
        raise paths.broken("write", place, error, planned.span) from None
    return Result(True, {"path": str(place), "bytes": len(content), "digest": sha256_bytes(content)})
