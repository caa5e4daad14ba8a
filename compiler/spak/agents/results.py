"""What a tool leaves behind, as traces: lines of its output, trials, and its result where a case is to be made of it.
Knows no tool.
"""

from __future__ import annotations

import json
from typing import Any

from spak.agents.emitting import emit
from spak.agents.parts import Parts
from spak.agents.tools import Result
from spak.errors import SpakError, Span
from spak.knowledge import lines
from spak.semantics.program import ToolCall


def take_in(parts: Parts, step: str, result: Result, span: Span) -> set[str]:
    """Emit what an output holds and what each trial becomes; the cases of it. Raises SpakError for a malformed line."""
    emitted = set()
    for trial in parts.journal.trials:
        loop = parts.program.loops.get(trial["loop"])
        case = loop.measure.emits if loop is not None else ""
        if case and trial["status"] == "ok":
            emit(parts, step, case, part_of(parts, case, {**trial["params"], **trial["metrics"]}), "loop", span)
            emitted.add(case)
    printed = lines.parse(result.stdout, parts.program.cases, f"step {step}, stdout")
    for found in printed.found:
        emit(parts, step, found.case, found.fields, "stdout", span, line=found.line)
        emitted.add(found.case)
    for one in (*result.diagnostics, *printed.diagnostics):
        if one.severity == "warning" and parts.journal.live:
            parts.say(str(one))
    if not printed.ok:
        raise SpakError(*(one for one in printed.diagnostics if one.severity == "error"))
    return emitted


def become(parts: Parts, step: str, call: ToolCall, result: Result) -> None:
    """`-> emit Case`: make a trace of a result, of what it has of the case's fields."""
    known: dict[str, Any] = {
        "ok": result.ok, "exit_code": result.exit_code, "stdout": result.stdout, "stderr": result.stderr, "value": result.value,
        "seconds": parts.journal.took,
    }  # fmt: skip
    emit(parts, step, call.emits, part_of(parts, call.emits, known | mapping(result.value)), "result", call.span)


def part_of(parts: Parts, case: str, found: dict[str, Any]) -> dict[str, Any]:
    """What is declared of a case among what was found: a tool may well say more."""
    return {one.name: found[one.name] for one in parts.program.cases[case].type.fields if one.name in found}


def mapping(value: Any) -> dict[str, Any]:
    """A value as a map: itself, or the JSON that a text is or ends in; empty where there is none."""
    if isinstance(value, dict):
        return value
    text = value.strip() if isinstance(value, str) else ""
    for part in (text, text.rpartition("\n")[2]):
        try:
            found = json.loads(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}
