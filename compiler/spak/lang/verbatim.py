"""Text that is not of this language, inside a text that is: where it begins and ends. Knows indentation and braces only."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

COMMENT_LINE = re.compile(r"[ \t]*(?://|#)")
QUOTED_OR_BRACE = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}]')

#: A YAML block scalar, `key: |` or `key: >`, up to the end of its line.
SCALAR = re.compile(r"[ \t]*[|>][-+]?[ \t]*(?=\n)")


def columns(text: str) -> int:
    """The width of a line's indentation; a tab goes to the next multiple of four."""
    flat = text.expandtabs(4)
    return len(flat) - len(flat.lstrip(" "))


def indented(text: str, starts: Sequence[int], line: int, limit: int) -> list[int]:
    """Lines from `line` (counted from 0) on that are indented deeper than `limit` columns and are not comments or blank.

    Blank lines and comments between them belong to the text; so the text is from `line` to the last of them.
    """
    code: list[int] = []
    while line < len(starts):
        raw = line_of(text, starts, line)
        if raw.strip():
            if columns(raw) <= limit:
                break
            if not COMMENT_LINE.match(raw):
                code.append(line)
        line += 1
    return code


def line_of(text: str, starts: Sequence[int], line: int) -> str:
    return text[starts[line] : starts[line + 1] if line + 1 < len(starts) else None].rstrip("\n")


def closing_brace(text: str, pos: int) -> int | None:
    """Where the brace that closes a body stands, strings left out; None where there is none."""
    depth, end = 1, pos
    while depth and (match := QUOTED_OR_BRACE.search(text, end)):
        end = match.end()
        depth += (match.group() == "{") - (match.group() == "}")
    return None if depth else end - 1


def dedent(text: str) -> str:
    """Without its common indentation, blank edges and trailing spaces; tabs as four columns."""
    lines = [line.rstrip() for line in text.expandtabs(4).split("\n")]
    return (
        textwrap.dedent("\n".join(lines)).strip("\n").strip(" ")
        if len(lines) == 1
        else textwrap.dedent("\n".join(lines)).strip("\n")
    )
