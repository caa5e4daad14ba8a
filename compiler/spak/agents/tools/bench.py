"""`tool.bench { unit: variant: target: shapes: params: repeats: }`: measures a verified kernel. Knows nothing of measuring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools import arguments, unit
from spak.agents.tools.base import Context, Planned, Result
from spak.errors import Diagnostic, SpakError
from spak.semantics.program import Fields

MOST_REPEATS = 1000


def plan(args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """What would be measured, and on which shapes."""
    values = arguments.read("bench", args, env)
    base = unit.plan(
        "bench",
        Fields(tuple((k, v) for k, v in args.fields if k in ("unit", "variant", "target", "allow_failure"))),
        env,
    )
    repeats = values.get("repeats", 0)
    if repeats != int(repeats) or not 0 <= repeats <= MOST_REPEATS:
        span = arguments.place(args.get("repeats"), args)
        hint = f"give a whole number up to {MOST_REPEATS}; 0 leaves it to the measurement"
        raise SpakError(Diagnostic("SPK941", f"repeats is {repeats}", span, hint))
    data = {
        **base.data,
        "shapes": values.get("shapes", []),
        "params": values.get("params", {}),
        "repeats": int(repeats),
    }
    return Planned("bench", data, base.text, arguments.spot(args.span))


def perform(planned: Planned, context: Context) -> Result:
    """Measure it."""
    return unit.result(context.services.bench(**unit.subject(planned)), planned.span)
