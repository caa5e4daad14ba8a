"""Processes that a command starts end with who started it, also at the worst of moments."""

from __future__ import annotations

import os
import sys

import pytest
from spak.effects import strays
from spak.effects.run import Limits, run
from spak.effects.service import Service


def test_a_child_whose_parent_died_before_it_asked_to_end_with_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert run(["sleep", "5"]).how == "signal SIGKILL"
    with Service(["sleep", "5"], env={"PATH": os.environ["PATH"]}) as service:
        assert service.hello(wall_seconds=300, cpu_seconds=300).how == "signal SIGKILL"


def test_children_that_one_look_did_not_show_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel says that its list may lack some while others end."""
    seen, looks = strays.children, [0]

    def unsteady() -> frozenset[int]:
        looks[0] += 1
        return seen() if looks[0] % 2 else frozenset()

    before = seen()
    monkeypatch.setattr(strays, "children", unsteady)
    code = "import os, time\nif os.fork() == 0: os.setsid(); time.sleep(600)\n"
    run([sys.executable, "-c", code], contained=True, limits=Limits(wall_seconds=300))
    assert seen() == before
