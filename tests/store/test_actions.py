"""The action cache: any fault is a miss, blobs come before entries, and a second cache is asked and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spak.digest import sha256_bytes
from spak.store.actions import Actions, Entry, Folder
from spak.store.cas import Cas

KEY = "sha256:" + "a" * 64


def folder(path: Path) -> Folder:
    return Folder(path / "ac", Cas(path / "cas"))


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    monkeypatch.chdir(tmp_path)
    Path("out").write_bytes(b"data")
    return Entry(
        {"out": (sha256_bytes(b"data"), 0o644)}, {"ok": True, "diagnostics": [], "summary": {}}, (("input", "a", "b"),)
    )


def test_round_trip(tmp_path: Path, entry: Entry) -> None:
    cache = Actions(folder(tmp_path))
    assert cache.get(KEY) is None
    assert cache.put(KEY, entry)
    assert cache.get(KEY) == entry


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"key": "sha256:" + "b" * 64},
        {"outputs": 3},
        {"outputs": {"out": ["x"]}},
        {"outcome": None},
        {"fields": [1]},
    ],
)
def test_an_entry_that_makes_no_sense_is_a_miss(tmp_path: Path, entry: Entry, fields: dict[str, object]) -> None:
    cache = Actions(folder(tmp_path))
    cache.put(KEY, entry)
    change(next((tmp_path / "ac").glob("??/*")), **fields)
    assert cache.get(KEY) is None


def test_an_entry_cut_at_every_byte_is_a_miss(tmp_path: Path, entry: Entry) -> None:
    cache = Actions(folder(tmp_path))
    cache.put(KEY, entry)
    path = next((tmp_path / "ac").glob("??/*"))
    data = path.read_bytes()
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        assert cache.get(KEY) is None


def test_no_entry_without_its_blobs(tmp_path: Path, entry: Entry) -> None:
    cache = Actions(folder(tmp_path))
    Path("out").write_bytes(b"changed since it was digested")
    assert not cache.put(KEY, entry)
    assert cache.get(KEY) is None


def test_a_second_cache_is_told_and_asked(tmp_path: Path, entry: Entry) -> None:
    shared = folder(tmp_path / "shared")
    assert Actions(folder(tmp_path / "first"), (shared,)).put(KEY, entry)
    other = Actions(folder(tmp_path / "second"), (shared,))
    assert other.get(KEY) == entry
    assert other.checkout(sha256_bytes(b"data"), "copy", 0o644)
    assert Path("copy").read_bytes() == b"data"


class Broken:
    """A cache that fails in one of the ways of a network."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def get(self, kind: str, digest: str) -> bytes | None:
        if self.error:
            raise self.error
        return b"poison"

    def put(self, kind: str, digest: str, data: bytes) -> None:
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [OSError("reset"), TimeoutError("slow"), None])
def test_a_broken_second_cache_costs_time_only(tmp_path: Path, entry: Entry, error: Exception | None) -> None:
    cache = Actions(folder(tmp_path), (Broken(error),))
    assert cache.get(KEY) is None
    assert not cache.checkout(sha256_bytes(b"data"), "copy", 0o644)
    assert not Path("copy").exists()
    assert cache.put(KEY, entry) and cache.get(KEY) == entry
