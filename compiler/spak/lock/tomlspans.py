"""Where each key of a TOML text stands, which `tomllib` does not tell. Knows nothing of what the keys mean."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from typing import Any

Path = tuple[str | int, ...]
Place = tuple[int, int]  # line and column, from 1

_MOST_DOTS = 256  # in a line: `tomllib` takes seconds over keys of thousands of parts
_HEADER = re.compile(r"^(\s*)(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^(\s*)((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_AT = re.compile(r"\s*\(at line (\d+), column (\d+)\)$")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*$')


def loads(text: str) -> dict[str, Any]:
    """`tomllib.loads`, but whatever is wrong with the text is a TOMLDecodeError: not every one of its errors is."""
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines() if not line.lstrip().startswith("#")):
        raise tomllib.TOMLDecodeError("a line has too many dots (at line 1, column 1)")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("it nests too deeply (at line 1, column 1)") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise tomllib.TOMLDecodeError("a number has too many digits (at line 1, column 1)") from None


def places(text: str) -> dict[Path, Place]:
    """Map every table and key, as a path such as `("launch", 0, "grid")`, to its first place.

    Keys inside inline tables are not listed: `place` falls back to the key that holds them.
    """
    found: dict[Path, Place] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    open_brackets = 0
    open_quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        if open_brackets == 0 and (header := _HEADER.match(line)):
            table = _enter(_split(header[3]), header[2] == "[[", counts)
            found.setdefault(table, (number, len(header[1]) + 1))
            continue
        if open_brackets == 0 and (key := _KEY.match(line)):
            found.setdefault(table + tuple(_split(key[2])), (number, len(key[1]) + 1))
        open_brackets, open_quote = _nesting(line, open_brackets)
    return found


def place(found: dict[Path, Place], path: Iterable[str | int]) -> Place:
    """The place of the longest known prefix of `path`; the file's start if there is none."""
    parts = tuple(path)
    while parts and parts not in found:
        parts = parts[:-1]
    return found.get(parts, (1, 1))


def syntax_error(error: tomllib.TOMLDecodeError, text: str) -> tuple[str, Place]:
    """A syntax error's message without its position, and the position: the last line where it says 'end of
    document'.
    """
    message = str(error)
    if at := _AT.search(message):
        return message[: at.start()], (int(at[1]), int(at[2]))
    lines = text.splitlines() or [""]
    return message.replace(" (at end of document)", " at the end of the text"), (len(lines), len(lines[-1]) + 1)


def _split(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _enter(names: list[str], is_array: bool, counts: dict[Path, int]) -> Path:
    """The path of a table header: every array of tables on the way is entered at its last element."""
    path: Path = ()
    for name in names[:-1]:
        path += (name,)
        if path in counts:
            path += (counts[path],)
    path += (names[-1],)
    if not is_array:
        return path
    counts[path] = counts.get(path, -1) + 1
    return (*path, counts[path])


def _nesting(line: str, depth: int) -> tuple[int, str]:
    """Bracket depth after a line, and the triple quote it leaves open, if any."""
    for quote in ('"""', "'''"):
        if line.count(quote) % 2:
            return depth, quote
    bare = _STRING.sub("", line)
    return max(0, depth + bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")), ""
