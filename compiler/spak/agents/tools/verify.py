"""`tool.verify { unit: variant: target: }`: verifies a unit through the graph. Knows no stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import unit
from spak.agents.tools.base import Context, Planned, Result
from spak.semantics.program import Fields


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """What would be verified."""
    return unit.plan("verify", args, env)


def perform(planned: Planned, context: Context) -> Result:
    """Verify it, building what that needs. Raises Waiting where a reply is waited for."""
    return unit.result(context.services.verify(**unit.subject(planned)), planned.span)
