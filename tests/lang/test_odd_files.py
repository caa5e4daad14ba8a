"""What stands where a source is expected and is none: said, and never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from spak.errors import Collector
from spak.lang.source import read_source


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.dsl"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    found = Collector()
    assert read_source(tmp_path, "t.dsl", found) is None
    (one,) = found.found
    assert one.code == "SPK110" and one.span is not None and one.hint
