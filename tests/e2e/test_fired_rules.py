"""Rules that fired on measurements go with the next request, through a real build; they key nothing and replay nothing."""

from __future__ import annotations

import json

import pytest
from realproject import Project
from scale import NAME, REPLY, SKIPS_THE_LAST, add_scale
from spak.knowledge.values import Fired
from spak.pipeline.runs.knowing import record

pytestmark = pytest.mark.xdist_group("project")

WIDE = Fired("Use wide loads", "rule", (7,), {"memory_bound": True}, ("Load four values at a time",))
UNROLL = Fired("Unroll", "hint", (9,), {"memory_bound": True}, ("Unroll by four",))


def test_fired_rules_go_with_the_request_and_into_the_lock(project: Project) -> None:
    add_scale(project)
    project.build("scale", expect=3)
    plain = json.loads(project.path(f".spak/pending/{NAME}/request.json").read_text())
    record(project.root, "scale", [WIDE])
    project.build("scale", expect=3)
    page = project.spak("answer", NAME).stdout
    assert "- Use wide loads: Load four values at a time." in page
    asked = json.loads(project.path(f".spak/pending/{NAME}/request.json").read_text())
    assert asked["messages"][:-1] == plain["messages"] and len(asked["messages"]) == len(plain["messages"]) + 1

    project.spak("answer", NAME, "-", stdin=SKIPS_THE_LAST)
    record(project.root, "scale", [WIDE, UNROLL])
    waits = project.build("scale", expect=3)
    assert "attempt 2" in waits.err, "the answer to the open question was taken, though another rule has fired since"
    page = project.spak("answer", NAME).stdout
    assert "i < N - 1" in page and page.index("i < N - 1") < page.index("- Unroll: Unroll by four.")
    project.spak("answer", NAME, "-", stdin=REPLY)
    assert project.build("scale").answers == {f"codegen:{NAME}": "asked"}
    entry = project.lock()[NAME]
    assert entry["observed"] == ["Use wide loads", "Unroll"] and entry["attempts"] == 2
    assert entry["asked"] != entry["request"]


def test_what_fires_later_leaves_a_build_up_to_date(project: Project) -> None:
    """No codegen, and no key of the lock, depends on what a machine has measured."""
    before = project.path("spak.lock").read_bytes()
    project.build("vector_add")
    record(project.root, "vector_add", [WIDE])
    assert not project.build("vector_add", "--frozen").ran
    for path in project.path("generated").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    project.path("generated/vector_add/plain/cpp/kernel.cpp").unlink()
    again = project.build("vector_add", "--frozen")
    assert not again.having("failed") and not again.having("waiting")
    assert project.path("spak.lock").read_bytes() == before
