"""Digests of files: remembered only while nothing can have changed unseen."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from spak.digest import sha256_bytes
from spak.errors import SpakError
from spak.store.digests import ABSENT, REST_NS, Digests, at_rest


def settle() -> None:
    time.sleep(2 * REST_NS / 1e9)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    return str(path)


def test_a_file_at_rest_is_read_once(file: str) -> None:
    settle()
    digests = Digests()
    assert {digests.of(file) for _ in range(5)} == {sha256_bytes(b"one")}
    assert digests.read == 1
    assert digests.settled(file) is not None


def test_a_fresh_file_is_read_again(file: str) -> None:
    digests = Digests()
    Path(file).write_bytes(b"two")
    digests.of(file)
    Path(file).write_bytes(b"six")  # the same size, perhaps within one tick of the clock
    assert digests.of(file) == sha256_bytes(b"six")


def test_a_restored_mtime_does_not_hide_an_edit(file: str) -> None:
    settle()
    digests = Digests()
    before = Path(file).stat()
    digests.of(file)
    Path(file).write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digests.of(file) == sha256_bytes(b"two")


def test_kept_between_runs(file: str, tmp_path: Path) -> None:
    settle()
    first = Digests(tmp_path / "store")
    first.of(file)
    first.save()
    second = Digests(tmp_path / "store")
    assert second.of(file) == sha256_bytes(b"one") and second.read == 0


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-1], lambda data: data[:-3] + b"abc"])
def test_a_damaged_store_is_forgotten(file: str, tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]
    settle()
    first = Digests(tmp_path / "store")
    first.of(file)
    first.save()
    store = tmp_path / "store"
    store.write_bytes(damage(store.read_bytes()))
    second = Digests(store)
    assert second.of(file) == sha256_bytes(b"one") and second.read == 1


def test_what_is_no_file(tmp_path: Path) -> None:
    digests = Digests()
    assert digests.of(str(tmp_path / "nothing")) == ABSENT
    assert digests.of(str(tmp_path / "nothing" / "below")) == ABSENT
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    for name, code in (("fifo", "SPK702"), ("", "SPK702"), ("loop", "SPK701")):
        with pytest.raises(SpakError, match=code):
            digests.of(str(tmp_path / name))


def test_at_rest() -> None:
    second = 1_000_000_000
    now = 100 * second
    fine = now - REST_NS - 1
    assert at_rest((fine, 1, 1, fine), now)
    assert not at_rest((fine, 1, 1, now), now)
    assert not at_rest((fine, 1, 1, now + second), now), "a ctime in the future tells nothing"
    assert not at_rest((99 * second, 1, 1, 99 * second), now), "whole seconds: the file system keeps no fractions"
    assert at_rest((97 * second, 1, 1, 97 * second), now)
