"""`tool.NAME` and `perform`: has a tool do its work once, and takes in what came out. Knows no tool by name.

Whatever happens outside is recorded as one event, a refusal as well, so that re-execution never depends on how the
world looks by then.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from spak.agents import tools
from spak.agents.answers import placed
from spak.agents.emitting import emit
from spak.agents.journal import Entry, Halt
from spak.agents.parts import Parts
from spak.agents.tools import Result
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Waiting
from spak.knowledge import lines
from spak.lang.expr import UNKNOWN
from spak.semantics.operand import value
from spak.semantics.program import Perform, ToolCall
from spak.semantics.types import mismatch, words
from spak.traces.event import Event


@dataclass(frozen=True, slots=True)
class Performed:
    """What a tool did: the digest of its plan, what that was in words, and the result."""

    digest: str
    does: str
    result: Result


def perform(parts: Parts, call: ToolCall, step: str) -> Any:
    """The value of a call. Raises SpakError where the tool failed and may not, Waiting where it waits for something."""
    args = value(call.args, parts.scope)
    if args is UNKNOWN:
        unknown = [key for key, one in call.args.fields if value(one, parts.scope) is UNKNOWN]
        what = f"{', '.join(unknown)} of tool.{call.tool} {'is' if len(unknown) == 1 else 'are'} unknown"
        raise SpakError(
            Diagnostic("SPK932", what, placed(call.span), "what it is computed from is missing, or divided by zero")
        )

    def record(done: Performed) -> Entry:
        result = done.result.to_json()
        data = {"tool": call.tool, "args": args, "does": done.does, "result": result}
        return Entry(
            data, done.digest, sha256_bytes(json.dumps(result, sort_keys=True).encode()), done.result.exit_code
        )

    parts.spent.check()
    done = parts.journal.effect("tool", step, lambda: act(parts, call, step), restore, record)
    parts.spent.seconds += parts.journal.took
    result = done.result
    parts.scope.steps[step] = {
        "ok": result.ok,
        "exit_code": result.exit_code,
        "stdout": result.stdout,
        "stderr": result.stderr,
    }
    emitted = take_in(parts, call, result, step)
    if not result.ok and args.get("allow_failure") is not True:
        raise failed(call, done)
    if call.emits and call.emits not in emitted:
        emit(parts, step, call.emits, fields_of(parts, call, result), "result", call.span)
    return result.value


def act(parts: Parts, call: ToolCall, step: str) -> Performed:
    """Plan, then do. What is refused is a result as well."""
    parts.journal.sync()  # nothing new begins before what was finished is on disk
    parts.remember()
    context = replace(
        parts.context,
        recommended=parts.grounding.recommendations(),
        report=lambda trial: parts.journal.trial(step, trial),
    )
    digest, does = "", f"tool.{call.tool}"
    try:
        planned = tools.plan(call.tool, call.args, parts.scope, parts.policy)
        digest, does = planned.digest, planned.text
        parts.say(f"  {does}")
        return Performed(digest, does, tools.perform(planned, context))
    except (Waiting, Halt):
        raise
    except SpakError as error:
        why = "; ".join(one.message for one in error.diagnostics)
        return Performed(digest, does, Result(False, why=why, diagnostics=error.diagnostics))


def restore(event: Event) -> Performed:
    """What an event recorded."""
    return Performed(event.inputs, event.data["does"], Result.from_json(event.data["result"]))


def take_in(parts: Parts, call: ToolCall, result: Result, step: str) -> set[str]:
    """Emit the traces that a tool left: lines of its output, and trials. The cases that were emitted. Raises
    SpakError for a malformed line.
    """
    emitted = set()
    loop = parts.program.loops.get(str(call.args.get("name") and value(call.args.get("name"), parts.scope)))  # type: ignore[arg-type]
    if loop is not None and call.tool == "engineering_loop" and loop.measure.emits:
        known = [one.name for one in parts.program.cases[loop.measure.emits].type.fields]
        for trial in (one for one in parts.journal.trials if one.get("status") == "ok"):
            fields = {**trial["params"], **trial["metrics"]}
            emit(
                parts, step, loop.measure.emits, {key: fields[key] for key in known if key in fields}, "loop", call.span
            )
            emitted.add(loop.measure.emits)
    printed = lines.parse(result.stdout, parts.program.cases, f"step {step}, stdout")
    for one in printed.found:
        emit(parts, step, one.case, one.fields, "stdout", call.span, line=one.line)
        emitted.add(one.case)
    for warning in printed.diagnostics:
        if warning.severity == "warning":
            parts.say(str(warning))
    if not printed.ok:
        raise SpakError(*(one for one in printed.diagnostics if one.severity == "error"))
    return emitted


def fields_of(parts: Parts, call: ToolCall, result: Result) -> dict[str, Any]:
    """What a result has of a case's fields: the map that it is or prints, and what every tool has."""
    known = [one.name for one in parts.program.cases[call.emits].type.fields]
    found: dict[str, Any] = {
        "ok": result.ok, "exit_code": result.exit_code, "stdout": result.stdout, "stderr": result.stderr, "value": result.value,
        "seconds": parts.journal.took,
    }  # fmt: skip
    found |= mapping(result.value)
    return {key: found[key] for key in known if key in found}


def mapping(value: Any) -> dict[str, Any]:
    """A value as a map: itself, or the JSON that a text holds or ends in; empty where there is none."""
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


def failed(call: ToolCall, done: Performed) -> SpakError:
    """The failure of a step whose tool failed."""
    result = done.result
    if result.diagnostics and not done.digest:
        return SpakError(*result.diagnostics)
    last = result.stderr.strip().splitlines()[-5:]
    notes = (*(f"| {row[:200]}" for row in last), *(str(one) for one in result.diagnostics))
    what = f"{done.does} failed: {result.why or f'exit status {result.exit_code}'}"
    hint = "put it right, or say `allow_failure: true`"
    return SpakError(Diagnostic("SPK930", what, placed(call.span), hint, notes))


def operation(parts: Parts, perform_: Perform, step: str) -> Any:
    """`perform Effect.operation(args)`: through the tool that the effect binds it to; its result is checked."""
    name = f"{perform_.effect}.{perform_.operation}"
    effect = parts.program.effects.get(perform_.effect)
    tool = effect.binds.get(perform_.operation) if effect else None
    if effect is None or tool is None:
        hint = "bind it to a tool: `operation read(path: String) -> String { tool: read }`"
        raise SpakError(Diagnostic("SPK938", f"nothing performs {name}", placed(perform_.span), hint))
    got = perform(parts, ToolCall(tool, perform_.args, perform_.output, span=perform_.span), step)
    type = effect.operations[perform_.operation].result
    if type.kind != "unit" and (why := mismatch(type, got)):
        what = f"what {name} gave {why}"
        raise SpakError(Diagnostic("SPK932", what, placed(perform_.span), f"it is declared to give {words(type)}"))
    return got
