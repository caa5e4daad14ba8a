"""Traces for people: filters, differences, lines, and the whole as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from spak.errors import SpakError
from spak.traces.choosing import choose
from spak.traces.comparing import compare
from spak.traces.event import KINDS, Event
from spak.traces.showing import SEEDS, difference, line, trace_json

TOOL = Event(
    2,
    "tool",
    "r",
    "s",
    "t",
    duration=0.5,
    exit_code=0,
    data={"tool": "run", "args": {}, "does": "$ x", "result": {"ok": True}},
)
EMIT = Event(3, "emit", "r", "s", "t", data={"case": "I.P", "fields": {"x": 1, "step": "a"}, "source": "emit"})
EVENTS = [
    Event(1, "run", "r", data={"program": "t.dsl", "procedure": "T", "kind": "task", "flags": {}}), TOOL, EMIT,
    Event(4, "end", "r", data={"status": "succeeded", "success": None, "metrics": {}, "why": []}),
]  # fmt: skip


def test_events_are_chosen_by_kind_and_step() -> None:
    assert choose(EVENTS, ["tool"]) == [TOOL]
    assert choose(EVENTS, [], ["s"]) == [TOOL, EMIT]
    assert choose(EVENTS, ["emit", "end"], ["s"]) == [EMIT]
    with pytest.raises(SpakError, match=r"no kind 'tol'.* did you mean 'tool'"):
        choose(EVENTS, ["tol"])
    with pytest.raises(SpakError, match="no step 't'"):
        choose(EVENTS, [], ["t"])


def test_times_are_no_difference() -> None:
    other = [replace(one, run="q", time="later", duration=9.0) for one in EVENTS]
    assert compare(EVENTS, other) == []


def test_differences_name_what_changed_came_and_went() -> None:
    changed = replace(EMIT, data={**EMIT.data, "fields": {"x": 2, "step": "a"}})
    found = compare(EVENTS, [EVENTS[0], changed, EVENTS[3]])
    assert [one.sign for one in found] == ["-", "~"]
    assert found[1].parts == (("data.fields.x", 1, 2),)
    assert difference(found[0]) == ["-    2 tool      s  $ x  (0.500 s)"]
    assert difference(found[1])[1] == "      data.fields.x: 1 -> 2"
    assert [one.sign for one in compare(EVENTS[:2], EVENTS)] == ["+", "+"]


def test_lines_say_what_happened() -> None:
    assert line(TOOL) == "   2 tool      s  $ x  (0.500 s)"
    assert line(EMIT) == '   3 emit      s  I.P {"x": 1, "step": "a"}'


def test_the_seeds_form() -> None:
    entries = json.loads(trace_json(EVENTS))
    assert [one["type"] for one in entries] == ["start", "tool", "trace", "end"]
    assert entries[2] == {"seq": 3, "timestamp": "t", "step": "s", "type": "trace", "item": "I.P", "x": 1, "step_": "a"}


def test_every_kind_has_a_name_in_the_seeds_form() -> None:
    assert set(SEEDS) == set(KINDS)
