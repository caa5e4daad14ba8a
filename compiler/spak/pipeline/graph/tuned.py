"""Whether a file of tuned parameters is to be used, and whom a failure with it is to be put down to. Knows no measurement.

A reply is judged by what its author wrote. Parameters that a sweep has found are another matter: where they no longer fit the
spec they are passed over, and where a judge fails with them in force the file is named, and nobody is asked for a new reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError, Span
from spak.lang.expr import evaluate, parse_expr
from spak.lock.tuned import in_force, read
from spak.model.ir import Unit


def unfit(path: Path, unit: Unit) -> str:
    """Why the parameters of a file are outside of what the spec lets a sweep vary; '' if they are not, or if it cannot be read:
    the stage that reads it then says what is wrong.
    """
    try:
        params = read(str(path)).params
    except SpakError:
        return ""
    space = {choice.name: choice.values for choice in unit.tuning_space.parameters}
    for name, value in sorted(params.items()):
        if name in space and value not in space[name]:
            return f"{name} = {value} is outside of the tuning space"
    for text in unit.tuning_space.constraints:
        if evaluate(parse_expr(text), params) is False:
            return f"they break the constraint {text}"
    return ""


def blamed(options: Mapping[str, Any]) -> str:
    """The tuned file that is in force for an action's own source and plan; '' if none is."""
    path = str(options.get("tuned", ""))
    if not path or options.get("unfit"):
        return ""
    try:
        wins = in_force(path, Path(options["source"]).read_bytes(), Path(options["plan"]).read_bytes(), None)
    except (OSError, KeyError):
        return ""
    return path if wins.params else ""


def complaint(path: str, action: str) -> Diagnostic:
    """A judge fails with tuned parameters in force."""
    hint = "tune again with `spak tune`, or remove the file to go back to the plan's own parameters"
    return Diagnostic(
        "SPK644", f"{action} fails with these parameters in force; the reply is not asked for anew", Span(path), hint
    )
