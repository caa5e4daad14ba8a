"""`spak` in this process: for tests of what a command does, where one of them has seen it start as a process of its own."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from spak.cli.root import run


@dataclass(frozen=True)
class Done:
    """How it ended, as of a process."""

    returncode: int
    stdout: str
    stderr: str


def spak(folder: Path, *argv: str, text: str = "") -> Done:
    """Run `spak ARGV` in a folder, with a text as its standard input."""
    stdin, out, err = (io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (text.encode(), b"", b""))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", stdin),
        mock.patch("sys.argv", ["spak", *argv]),
    ):
        code = run()
    for stream in (out, err):
        stream.seek(0)
    return Done(code, out.read(), err.read())
