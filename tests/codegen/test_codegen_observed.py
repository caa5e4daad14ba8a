"""Fired rules in requests: told only when somebody is asked, recorded by name, and never part of what keys the lock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_project import Project, reply_text, wrong
from spak.codegen import run
from spak.effects import Effects
from spak.effects.asking import digest_of
from spak.errors import SpakError, Waiting
from spak.handlers.config import ModelConfig
from spak.handlers.mailbox import Mailbox
from spak.handlers.suspend import create
from spak.knowledge.values import Fired
from spak.lock import Lock
from spak.model.request import Request
from spak.pipeline.runs.knowing import record

TILE = Fired(
    "Tile the loops", "rule", (3,), {"slow": True}, ("Keep a block of B in registers",), "", (("BM", "=", 64),)
)
PACK = Fired("Pack B", "hint", (4,), {"slow": True}, ("Copy B into panels",))


def request_of(project: Project) -> Request:
    return Request(**json.loads((project.root / "build/request/scale.plain.cpp.json").read_bytes()))


def test_told_as_a_further_message_and_recorded_by_name(project: Project) -> None:
    record(project.root, "scale", [TILE, PACK])
    before = digest_of(request_of(project))
    assert run(project.options(), project.effects(reply_text())).ok
    (asked,) = project.asked
    base = request_of(project)
    assert asked.messages[:-1] == base.messages and asked.messages[-1].role == "user"
    said = asked.messages[-1].content
    assert "- Tile the loops: Keep a block of B in registers. use BM = 64." in said and "- Pack B:" in said
    entry = project.entry()
    assert entry is not None and entry.observed == ("Tile the loops", "Pack B")
    assert entry.request == before == digest_of(base) and entry.asked == digest_of(asked) != before
    text = (project.root / "spak.lock").read_text()
    assert 'observed = ["Tile the loops", "Pack B"]' in text
    assert Lock.load(project.root / "spak.lock").get("scale", "plain", "cpp") == entry


def test_nothing_fired_leaves_request_and_lock_as_they_were(project: Project) -> None:
    assert run(project.options(), project.effects(reply_text())).ok
    assert project.asked == [request_of(project)]
    assert "observed" not in (project.root / "spak.lock").read_text()
    assert not (project.root / ".spak/fired").exists()


def test_a_replay_never_reads_them_and_stays_valid(project: Project) -> None:
    """What fires after the reply was accepted asks nobody and changes nothing that is committed."""
    assert run(project.options(), project.effects(reply_text())).ok
    before = project.tree()
    record(project.root, "scale", [TILE])
    outcome = run(project.options(), project.effects())
    assert outcome.summary["action"] == "replayed" and project.tree() == before
    (project.root / ".spak/fired/scale.json").write_text("{")
    assert run(project.options(), project.effects()).summary["action"] == "replayed"


def test_a_repair_is_told_after_the_findings(project: Project) -> None:
    record(project.root, "scale", [TILE])
    replies = [wrong(), reply_text()]
    assert run(project.options(), project.effects(*replies)).ok
    roles = [[one.role for one in asked.messages] for asked in project.asked]
    assert roles == [["system", "user", "user"], ["system", "user", "assistant", "user", "user"]]
    assert "Tile the loops" in project.asked[1].messages[-1].content
    entry = project.entry()
    assert entry is not None and entry.attempts == 2 and entry.observed == ("Tile the loops",)


def test_an_answer_counts_whatever_fires_while_it_is_written(project: Project) -> None:
    """Asked with one rule; another fires before the answer is taken in: the answer is to the question that was asked."""
    record(project.root, "scale", [TILE])
    ask = create(project.root, ModelConfig(name=""))
    effects = Effects(asker=ask, judger=lambda: project.judge())
    with pytest.raises(Waiting):
        run(project.options(), effects)
    box = Mailbox(project.root, "scale.plain.cpp")
    assert "Tile the loops" in (box.folder / "request.md").read_text()
    box.put_answer(reply_text().encode(), {"by": "me"})
    record(project.root, "scale", [PACK])
    assert run(project.options(), effects).summary["action"] == "asked"
    entry = project.entry()
    assert entry is not None and entry.observed == ("Tile the loops",) and entry.provenance.by == "me"


def test_an_open_question_is_asked_with_what_stands_now(project: Project) -> None:
    record(project.root, "scale", [TILE])
    effects = Effects(asker=create(project.root, ModelConfig(name="")), judger=lambda: project.judge())
    page = project.root / ".spak/pending/scale.plain.cpp/request.md"
    for fired, there, gone in (([TILE], "Tile", "Pack B"), ([PACK], "Pack B", "Tile"), ([], "Write scale", "Pack B")):
        record(project.root, "scale", fired)
        with pytest.raises(Waiting):
            run(project.options(), effects)
        text = page.read_text()
        assert there in text and gone not in text


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"rules": [{"name": "x"}]}', '{"rules": [{"name": "x", "text": "y", "odd": 1}]}', "\xff"]
)
def test_a_damaged_record_is_told_when_it_is_needed(project: Project, text: str) -> None:
    (project.root / ".spak/fired").mkdir(parents=True)
    (project.root / ".spak/fired/scale.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(SpakError) as caught:
        run(project.options(), project.effects())
    (told,) = caught.value.diagnostics
    assert told.code == "SPK283" and told.span is not None and told.span.file == ".spak/fired/scale.json" and told.hint


def test_a_record_is_written_only_where_it_changes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from spak.store import atomic

    written: list[Path] = []
    real = atomic.write
    monkeypatch.setattr(atomic, "write", lambda path, data: (written.append(path), real(path, data))[1])
    for _ in range(2):
        record(project.root, "scale", [TILE])
    assert len(written) == 1
    record(project.root, "scale", [])
    assert not written[0].exists()
