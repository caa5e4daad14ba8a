"""Tools: what a program may have done outside of itself. Knows no tool by name.

A tool is a file of this folder with `plan` and `perform`; see `spak.agents.tools.base`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from spak.agents.policy import Policy
from spak.agents.tools.base import Context, Planned, Result
from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.program import Fields
from spak.semantics.suggest import near
from spak.semantics.toolbox import TOOLS

__all__ = ["Context", "Planned", "Result", "perform", "plan"]


def plan(tool: str, args: Fields, env: Mapping[str, Any], policy: Policy) -> Planned:
    """What a call would do. Raises SpakError where its arguments or the policy do not admit it; nothing has happened then.

    Raises Waiting where the call needs an approval that nobody has given yet.
    """
    planned: Planned = _module(tool, args.span).plan(args, env, policy)
    return planned


def perform(planned: Planned, context: Context) -> Result:
    """Do it. Raises Waiting where an answer comes from outside later: nothing counts as done then."""
    try:
        result: Result = _module(planned.tool, planned.span).perform(planned, context)
    except SpakError as error:
        # What the rest of the compiler says knows nothing of the program: its place here is the call.
        error.diagnostics = tuple(replace(one, span=one.span or planned.span) for one in error.diagnostics)
        raise
    return result


def _module(tool: str, span: Span | None) -> Any:
    """The tool's file. The name is looked up in the table first: nothing else can be imported by it."""
    if tool not in TOOLS:
        what = f"there is no tool 'tool.{tool}'"
        raise SpakError(Diagnostic("SPK940", what, span if span and span.file else None, near(tool, TOOLS, "tools")))
    return import_module(f"spak.agents.tools.{tool}")
