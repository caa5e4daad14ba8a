"""Spec files in canonical layout: whole files of the language, and the spak blocks of Markdown. Knows no kinds.

Prose, front matter and every fence of another language stay as they are, byte for byte.
"""

from __future__ import annotations

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.printer import print_file
from spak.lang.source import decode
from spak.lang.syntax import parse_text, split_front
from spak.semantics.document import LOOKS_LIKE_CODE

BOM = "\ufeff"


def format_bytes(data: bytes, name: str) -> bytes:
    """The file in canonical layout. Raises SpakError where it cannot be read; then nothing may be changed."""
    found = Collector()
    source = decode(data, name, found)
    found.raise_if_any()
    assert source is not None
    raw = data.decode("utf-8").removeprefix(BOM)
    if is_markdown(name, source.text):
        mark = BOM if data.startswith(BOM.encode()) else ""
        return (mark + _markdown(raw, source.text, name)).encode()
    return _code(source.text, name).encode()


def format_text(text: str, name: str) -> str:
    """As `format_bytes`, for text that is already in memory, with `\\n` line ends. Raises SpakError."""
    return _markdown(text, text, name) if is_markdown(name, text) else _code(text, name)


def is_markdown(name: str, text: str) -> bool:
    """Whether a file is prose with fences; a `.md` file that begins as code is code."""
    return name.endswith(".md") and not LOOKS_LIKE_CODE.match(split_front(text)[1])


def _code(text: str, name: str) -> str:
    found = Collector()
    file = parse_text(text, name, found)
    found.raise_if_any()
    printed = print_file(file)
    _same(file, printed, name)
    return printed


def _markdown(raw: str, text: str, name: str) -> str:
    """`raw` is `text` with the line ends of the file; lines outside fences are taken from it."""
    from spak.semantics.markdown import read_markdown

    lines, ends = text.split("\n"), raw.split("\n")
    if len(lines) != len(ends):  # a lone carriage return counts as a line end in one of them only
        ends = lines
    found = Collector()
    for fence in reversed(read_markdown(split_front(text)[1]).fences):
        first, stop = fence.first, fence.first + len(fence.lines)
        prefix = _prefix(lines[first:stop], fence.lines)
        if not fence.closed:
            found.add("SPK220", "this spak block is never closed", Span(name, first, 1), "end it with three backticks")
        if prefix is None or not fence.closed:
            continue
        before = len(found.errors)
        shown = [""] * first + [
            " " * (len(line) - len(content)) + content
            for line, content in zip(lines[first:stop], fence.lines, strict=True)
        ]
        file = parse_text("\n".join(shown), name, found)
        if len(found.errors) > before:
            continue
        printed = print_file(file)
        _same(file, printed, name)
        end = "\r" if ends[first - 1].endswith("\r") else ""
        ends[first:stop] = [(prefix + line if line else prefix.rstrip()) + end for line in printed.split("\n")[:-1]]
    found.raise_if_any()
    return "\n".join(ends)


def _prefix(lines: list[str], contents: tuple[str, ...]) -> str | None:
    """What stands before each line of a fence inside a list or quotation; None where lines differ in that."""
    prefixes = {
        line.removesuffix(content) if line.endswith(content) else None
        for line, content in zip(lines, contents, strict=True)
        if content.strip()
    }
    return prefixes.pop() if len(prefixes) == 1 else "" if not prefixes else None


def _same(file: tree.File, printed: str, name: str) -> None:
    """Raise unless a printed text says what the file says, with as many comments: nothing may be lost by formatting."""
    found = Collector()
    again = parse_text(printed, name, found)
    if found.errors or again != file or len(again.comments) != len(file.comments):
        raise left_alone(name)


def left_alone(name: str) -> SpakError:
    """The error for a file whose rewriting would lose something: that is a mistake of ours, so nothing is written."""
    what = "this file cannot be rewritten without changing what it says; it is left alone"
    return SpakError(Diagnostic("SPK114", what, Span(name), "please report it, with the file"))
