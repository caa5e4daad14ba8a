"""Hostile text in traces and runs: nothing acts on a terminal, nothing that cannot be written is read, no pipe is waited for."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from spak.agents.policy import make
from spak.agents.tools import Context, perform, plan, write
from spak.agents.tools import run as tool_run
from spak.cli.root import INTERNAL, unexpected
from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.errors.plain import plain
from spak.knowledge import table
from spak.knowledge.units import units_of
from spak.pipeline.measuring.services import Services
from spak.semantics.program import ToolCall
from spak.semantics.resolve import resolve_text
from spak.traces import reading
from spak.traces.event import Event
from spak.traces.folder import RunFolder
from spak.traces.reading import read_events
from spak.traces.showing import line

#: A colour, a window's title, a C1 escape, reading turned round, an end of line that only terminals know.
ACTIVE = "\x1b[31m\x1b]0;title\x07\x9b31m\u202e\u2066\r\x85\x7f"


def inert(text: str) -> bool:
    return all(one.isprintable() or one in "\n\t" for one in text)


def test_plain_text_shows_what_would_act_and_keeps_the_rest() -> None:
    assert inert(plain(ACTIVE))
    assert plain("\x1b[0m\ud800") == "\\x1b[0m\\ud800"
    kept = "tabs\tand\nlines, ä 中 🧪 é"
    assert plain(kept) == kept


@pytest.mark.parametrize(
    "event",
    [
        Event(1, "answer", "r", "s", data={"by": "hand", "text": ACTIVE, "accepted": True, "why": ""}),
        Event(1, "answer", "r", "s", data={"by": ACTIVE, "text": "x", "accepted": False, "why": ACTIVE}),
        Event(1, "query", "r", "s", data={"attempt": 1, "prompt": ACTIVE}),
        Event(1, "emit", "r", "s", data={"case": ACTIVE, "fields": {"x": ACTIVE}}),
        Event(1, "tool", "r", ACTIVE, data={"does": ACTIVE, "result": {}}),
        Event(1, "step", "r", "s", data={"status": ACTIVE}),
        Event(1, "metric", "r", "s", data={"metric": ACTIVE, "value": ACTIVE}),
    ],
)
def test_an_event_in_a_line_moves_no_cursor(event: Event) -> None:
    assert inert(line(event))


def test_a_diagnostic_moves_no_cursor() -> None:
    said = str(Diagnostic("SPK930", ACTIVE, Span(ACTIVE), ACTIVE, (ACTIVE, "two\nlines")))
    assert inert(said)
    assert "two\nlines" in said


@pytest.mark.parametrize("bad", ['"\\ud800"', '{"\\udfff": 1}', "1e999", "-1E+400", "1" * 2000])
def test_what_no_trace_can_hold_is_refused_where_it_stands(tmp_path: Path, bad: str) -> None:
    good = Event(1, "set", "r", data={"name": "x", "value": 1}).to_line()
    path = tmp_path / "trace.jsonl"
    path.write_bytes(good + good.replace(b'"seq":1', b'"seq":2').replace(b'"value":1', f'"value":{bad}'.encode()))
    with pytest.raises(SpakError) as error:
        read_events(path)
    (found,) = error.value.diagnostics
    assert (found.code, found.span) == ("SPK925", Span("trace.jsonl", 2)), found


def test_an_escaped_character_that_has_a_form_is_read(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    row = Event(1, "set", "r", data={"name": "x", "value": "?"}).to_line()
    path.write_bytes(row.replace(b"?", b"\\ud83e\\uddea 1e400"))
    assert read_events(path)[0].data["value"] == "\U0001f9ea 1e400"


def test_the_cost_of_an_answer_is_a_number_that_can_be_added(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(Event(1, "answer", "r").to_line().replace(b'"cost":null', b'"cost":1' + b"0" * 400))
    with pytest.raises(SpakError, match="its 'cost' is"):
        read_events(path)


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "0001-abcd")
    folder.path.mkdir(parents=True)
    for path in (folder.trace, folder.start):
        os.mkfifo(path)
    with pytest.raises(SpakError, match=r"SPK925.*not a plain file"):
        read_events(folder.trace)
    with pytest.raises(SpakError, match=r"SPK282.*not a plain file"):
        table.read(folder.trace)
    with pytest.raises(SpakError, match=r"SPK935.*not a plain file"):
        folder.read(folder.start)


def test_a_trace_that_appears_while_somebody_looks_is_no_pipe(tmp_path: Path) -> None:
    path, over = tmp_path / "trace.jsonl", threading.Event()

    def flicker() -> None:
        while not over.is_set():
            path.touch()
            path.unlink()

    writer = threading.Thread(target=flicker)
    writer.start()
    try:
        assert all(read_events(path) == [] for _ in range(5000))
    finally:
        over.set()
        writer.join()


def test_a_start_that_could_not_be_written_is_damaged(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, "0001-abcd")
    folder.path.mkdir(parents=True)
    for bad in ('{"args": "\\ud800"}', '{"args": 1e999}', '{"args": NaN}'):
        folder.start.write_text(bad)
        with pytest.raises(SpakError, match="SPK935"):
            folder.read(folder.start)


def test_no_unit_is_named_by_a_path(tmp_path: Path) -> None:
    text = 'task t { step a: tool.build { unit: "../../out", allow_failure: true } }'
    assert units_of(resolve_text(text, "t.dsl", Collector(), tmp_path)) == ()
    assert units_of(resolve_text(text.replace("../../out", "out"), "t.dsl", Collector(), tmp_path)) == ("out",)


def test_what_nobody_foresaw_is_said_in_a_line() -> None:
    try:
        json.loads("\x1b")
    except ValueError as error:
        said = str(unexpected(error))
    assert "SPK909" in said
    assert "decoder.py:" in said
    assert "Traceback" not in said
    assert INTERNAL not in {0, 1, 2, 3}


@pytest.mark.parametrize("worst", [b"\0", b"\xff", b"\x1b", b"\\"])
def test_no_output_makes_a_trace_that_cannot_be_read_again(tmp_path: Path, worst: bytes) -> None:
    size = 1000
    printed = f"import sys\nfor f in sys.stdout, sys.stderr: f.buffer.write({worst!r} * {size})"
    (tmp_path / "p.py").write_text(printed)
    args = 'cmd: ["python3", "p.py"]'
    program = resolve_text(f"task t {{ step a: tool.run {{ {args} }} }}", "t.dsl", Collector(), tmp_path)
    (call,) = program.procedures["t"].steps[0].body
    assert isinstance(call, ToolCall)
    policy = make(tmp_path)
    result = perform(plan("run", call.args, {}, policy), Context(tmp_path, policy, Services(tmp_path)))
    assert len(result.stdout) >= size
    row = Event(1, "tool", "r", "a", data={"args": {}, "result": result.to_json()}).to_line()
    given = 6 * write.MOST_BYTES  # what else may stand in an event: arguments
    assert len(row) / size * tool_run.MOST_BYTES + given < reading.MOST_BYTES
