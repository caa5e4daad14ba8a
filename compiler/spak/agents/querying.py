"""`llm.query`: renders the prompt, has it answered, checks the reply against its type, and asks again with what was
wrong.

Knows neither who answers nor what becomes of the value.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from spak.agents.answers import Asked, Given, placed
from spak.agents.journal import Entry
from spak.agents.parts import Parts
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, SpakError
from spak.knowledge.item import unrecordable
from spak.semantics.operand import render
from spak.semantics.program import Query
from spak.semantics.types import Type, json_schema, mismatch, words
from spak.traces.event import Event

if TYPE_CHECKING:
    from spak.model.request import Question

FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?```", re.S)
TITLES = {"axiom": "Axioms", "heuristic": "Heuristics", "prediction": "Predictions"}


def query(parts: Parts, query: Query, step: str) -> Any:
    """The reply's value. Raises SpakError where no attempt gives one, Waiting where the answer comes later."""
    from spak.effects.asking import digest_of

    system, prompt = background(parts, query), render(query.prompt, parts.scope)
    talk: list[tuple[str, str]] = []  # what was answered, and why it was refused
    for attempt in range(1, query.attempts + 1):
        parts.spent.check()
        question = conversation(f"run-{parts.journal.run}.{step}", system, prompt, query.schema, talk, attempt)
        digest = digest_of(question)
        data = {"prompt": prompt, "attempt": attempt, "system": system}
        seq = parts.journal.add("query", step, Entry(data, inputs=digest)).seq
        parts.asked[step] = number = parts.asked.get(step, 0) + 1
        asked = Asked(question, digest, step, number, seq, query.span, talk[-1][1] if talk else "")
        given, value, why = reply(parts, query, asked)
        if not why:
            return value
        talk.append((given.text, why))
    needed = words(query.schema) if query.schema else "text"
    what = f"none of {query.attempts} answers is {needed}; of the last, {talk[-1][1]}"
    raise SpakError(Diagnostic("SPK929", what, placed(query.span), "see `spak trace`, or ask more plainly"))


def reply(parts: Parts, query: Query, asked: Asked) -> tuple[Given, Any, str]:
    """One answer, the value in it, and why it is refused ('' if it is not), on record."""

    def record(given: Given) -> Entry:
        value, why = value_of(given.text, query.schema)
        data = {"text": given.text, "value": value, "by": given.by, "attempt": asked.question.attempt}
        return Entry(
            data | {"accepted": not why, "why": why}, asked.digest, sha256_bytes(given.text.encode()), None,
            given.model, given.tokens_in, given.tokens_out, given.cost,
        )  # fmt: skip

    def perform() -> Given:
        parts.journal.sync()
        return parts.answers.take(asked)

    live = parts.journal.live
    given = parts.journal.effect("answer", asked.step, perform, restore, record)
    if live:
        parts.journal.sync()
        parts.answers.settled()
    parts.spent.tokens += (given.tokens_in or 0) + (given.tokens_out or 0)
    parts.spent.cost += given.cost or 0.0
    parts.spent.seconds += parts.journal.took
    value, why = value_of(given.text, query.schema)
    return given, value, why


def restore(event: Event) -> Given:
    """The answer that an event recorded."""
    return Given(event.data["text"], event.data["by"], event.model, event.tokens_in, event.tokens_out, event.cost)


def background(parts: Parts, query: Query) -> str:
    """What goes before every prompt: the role, what the program holds true, and the rules that stand. What the prompt
    names itself is left out.
    """
    named = set(query.prompt.names)
    blocks = [render(query.role, parts.scope)] if query.role is not None else []
    for kind, title in TITLES.items():
        sentences = [one for one in parts.program.sentences if one.kind == kind and f"{kind}.{one.number}" not in named]
        if sentences:
            blocks.append("\n".join([f"{title}:", *(f"{one.number}. {one.text}" for one in sentences)]))
    rules = parts.grounding.text()
    if rules and "rules" not in named:
        blocks.append(f"Rules that hold on what was measured:\n{rules}")
    return "\n\n".join(blocks)


def conversation(
    name: str, system: str, prompt: str, schema: Type | None, talk: list[tuple[str, str]], attempt: int
) -> Question:
    """The question: background, prompt and form of the reply, then each refused answer with what is wrong with it."""
    from spak.model.request import Message, Question

    form = json_schema(schema) if schema is not None and schema.kind not in {"string", "any", "opaque", "unit"} else {}
    asks = (
        f"\n\nAnswer with JSON of this schema, and nothing else:\n\n```json\n{json.dumps(form, indent=2)}\n```"
        if form
        else ""
    )
    messages = [Message(role="system", content=system)] if system else []
    messages.append(Message(role="user", content=prompt + asks))
    for text, why in talk:
        messages.append(Message(role="assistant", content=text))
        messages.append(Message(role="user", content=f"This cannot be taken: {why}. Answer again, in full."))
    return Question(name=name, attempt=attempt, messages=tuple(messages), reply_schema=form)


def value_of(text: str, schema: Type | None) -> tuple[Any, str]:
    """The value in an answer, and why there is none. Bare words will do for text and for a choice of words."""
    plain = text.strip()
    if schema is None or not mismatch(schema, plain):
        return plain, ""
    fenced = FENCED.findall(plain)
    try:
        value = json.loads(fenced[-1] if fenced else plain, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return None, f"it is no JSON ({error})"
    why = unrecordable(value) or mismatch(schema, value)
    if why:
        return None, f"it {why}" if why.startswith("is ") else why
    return value, ""


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
