"""Blobs: verified on the way out, never tied to what was copied out, bounded in size."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spak.digest import sha256_bytes
from spak.errors import SpakError
from spak.store.cas import Cas


@pytest.fixture
def cas(tmp_path: Path) -> Cas:
    return Cas(tmp_path / "cas")


def put(cas: Cas, tmp_path: Path, data: bytes) -> str:
    source = tmp_path / "source"
    source.write_bytes(data)
    digest = sha256_bytes(data)
    assert cas.put_file(source, digest)
    return digest


def test_round_trip(cas: Cas, tmp_path: Path) -> None:
    digest = put(cas, tmp_path, b"x" * 3_000_000)
    target = tmp_path / "deep" / "target"
    assert cas.checkout(digest, target, 0o755)
    assert target.read_bytes() == b"x" * 3_000_000 and target.stat().st_mode & 0o777 == 0o755


def test_a_tampered_copy_leaves_the_blob_alone(cas: Cas, tmp_path: Path) -> None:
    digest = put(cas, tmp_path, b"data")
    target = tmp_path / "target"
    assert cas.checkout(digest, target, 0o644)
    with target.open("r+b") as file:
        file.write(b"evil")
    assert target.stat().st_ino != cas.path(digest).stat().st_ino
    assert cas.checkout(digest, target, 0o644) and target.read_bytes() == b"data"


@pytest.mark.parametrize("damage", [b"", b"da", b"evil"])
def test_a_damaged_blob_is_a_miss_and_goes(cas: Cas, tmp_path: Path, damage: bytes) -> None:
    digest = put(cas, tmp_path, b"data")
    blob = cas.path(digest)
    blob.chmod(0o644)
    blob.write_bytes(damage)
    target = tmp_path / "target"
    target.write_bytes(b"before")
    assert not cas.checkout(digest, target, 0o644)
    assert target.read_bytes() == b"before" and not blob.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cas", "source", "target"], "a temporary was left"
    put(cas, tmp_path, b"data")
    assert cas.checkout(digest, target, 0o644)


def test_a_source_that_is_not_its_digest_is_not_kept(cas: Cas, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"other")
    assert not cas.put_file(tmp_path / "source", sha256_bytes(b"data"))
    assert not cas.path(sha256_bytes(b"data")).exists()


def test_a_target_that_cannot_be_written_is_an_error(cas: Cas, tmp_path: Path) -> None:
    digest = put(cas, tmp_path, b"data")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpakError, match=r"SPK701.*file"):
        cas.checkout(digest, tmp_path / "file" / "target", 0o644)


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cas = Cas(tmp_path / "cas", limit=250)
    digests = [put(cas, tmp_path, bytes([65 + number]) * 100) for number in range(4)]
    for age, digest in enumerate(digests):
        os.utime(cas.path(digest), (1000 + age, 1000 + age))
    assert cas.checkout(digests[0], tmp_path / "target", 0o644)  # used: now the youngest
    assert cas.trim() == 200
    assert [cas.path(digest).exists() for digest in digests] == [True, False, False, True]
    assert cas.trim() == 0


def test_a_blob_that_another_process_removes_meanwhile(
    cas: Cas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Builds share a cache, and each keeps to its limit: none of them is told that it cannot write its output."""
    digest, target = put(cas, tmp_path, b"data"), tmp_path / "target"
    monkeypatch.setattr("spak.store.cas._touch", lambda blob: blob.unlink())
    assert cas.checkout(digest, target, 0o644)
    assert target.read_bytes() == b"data"
    assert not cas.checkout(digest, target, 0o644)
