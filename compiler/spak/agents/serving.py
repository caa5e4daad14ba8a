"""Service loops: events in, handlers executed, one after another. Knows neither where events come from nor any tool.

An event is recorded when it is taken up, so a resume goes on with those that follow. One that goes wrong fails its
own step only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spak.agents.journal import Entry
from spak.agents.machine import Machine
from spak.errors import Diagnostic, SpakError
from spak.knowledge.item import unrecordable
from spak.semantics.operand import value
from spak.semantics.program import Handler, Param, Service
from spak.semantics.suggest import near
from spak.semantics.types import mismatch, words

FORMS = 'write `--event \'name {"n": 1}\'`, or on standard input {"event": "name", "args": {"n": 1}}'


@dataclass(frozen=True, slots=True)
class Given:
    """An event as it was given: its name and arguments, or why it is none."""

    event: str
    args: dict[str, Any]
    why: str = ""


def serve(machine: Machine, service: Service, events: Iterator[Given]) -> None:
    """Handle events until there are no more."""
    number = 0
    while True:
        number += 1
        given = take(machine, str(number), events)
        if given is None:
            return
        machine.pause(number)
        handler = next((one for one in service.handlers if one.event == given.event), None)
        id = f"{given.event or 'event'}.{number}"
        about = {"title": f"on {given.event}"}
        if given.why or handler is None:
            hint = near(given.event, [one.event for one in service.handlers], "events are")
            what = f"service_loop {service.name} handles no event {given.event!r}"
            told = Diagnostic("SPK936", given.why or what, None, FORMS if given.why else hint)
            machine.refuse(id, about, told)
            continue
        handle(machine, handler, given, id, about)


def take(machine: Machine, number: str, events: Iterator[Given]) -> Given | None:
    """The next event, from the trace or from outside; None when there are no more."""
    journal = machine.parts.journal
    recorded = journal.next
    if recorded is not None and recorded.kind != "event":
        return None
    given = None if recorded is not None else next(events, None)
    if recorded is None and given is None:
        return None

    def perform() -> Given:
        assert given is not None
        return given

    return journal.effect(
        "event", number, perform,
        lambda old: Given(old.data["event"], old.data["args"], old.data.get("why", "")),
        lambda one: Entry({"event": one.event, "args": one.args, **({"why": one.why} if one.why else {})}),
    )  # fmt: skip


def handle(machine: Machine, handler: Handler, given: Given, id: str, about: Mapping[str, Any]) -> None:
    """Execute a handler; its parameters, and whatever it assigns beside declared state, are its own."""
    try:
        values = bound(handler.params, given.args, machine.parts.scope, f"event {given.event}")
    except SpakError as error:
        machine.refuse(id, about, *error.diagnostics)
        return
    with machine.parts.scope.frame(values):
        machine.step(id, handler.body, about)


def bound(
    params: tuple[Param, ...], args: Mapping[str, Any], env: Mapping[str, Any], what: str, code: str = "SPK936"
) -> dict[str, Any]:
    """Values of parameters. Raises SpakError with everything that is missing, too much, or of another type."""
    found: list[Diagnostic] = []
    values: dict[str, Any] = {}
    names = [one.name for one in params]
    for name in sorted(set(args) - set(names)):
        found.append(Diagnostic(code, f"{what} has no parameter {name!r}", None, near(name, names, "it takes")))
    for one in params:
        place = one.span if one.span.file else None
        if one.name in args:
            values[one.name] = args[one.name]
        elif one.default is not None:
            values[one.name] = value(one.default, env)
        elif one.type.kind == "optional":
            values[one.name] = None
        else:
            found.append(Diagnostic(code, f"{what} needs {one.name!r}, {words(one.type)}", place, "give it a value"))
            continue
        if why := unrecordable(values[one.name], one.name) or mismatch(one.type, values[one.name], one.name):
            found.append(Diagnostic(code, f"{what}: {why}", place, "give it a value of the declared type"))
    if found:
        raise SpakError(*found)
    return values


def read_event(text: str) -> Given:
    """`name {"json": "arguments"}`, as on the command line."""
    name, _, rest = text.strip().partition(" ")
    try:
        args = json.loads(rest.strip() or "{}")
    except (ValueError, RecursionError) as error:
        return refused(name, f"the arguments of event {name} are no JSON: {error}")
    return given(name, args, f"the arguments of event {name} are no map")


def read_line(row: bytes) -> Given:
    """`{"event": "name", "args": {...}}`, or with the arguments beside the name: one line of standard input."""
    try:
        data = json.loads(row.decode())
    except UnicodeDecodeError as error:
        return refused("", f"byte 0x{row[error.start]:02x} of an event is not UTF-8")
    except (ValueError, RecursionError) as error:
        return refused("", f"an event is no JSON: {error}")
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        return refused("", 'an event is a line such as {"event": "name", "args": {}}')
    args = data["args"] if "args" in data else {key: one for key, one in data.items() if key != "event"}
    return given(data["event"], args, "its `args` are no map")


def given(name: str, args: Any, no_map: str) -> Given:
    """An event that a trace can record."""
    if not isinstance(args, dict):
        return refused(name, no_map)
    if why := unrecordable(args, "args"):
        return refused(name, f"an event cannot hold this: {why}")
    return refused(name, "") if unrecordable(name) else Given(name, args)


def refused(name: str, why: str) -> Given:
    """What is no event, as a trace can record it."""
    name, why = (one.encode(errors="backslashreplace").decode() for one in (name, why))
    return Given(name, {}, why)


def lines_of(rows: Iterator[bytes]) -> Iterator[Given]:
    """The events of standard input, one a line."""
    for row in rows:
        if row.strip():
            yield read_line(row)
