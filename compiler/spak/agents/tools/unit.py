"""What `tool.build`, `tool.verify` and `tool.bench` have in common: a unit, and a report on it. Knows no stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spak.agents.tools import arguments
from spak.agents.tools.base import Planned, Result
from spak.errors import Diagnostic, SpakError, Span
from spak.semantics.program import Fields


def plan(tool: str, args: Fields, env: Mapping[str, Any]) -> Planned:
    """Which unit, and of it which variant on which target: '' is every one."""
    values = arguments.read(tool, args, env)
    data = {name: values.get(name, "") for name in ("unit", "variant", "target")}
    for name, value in data.items():
        if value and not value.replace("_", "a").replace("-", "a").replace(".", "a").isalnum():
            what = f"{arguments.shown(value[:60])!r} cannot be the name of a {name}"
            raise SpakError(
                Diagnostic("SPK941", what, arguments.place(args.get(name), args), "use letters, digits and _")
            )
    allowed = bool(values.get("allow_failure", False))
    return Planned(tool, {**data, "allow_failure": allowed}, f"{tool} {named(data)}", arguments.spot(args.span))


def subject(planned: Planned) -> dict[str, Any]:
    """What the services are told of a call."""
    return {name: value for name, value in planned.data.items() if name != "allow_failure"}


def named(data: Mapping[str, str]) -> str:
    """`matmul.tiled@cpu`."""
    variant = f".{data['variant']}" if data["variant"] else ""
    return f"{data['unit']}{variant}" + (f"@{data['target']}" if data["target"] else "")


def result(report: Mapping[str, Any], span: Span | None) -> Result:
    """A report of the services as a result: {ok, why, diagnostics, ...}."""
    found = tuple(Diagnostic.from_json(one) for one in report.get("diagnostics", ()))
    value = {**report, "diagnostics": [str(one) for one in found]}
    return Result(bool(report["ok"]), value, why=str(report.get("why", "")), diagnostics=found)
