"""Trials of a change while others work in the same project."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from spak.pipeline.runs import trying
from spak.pipeline.runs.trying import Trial
from spak.store.treelock import TreeLock


def project(root: Path) -> Path:
    for name in ("specs/one/one.dsl", ".spak/ac/ab/cd", ".spak/ac/ab/goes"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_a_cache_that_is_tidied_up_meanwhile_can_be_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = trying._link

    def tidied(source: str, target: str) -> str:
        if Path(source).name == "goes":
            Path(source).unlink()
        return link(source, target)

    monkeypatch.setattr(trying, "_link", tidied)
    trial = Trial(project(tmp_path), "key", "specs/one/one.dsl", "new", print)
    trial._prepare()
    assert (trial.tree / "specs/one/one.dsl").read_text() == "new"
    assert [path.name for path in (trial.tree / ".spak/ac/ab").iterdir()] == ["cd"]


def test_one_at_a_time_tries_a_change(tmp_path: Path) -> None:
    """The other one waits, and is told what the first one found."""
    said, waits = [], threading.Event()

    def say(text: str) -> None:
        said.append(text)
        waits.set()

    trial = Trial(project(tmp_path), "key", "specs/one/one.dsl", "new", say)
    first = TreeLock(trial.folder.with_suffix(".lock"))
    first.acquire(print)
    trial.tree.mkdir(parents=True)
    second = threading.Thread(target=trial.events, args=({}, {}, ""))
    second.start()
    try:
        assert waits.wait(60)
        assert "tries the same change" in said[0] and trial.tree.exists()
        trial.trace.write_text("")
    finally:
        first.release()
        second.join()
    assert not trial.tree.exists()
