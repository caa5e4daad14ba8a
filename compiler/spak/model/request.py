"""What a model is asked and what it answered. Knows neither the prompt's wording nor who answers."""

from __future__ import annotations

from typing import Any, Literal

from spak.model.base import Model


class Message(Model):
    role: Literal["system", "user", "assistant"]
    content: str


class Request(Model):
    """`build/request/<unit>.<variant>.<dialect>.json`. Its digest covers every field.

    `attempt` counts from 1; a repair request repeats the conversation with the failed reply and its diagnostics appended.
    """

    schema_version: int = 1
    unit: str
    variant: str
    dialect: Literal["cpp", "cuda"]
    attempt: int = 1
    messages: tuple[Message, ...]
    model: str = ""
    endpoint: str = ""
    sampling: dict[str, Any] = {}
    sample: int = 0
    template: str = ""  # digest of the templates that rendered it, undeclared variables included


class Question(Model):
    """What is asked outside of kernel codegen: an `llm.query`, a lift, an improvement.

    `name` is for messages and files (`run-7f3a.diagnose`); `reply_schema` is the JSON schema of the reply's type, empty for free
    text. Its digest covers every field but the name.
    """

    name: str
    attempt: int = 1
    messages: tuple[Message, ...]
    reply_schema: dict[str, Any] = {}
    model: str = ""
    endpoint: str = ""
    sampling: dict[str, Any] = {}


#: What a handler answers.
Asked = Request | Question


class Provenance(Model):
    """Who answered. Counts are tokens; `cost` is in US dollars as the provider's price list has it, None when unknown."""

    handler: Literal["replay", "suspend", "live", "frozen", "adopt"]
    by: str = ""  # model name, or "hand"
    model: str = ""
    finish: str = "stop"
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None


class Reply(Model):
    text: str
    provenance: Provenance
