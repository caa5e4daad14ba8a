"""Tool calls as programs write them: resolved by the compiler, planned and performed for real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spak.agents import tools
from spak.agents.policy import SILENT, Allowed, Policy, make
from spak.agents.tools import Context, Planned, Result
from spak.pipeline.measuring.services import Services
from spak.semantics.program import Contract, ToolCall
from spak.semantics.resolve import resolve_text


def call(text: str, *names: str) -> ToolCall:
    """The one call of a step; `names` are what it may read."""
    program = resolve_text(f"task T({', '.join(names)}) {{\n  step s {{\n    {text}\n  }}\n}}\n", "t.dsl")
    (statement,) = program.procedures["T"].steps[0].body
    assert isinstance(statement, ToolCall)
    return statement


def policy(root: Path, contract: Contract = SILENT, **allowed: Any) -> Policy:
    return make(root, contract, Allowed(**allowed))


def plan(root: Path, text: str, under: Policy | None = None, **values: Any) -> Planned:
    one = call(text, *values)
    return tools.plan(one.tool, one.args, values, under or policy(root))


def perform(root: Path, planned: Planned, under: Policy | None = None) -> Result:
    return tools.perform(planned, Context(root, under or policy(root), Services(root)))


def do(root: Path, text: str, under: Policy | None = None, **values: Any) -> Result:
    """Plan and perform."""
    return perform(root, plan(root, text, under, **values), under)
