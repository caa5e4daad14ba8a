"""The lock: what is written is read back, what is wrong is told at its line, and writers do not lose each other's
entries.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spak.errors import SpakError
from spak.lock import Entry, Lock, TargetEvidence, remove, update
from spak.lock.text import dump, parse
from spak.lock.tomlspans import places
from spak.model.request import Provenance

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "errors"


def digest(letter: str = "a") -> str:
    return "sha256:" + letter * 64


def entry(unit: str = "saxpy", **changes: Any) -> Entry:
    base: dict[str, Any] = {
        "unit": unit,
        "variant": "naive",
        "dialect": "cpp",
        "provenance": Provenance(handler="live", by="m"),
    }
    base |= {name: digest() for name in ("spec", "request", "asked", "reply", "source", "plan")}
    return Entry(**(base | changes))


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("lock-*")), ids=lambda case: case.name)
def test_malformed_lock(case: Path) -> None:
    with pytest.raises(SpakError) as raised:
        parse((case / "spak.lock").read_bytes(), "spak.lock")
    produced = "\n".join(str(one) for one in raised.value.diagnostics) + "\n"
    if os.environ.get("SPAK_UPDATE_GOLDEN"):
        (case / "expected.txt").write_text(produced)
    assert produced == (case / "expected.txt").read_text()


@given(
    st.lists(
        st.builds(
            entry,
            st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True),
            attempts=st.integers(1, 9),
            provenance=st.builds(
                Provenance,
                handler=st.sampled_from(["live", "suspend", "adopt"]),
                by=st.text(),
                model=st.text(),
                tokens_in=st.none() | st.integers(0, 1 << 40),
                cost=st.none() | st.floats(0, 1e6),
            ),
            targets=st.lists(
                st.builds(TargetEvidence, name=st.sampled_from(["cpu", "sim", "sm_80"]), build=st.just(digest())),
                max_size=3,
            ).map(lambda found: tuple(sorted(found, key=lambda t: t.name))),
        ),
        unique_by=lambda one: one.key,
    )
)
def test_round_trip(entries: list[Entry]) -> None:
    text = dump(entries)
    assert parse(text, "spak.lock") == {one.key: one for one in entries}
    assert dump(reversed(entries)) == text


def test_missing_lock_is_empty(tmp_path: Path) -> None:
    assert Lock.load(tmp_path / "spak.lock").entries == {}


def test_update_replaces_adds_and_writes_nothing_new(tmp_path: Path) -> None:
    path = tmp_path / "spak.lock"
    update(path, entry("b"))
    update(path, entry("a"))
    update(path, entry("b", attempts=2))
    lock = Lock.load(path)
    assert [key[0] for key in lock.entries] == ["a", "b"] and lock.get("b", "naive", "cpp") == entry("b", attempts=2)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    update(path, entry("a"))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    remove(path, ("a", "naive", "cpp"))
    assert list(Lock.load(path).entries) == [("b", "naive", "cpp")]


def test_a_bad_lock_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "spak.lock"
    path.write_text("version = 1\n<<<<<<< HEAD\n")
    with pytest.raises(SpakError, match="SPK350"):
        update(path, entry())
    assert path.read_text() == "version = 1\n<<<<<<< HEAD\n"


def test_threads_and_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spak.lock"
    program = (
        "import sys; sys.path.insert(0, sys.argv[3]); from test_lock import entry, update\n"
        "for n in range(8): update(sys.argv[1], entry(f'{sys.argv[2]}_{n}'))"
    )
    here = str(Path(__file__).parent)
    children = [subprocess.Popen([sys.executable, "-c", program, str(path), f"process{n}", here]) for n in range(2)]
    threads = [
        threading.Thread(target=lambda who=who: [update(path, entry(f"thread{who}_{n}")) for n in range(8)])
        for who in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait() for child in children] == [0, 0]
    assert len(Lock.load(path).entries) == 6 * 8


def test_two_branches_merge_where_they_do_not_collide(tmp_path: Path) -> None:
    """Adding entries and changing others in two branches is a clean three-way merge."""
    base, ours, theirs = (tmp_path / name for name in ("base", "ours", "theirs"))
    base.write_bytes(dump([entry("b"), entry("d"), entry("f")]))
    ours.write_bytes(dump([entry("a"), entry("b"), entry("d", request=digest("1")), entry("f")]))
    theirs.write_bytes(dump([entry("b"), entry("d"), entry("f"), entry("g")]))
    merged = subprocess.run(["git", "merge-file", "-p", ours, base, theirs], capture_output=True, check=False)
    assert merged.returncode == 0
    assert sorted(key[0] for key in parse(merged.stdout, "spak.lock")) == ["a", "b", "d", "f", "g"]


def test_places_of_nested_tables() -> None:
    text = '[a]\nx = [\n  1,\n]\ny = """\n[not]\nz = 1\n"""\n'
    text += "[[e]]\n  k = 1\n[[e.t]]\nn = 1\n[[e]]\n[[e.t]]\n[[e.t]]\nm = 2\n"
    assert places(text) == {
        ("a",): (1, 1), ("a", "x"): (2, 1), ("a", "y"): (5, 1), ("e", 0): (9, 1), ("e", 0, "k"): (10, 3),
        ("e", 0, "t", 0): (11, 1), ("e", 0, "t", 0, "n"): (12, 1), ("e", 1): (13, 1), ("e", 1, "t", 0): (14, 1),
        ("e", 1, "t", 1): (15, 1), ("e", 1, "t", 1, "m"): (16, 1),
    }  # fmt: skip
