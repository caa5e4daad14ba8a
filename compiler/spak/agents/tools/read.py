"""`tool.read { path: }`: the text of a file inside the run's roots. Knows nothing of what the text is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import arguments, paths
from spak.agents.tools.base import Context, Planned, Result
from spak.effects import files
from spak.errors import Diagnostic, SpakError
from spak.semantics.program import Fields


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """Which file, and that it may be read."""
    values = arguments.read("read", args, env)
    span = arguments.place(args.get("path"), args)
    place = paths.locate(values["path"], policy, span)
    data = {**place.to_json(), "limit": policy.output_bytes}
    return Planned("read", data, f"read {arguments.shown(str(place))}", span)


def perform(planned: Planned, context: Context) -> Result:
    """Read it: UTF-8 text, not too much of it."""
    place = paths.at(planned.data)
    try:
        data = files.read(place.base(context.root), place.parts, planned.data["limit"])
    except OSError as error:
        raise paths.broken("read", place, error, planned.span) from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        why = f"byte 0x{data[error.start]:02x} in line {data.count(10, 0, error.start) + 1}"
        what = f"{str(place)!r} is not UTF-8 text: {why}"
        raise SpakError(
            Diagnostic("SPK959", what, planned.span, "save it as UTF-8; have a program read what is no text")
        ) from None
    if "\0" in text:
        what = f"{str(place)!r} is no text: it holds NUL characters"
        raise SpakError(Diagnostic("SPK959", what, planned.span, "have a program read what is no text"))
    return Result(True, text)
