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
from spak.agents.journal import Entry, Halt
from spak.agents.parts import Parts
from spak.agents.results import become, take_in
from spak.agents.tools import Result
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError, Waiting
from spak.knowledge.item import unrecordable
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

    if why := unrecordable(args):
        raise SpakError(
            Diagnostic("SPK932", f"tool.{call.tool}: {why}", placed(call.span), "give it what a trace can hold")
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
    emitted = take_in(parts, step, result, call.span)
    if not result.ok and (not done.digest or args.get("allow_failure") is not True):
        raise failed(call, done)
    if call.emits and call.emits not in emitted:
        become(parts, step, call, result)
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


def failed(call: ToolCall, done: Performed) -> SpakError:
    """The failure of a step whose tool failed."""
    result = done.result
    if errors := [one for one in result.diagnostics if one.severity == "error"]:
        return SpakError(*errors)
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
