"""Folders of runs: how they are named, found and held."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.errors import SpakError
from spak.traces.folder import RunFolder, find_run, ids, new_run


def made(root: Path, *names: str) -> None:
    for name in names:
        RunFolder(root, name).path.mkdir(parents=True)


def test_numbers_only_grow(tmp_path: Path) -> None:
    made(tmp_path, "0009-aaaa", "0123-bbbb", "notes")
    assert new_run(tmp_path).id.startswith("0124-")
    assert [name[:4] for name in ids(tmp_path)] == ["0009", "0123", "0124"]


def test_runs_are_found_by_id_number_or_beginning(tmp_path: Path) -> None:
    made(tmp_path, "0001-aaaa", "0002-abcd", "0012-abcd")
    for word, id in [
        ("", "0012-abcd"),
        ("1", "0001-aaaa"),
        ("12", "0012-abcd"),
        ("0002", "0002-abcd"),
        ("0001-a", "0001-aaaa"),
    ]:
        assert find_run(tmp_path, word).id == id


@pytest.mark.parametrize(
    ("word", "what"),
    [("9", "there is no run '9'"), ("00", "'00' may be any of 0001-aaaa, 0002-bbbb"), ("../x", "no run")],
)
def test_runs_that_are_not_found(tmp_path: Path, word: str, what: str) -> None:
    made(tmp_path, "0001-aaaa", "0002-bbbb")
    with pytest.raises(SpakError, match=what) as caught:
        find_run(tmp_path, word)
    assert caught.value.diagnostics[0].hint == "the newest runs are 0002-bbbb, 0001-aaaa"


def test_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match="there is no run here"):
        find_run(tmp_path)


def test_one_at_a_time(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    with folder.held(), pytest.raises(SpakError, match="SPK924"), folder.held():
        pass
    with folder.held():
        pass
