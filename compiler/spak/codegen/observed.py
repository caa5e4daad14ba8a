"""Fired rules in a request: read from where runs record them, told when somebody is asked. Knows nothing of facts or traces.

They are a further message of the conversation, as findings about a failed reply are, and no part of the request that keys
the lock: what fires depends on where it was measured. A replay never reads them.

`.spak/fired/<unit>.json` holds what a run found last, `.spak/fired/asked/<name>.json` what was told with the question that
is open: an answer that lies in the mailbox is to that question, whatever has fired since.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from spak.codegen import prompt
from spak.effects.asking import digest_of
from spak.errors import Diagnostic, SpakError, Span
from spak.model.base import Model, canonical_json
from spak.model.request import Message, Request
from spak.store import atomic

if TYPE_CHECKING:
    from spak.codegen import Options

TEMPLATE = "observed.md.j2"


class FiredRule(Model):
    """A rule or hint that fired: its name, and its text without figures."""

    name: str
    kind: str = "rule"
    text: str


class Asked(Model):
    """What was told with an open question; `plain` is the digest of its request without the rules."""

    plain: str
    rules: tuple[FiredRule, ...]


def to_tell(options: Options, name: str, plain: Request) -> tuple[FiredRule, ...]:
    """The rules that go with a request: the unit's latest, or those already told if an answer lies in the mailbox.

    Raises SpakError where the record of them is damaged.
    """
    record = Path(options.fired) / "asked" / f"{name}.json"
    digest = digest_of(plain)
    if options.pending and (Path(options.pending) / "answer.md").exists():
        asked = _asked(record)
        if asked is not None and asked.plain == digest:
            return asked.rules
    rules = fired(Path(options.fired) / f"{options.unit}.json")
    wanted = canonical_json(Asked(plain=digest, rules=rules))
    if not rules:
        record.unlink(missing_ok=True)
    elif not record.is_file() or record.read_bytes() != wanted:
        record.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(record, wanted)
    return rules


def fired(path: Path) -> tuple[FiredRule, ...]:
    """The rules that are recorded for a unit, none where nothing is. Raises SpakError (SPK283)."""
    data = _read(path)
    try:
        return tuple(FiredRule(**one) for one in data["rules"]) if data is not None else ()
    except (KeyError, TypeError, ValidationError):
        raise _damaged(path, "it has no list of rules with a name and a text") from None


def record_of(unit: str, rules: tuple[FiredRule, ...]) -> bytes:
    """The content of `.spak/fired/<unit>.json`."""
    return canonical_json({"schema_version": 1, "unit": unit, "rules": [one.model_dump(mode="json") for one in rules]})


def told(request: Request, rules: tuple[FiredRule, ...], templates: str) -> Request:
    """The request with the rules as a further message; the request itself where there is none."""
    if not rules:
        return request
    env = prompt.environment(templates)
    text = prompt.render(env, TEMPLATE, {"rules": [one.model_dump() for one in rules]})
    template = f"{request.template}+{prompt.digest(env, TEMPLATE)}"
    messages = (*request.messages, Message(role="user", content=text))
    return request.model_copy(update={"messages": messages, "template": template})


def _asked(path: Path) -> Asked | None:
    data = _read(path)
    try:
        return Asked(**data) if data is not None else None
    except (TypeError, ValidationError):
        raise _damaged(path, "it does not say what was told") from None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(data, dict):
        raise _damaged(path, "it holds no object")
    return data


def _damaged(path: Path, why: str) -> SpakError:
    what = f"the record of fired rules is damaged: {why}"
    return SpakError(Diagnostic("SPK283", what, Span(path.as_posix()), "delete it: the next run writes it anew"))
