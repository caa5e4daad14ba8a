"""Where a fact or a rule holds, against where a trace was measured. Knows nothing of what it says.

`target` and `shapes` bound a scope. `date` and `samples` say on what it was found: they are shown, and bound nothing, as no later
trace could ever be inside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.knowledge.item import Item
from spak.lang.expr import evaluate, names, print_expr
from spak.semantics.program import Scope


def outside(scope: Scope, item: Item, target: str = "") -> str:
    """Why a trace is out of scope, '' if it is inside. `target` is the run's, where the trace names none."""
    return outside_of(scope, item.target or target, item.shape, item.fields)


def outside_of(scope: Scope, target: str, shape: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """The same of a trace's parts."""
    if scope.target and scope.target != target:
        return f"it holds on {scope.target}, and this is {target or 'on no target that the trace names'}"
    env = {**fields, **shape}
    for condition in scope.shapes:
        if evaluate(condition, env) is True:
            continue
        known = {name: env[name] for name in sorted(names(condition)) if name in env}
        here = ", ".join(f"{name} = {value}" for name, value in known.items())
        return f"it holds where {print_expr(condition)}, and here {here or 'the trace names no shape'}"
    return ""
