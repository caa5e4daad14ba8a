"""Reading a source file: bytes to text with one kind of line end, or diagnostics. Knows limits, not languages."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Collector, Span

MAX_BYTES = 256 * 1024
MARKER = re.compile(r"^(<{7}|>{7})(?: .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A file's text; `name` is its path as messages show it."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; '' beyond the end."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def slice(self, span: Span) -> str:
        """The text that a span covers."""
        lines = self.text.split("\n")[span.line - 1 : span.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_col - 1]
        lines[0] = lines[0][span.col - 1 :]
        return "\n".join(lines)


def read_source(root: Path, name: str, found: Collector, limit: int = MAX_BYTES) -> Source | None:
    """Read `root/name`. None, with an error in `found`, when there is no usable text."""
    span = Span(name)
    path = root / name
    try:
        about = path.stat()
        size = about.st_size
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):  # a pipe or a device would never end
            found.add("SPK110", "the file cannot be read: it is not a plain file", span, "put a file in its place")
            return None
        if size > limit:
            found.add(
                "SPK111",
                f"the file has {size:,} bytes",
                span,
                f"the limit is {limit // 1024} KiB: split it, or move data out of it",
            )
            return None
        data = path.read_bytes()
    except FileNotFoundError:
        found.add("SPK110", "there is no such file", span, "check its name, or create it")
        return None
    except OSError as error:
        found.add("SPK110", f"the file cannot be read: {error.strerror}", span, "check its permissions and kind")
        return None
    return decode(data, name, found)


def decode(data: bytes, name: str, found: Collector) -> Source | None:
    """Bytes to text: UTF-8, a byte order mark and CRLF line ends allowed. Merge markers are errors."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        span = Span(name, before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
        found.add("SPK112", f"byte 0x{data[error.start]:02x} is not UTF-8", span, "save the file in UTF-8")
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        at = text.index("\0")
        span = Span(name, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        found.add("SPK112", "a NUL byte: this is not text", span, "save the file in UTF-8")
        return None
    markers = [Span(name, text.count("\n", 0, m.start()) + 1) for m in MARKER.finditer(text)]
    for span in markers:
        found.add("SPK113", "a merge conflict marker", span, "resolve the conflict and remove the markers")
    return None if markers else Source(name, text)
