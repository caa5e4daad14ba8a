"""The journal: torn tails, other versions, compaction, failures to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.store.journal import HEADER, Journal, frame


def filled(path: Path, count: int = 3) -> Journal:
    journal = Journal(path)
    journal.open()
    for number in range(count):
        journal.put(f"task {number}", {"key": str(number)})
    return journal


def test_records_survive(tmp_path: Path) -> None:
    filled(tmp_path / "journal").close()
    again = Journal(tmp_path / "journal")
    assert again.names() == ["task 0", "task 1", "task 2"]
    assert again.get("task 1") == {"name": "task 1", "key": "1"}
    assert again.notice == ""


def test_tail_torn_at_every_byte(tmp_path: Path) -> None:
    """Whole records are kept, the rest is dropped, and what is appended after it is read again."""
    path = tmp_path / "journal"
    filled(path).close()
    data = path.read_bytes()
    ends = [len(HEADER)]
    for number in range(3):
        ends.append(ends[-1] + len(frame({"name": f"task {number}", "key": str(number)})))
    assert ends[-1] == len(data)
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        journal = Journal(path)
        whole = sum(end <= cut for end in ends[1:])
        assert len(journal.names()) == whole, cut
        assert journal.notice == "", cut
        journal.open()
        journal.put("new", {"key": "n"})
        journal.close()
        again = Journal(path)
        assert again.names() == sorted(["new", *(f"task {number}" for number in range(whole))]), cut


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    """A damaged record and all after it are dropped; none is ever read as something else."""
    path = tmp_path / "journal"
    filled(path).close()
    data = path.read_bytes()
    for at in range(len(HEADER), len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        journal = Journal(path)
        for name in journal.names():
            assert journal.get(name) == {"name": name, "key": name[-1]}
        assert len(journal.names()) < 3


def test_compaction_keeps_the_latest(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = filled(path)
    for number in range(50):
        journal.put("task 0", {"key": f"{number}"})
    journal.forget("task 1")
    before = path.stat().st_size
    journal.compact()
    again = Journal(path)
    assert path.stat().st_size < before / 5
    assert again.names() == ["task 0", "task 2"] and again.get("task 0") == {"name": "task 0", "key": "49"}


def test_compaction_happens_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = filled(path)
    for number in range(1100):
        journal.put("task 0", {"key": f"{number}"})
    before = path.stat().st_size
    journal.close()
    assert path.stat().st_size < before / 100


@pytest.mark.parametrize("data", [b"spak journal 2\nxyz", b"garbage", b"\x00" * 100])
def test_foreign_state_is_discarded_with_a_notice(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(data)
    journal = Journal(path)
    assert journal.names() == [] and "not used" in journal.notice
    journal.open()
    journal.put("task", {"key": "k"})
    journal.close()
    assert Journal(path).names() == ["task"]


def test_reading_needs_no_writing(tmp_path: Path) -> None:
    filled(tmp_path / "journal").close()
    before = (tmp_path / "journal").read_bytes()
    journal = Journal(tmp_path / "journal")
    journal.close()
    assert (tmp_path / "journal").read_bytes() == before


@pytest.mark.parametrize("compact", [False, True])
def test_what_another_build_wrote_meanwhile_is_kept(tmp_path: Path, compact: bool) -> None:
    """A build reads the journal before the tree is its own; another one may come and go in between."""
    path = tmp_path / "journal"
    filled(path).close()
    late = Journal(path)
    other = Journal(path)
    other.open()
    other.put("other", {"key": "o"})
    other.close()
    if compact:
        other.compact()
    late.open()
    assert "other" in late.names()
    late.put("late", {"key": "l"})
    late.close()
    assert Journal(path).names() == ["late", "other", "task 0", "task 1", "task 2"]
