"""Reading traces: what a kill leaves is dropped, anything else that is no event is an error at its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from spak.errors import SpakError
from spak.traces import reading
from spak.traces.event import Event
from spak.traces.reading import items, read_events, read_trace
from spak.traces.writing import Writer

EVENTS = [
    Event(1, "run", "r", time="2026-11-21T12:00:00.000000+00:00", data={"program": "ä.dsl"}),
    Event(
        2, "tool", "r", "s", inputs="sha256:00", duration=0.25, exit_code=1, data={"result": {"value": [1, None, 2.5]}}
    ),
    Event(3, "emit", "r", "s", data={"case": "I.P", "fields": {"x": 1}, "source": "emit", "target": "cpu"}),
    Event(4, "emit", "r", "s", data={"case": "idle", "fields": {}, "source": "emit", "checked": False}),
    Event(5, "end", "r", data={"status": "succeeded"}),
]
WHOLE = b"".join(one.to_line() for one in EVENTS)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "trace.jsonl", 0)
    for one in EVENTS:
        writer.add(one.to_line())
    writer.sync()
    writer.close()
    assert read_trace(tmp_path / "trace.jsonl") == (EVENTS, len(WHOLE))
    assert b"".join(one.to_line() for one in read_events(tmp_path / "trace.jsonl")) == WHOLE


def test_a_torn_tail_is_dropped_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    for cut in range(len(WHOLE) + 1):
        path.write_bytes(WHOLE[:cut])
        events, size = read_trace(path)
        assert events == EVENTS[: WHOLE[:cut].count(b"\n")]
        assert size == WHOLE[:cut].rfind(b"\n") + 1
        if cut % 40 == 0:
            Writer(path, size).close()
            assert path.read_bytes() == WHOLE[:size], "the tail goes when the file is opened"


def test_there_is_no_trace_yet(tmp_path: Path) -> None:
    assert read_trace(tmp_path / "trace.jsonl") == ([], 0)


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        (b'"kind":"tool"', b'"kind":"tolo"', "2:1", "'tolo' is no kind of event"),
        (b'"seq":2', b'"seq":3', "2:1", "its number is 3, where 2 comes next"),
        (b'"step":"s","time":"","inputs":"sha256:00"', b'"step":"s","time":""', "2:1", "it has no 'inputs'"),
        (b'"exit_code":1', b'"exit_code":1,"more":2', "2:1", "'more' is no part of an event"),
        (b'"exit_code":1', b'"exit_code":"1"', "2:1", "its 'exit_code' is \"1\""),
        (b'"exit_code":1', b'"exit_code":true', "2:1", "its 'exit_code' is true"),
        (b'"duration":0.25', b'"duration":NaN', "2:1", "NaN is no number of JSON"),
        (b'{"seq":2', b'["seq":2', "2:7", "it is not JSON"),
        (b'{"seq":2', b"\xff", "2:1", "byte 0xff is not UTF-8"),
        (b'"data":{"status":"succeeded"}', b'"data":[]', "5:1", "its 'data' is []"),
        (b'{"result":', b'{"result":' + b"[" * 100_000, "2:1", "it is not JSON"),
        (b'"seq":2', b'"seq":' + b"2" * 5000, "2:1", "it is not JSON"),
    ],
)
def test_what_is_no_event_is_an_error_at_its_place(
    tmp_path: Path, old: bytes, new: bytes, place: str, what: str
) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(WHOLE.replace(old, new, 1))
    with pytest.raises(SpakError) as caught:
        read_events(path, "runs/r/trace.jsonl")
    told = str(caught.value)
    assert told.startswith(f"runs/r/trace.jsonl:{place}: SPK925: the trace cannot be read here: ")
    assert what in told


def test_huge_lines_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    path = tmp_path / "trace.jsonl"
    path.write_bytes(EVENTS[0].to_line() + b"x" * 2000)
    with pytest.raises(SpakError, match=r"trace\.jsonl:2:1: SPK925: .* a line of more than 1000 bytes"):
        read_events(path)


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match="SPK925"):
        read_events(tmp_path)


def test_items_are_the_traces_that_cases_declare() -> None:
    (item,) = items(EVENTS)
    assert (item.case, item.fields, item.seq, item.step, item.run, item.target) == ("I.P", {"x": 1}, 3, "s", "r", "cpu")


def test_events_that_are_equal_are_equal_bytes() -> None:
    assert replace(EVENTS[1]).to_line() == EVENTS[1].to_line()
    with pytest.raises(ValueError, match="JSON"):
        replace(EVENTS[1], duration=float("nan")).to_line()
