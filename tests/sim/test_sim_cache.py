"""The cache of compiled parts: processes make, use and tidy up its entries at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from spak.sim import library

ONE = """
import random, sys
from spak.sim import library

rng = random.Random(int(sys.argv[1]))
for _ in range(100):
    name = rng.choice(["pre-%02d", "ab%02d"]) % rng.randrange(24)
    place = library.cache() / "sim" / name
    with library._making(place, "part", lambda _: None) as folder:
        if folder is not None:
            (folder / "part").write_text(name)
    assert (place / "part").read_text() == name
"""


def test_processes_share_a_cache_that_has_more_than_it_keeps(tmp_path: Path) -> None:
    """What one has just asked for stays until it was used, whatever the others make and remove."""
    environment = {**os.environ, "SPAK_CACHE": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", ONE, str(seed)], env=environment, stderr=subprocess.PIPE, text=True)
        for seed in range(8)
    ]
    ended = [one.communicate()[1] for one in started]
    assert all(one.returncode == 0 for one in started), "\n".join(filter(None, ended))


def made(place: Path) -> None:
    with library._making(place, "part", lambda _: None) as folder:
        if folder is not None:
            (folder / "part").write_text("")


def test_what_nobody_has_used_for_long_goes(tmp_path: Path) -> None:
    for number in range(8):
        made(tmp_path / f"ab{number}")
    long_ago = time.time() - 10 * library._IN_USE
    for number in range(8):
        os.utime(tmp_path / f"ab{number}", (long_ago + number, long_ago + number))
    made(tmp_path / "ab1")
    made(tmp_path / "new")
    assert {path.name for path in tmp_path.glob("ab*")} == {"ab1", "ab5", "ab6", "ab7"}
    assert {path.name for path in tmp_path.glob(".*")} == {
        f".{name}.lock" for name in ("ab1", "ab5", "ab6", "ab7", "new")
    }


def test_a_lock_that_was_removed_meanwhile_is_no_lock(tmp_path: Path) -> None:
    """Or one would make what another, who has the new file, makes as well."""
    place = tmp_path / "place"

    def removed() -> None:
        (tmp_path / ".place.lock").unlink()
        first.__exit__(None, None, None)

    first = library._locked(place, None)
    assert first.__enter__()
    with library._locked(place, removed) as mine:
        assert mine
        with library._locked(place, None) as also:
            assert not also
