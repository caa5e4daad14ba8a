"""`tool.engineering_loop { name: }`: runs a search that the program declares. Knows nothing of searching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import arguments, unit
from spak.agents.tools.base import Context, Planned, Result
from spak.errors import Diagnostic, SpakError
from spak.semantics.program import Fields
from spak.semantics.suggest import near


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """Which search."""
    values = arguments.read("engineering_loop", args, env)
    name = values["name"]
    data = {"name": name, "allow_failure": bool(values.get("allow_failure", False))}
    return Planned("engineering_loop", data, f"search {arguments.shown(name)}", arguments.spot(args.span))


def perform(planned: Planned, context: Context) -> Result:
    """Search. What fired rules recommend narrows it; each trial is reported as it ends."""
    name = planned.data["name"]
    loop = context.loops.get(name)
    if loop is None:
        what = f"there is no engineering_loop {arguments.shown(name[:60])!r}"
        raise SpakError(Diagnostic("SPK963", what, planned.span, near(name, context.loops, "declared")))
    found = context.services.sweep(loop, context.report, context.recommended, context.policy)
    return unit.result(found, planned.span)
