"""Builds the request that sends failed replies back with what was found. Knows nothing of who answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spak.codegen import prompt
from spak.codegen.reply import extract
from spak.errors import Diagnostic, SpakError
from spak.model.request import Message, Request

TEMPLATE = "repair.md.j2"
MAX_FINDINGS = 20
MAX_FINDING_CHARS = 2_000
MAX_CONVERSATION_CHARS = 400_000


@dataclass(frozen=True, slots=True)
class Failed:
    """A reply that did not pass, and why. `pinned` when it was the accepted one for an earlier request."""

    reply: bytes
    diagnostics: Sequence[dict[str, Any]]
    pinned: bool = False


def repair_request(base: Request, failed: Sequence[Failed], attempt: int, templates: str) -> Request:
    """The conversation so far: the request, then every failed reply with its findings, the oldest dropped when it gets
    too long.

    What is dropped is dropped by size alone, so the same history gives the same bytes.
    """
    if not failed:
        return base.model_copy(update={"attempt": attempt})
    env = prompt.environment(templates)
    turns = [_turn(env, one, base.dialect) for one in failed]
    room = MAX_CONVERSATION_CHARS - sum(len(message.content) for message in base.messages)
    while len(turns) > 1 and sum(len(message.content) for turn in turns for message in turn) > room:
        turns.pop(0)
    messages = (*base.messages, *(message for turn in turns for message in turn))
    template = prompt.digest(env, TEMPLATE)
    return base.model_copy(update={"messages": messages, "attempt": attempt, "template": f"{base.template}+{template}"})


def _turn(env: Any, failed: Failed, dialect: str) -> tuple[Message, Message]:
    text = failed.reply.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if len(text) > MAX_CONVERSATION_CHARS // 4:
        text = text[: MAX_CONVERSATION_CHARS // 4] + "\n[cut here]\n"
    lines = _source_lines(failed.reply, dialect)
    errors = [one for one in failed.diagnostics if one.get("severity", "error") == "error"] or list(failed.diagnostics)
    findings = [_finding(Diagnostic.from_json(one), lines) for one in errors[:MAX_FINDINGS]]
    context = {"findings": findings, "total": len(errors), "pinned": failed.pinned}
    return Message(role="assistant", content=text), Message(role="user", content=prompt.render(env, TEMPLATE, context))


def _finding(diagnostic: Diagnostic, lines: dict[str, list[str]]) -> dict[str, str]:
    """One diagnostic as text, with the line it points at when that is one of the reply's own."""
    text = str(diagnostic)
    if len(text) > MAX_FINDING_CHARS:
        text = text[:MAX_FINDING_CHARS] + " [cut here]"
    span = diagnostic.span
    source = lines.get(_kind(span.file), []) if span else []
    quoted = source[span.line - 1].strip() if span and 0 < span.line <= len(source) else ""
    return {"text": text, "line": quoted[:200].replace("`", "'")}


def _kind(file: str) -> str:
    name = file.rsplit("/", 1)[-1]
    return name if name in ("plan.toml", "reply.md") else name.split(".")[0]


def _source_lines(reply: bytes, dialect: str) -> dict[str, list[str]]:
    whole = {"reply.md": reply.decode("utf-8", "replace").splitlines()}
    try:
        extracted = extract(reply, dialect, "reply.md")
    except SpakError:
        return whole
    return {**whole, "kernel": extracted.kernel.split("\n"), "plan.toml": extracted.plan_text.split("\n")}
