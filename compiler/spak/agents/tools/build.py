"""`tool.build { unit: variant: target: }`: builds a unit through the graph. Knows no stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import unit
from spak.agents.tools.base import Context, Planned, Result
from spak.semantics.program import Fields


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """What would be built."""
    return unit.plan("build", args, env)


def perform(planned: Planned, context: Context) -> Result:
    """Build it. Raises Waiting where a reply is waited for."""
    return unit.result(context.services.build(**unit.subject(planned)), planned.span)
