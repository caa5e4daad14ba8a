"""Text to trees: loads the grammar once, runs scanner and parser, and goes on after an error. Knows no meaning.

The parse table is cached in the user's cache folder (`$XDG_CACHE_HOME/spak` or `~/.cache/spak`), never in a shared one:
the cache is a pickle. Where it cannot be written, it is built in memory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.build import Build
from spak.lang.lalr import Table, Unexpected
from spak.lang.scan import FOREIGN_KINDS, MAX_ERRORS, Scanner, Tok, master_pattern

GRAMMAR = Path(__file__).parent / "grammar.lark"
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
FOREIGN_BODY = re.compile(rf"(?<![\w.])(?:{'|'.join(sorted(FOREIGN_KINDS))})\b[^\n{{}}]*\n?[ \t]*\{{")
MAX_WORK = 400_000  # tokens of one statement, parsed over all attempts to go on after an error
OPENS = frozenset({"LBODY", "LMAP", "LCALL", "LPAR", "LINDEX", "LBRACK", "LTYPE"})
CLOSES = frozenset({"RBRACE", "RPAR", "RBRACK", "RTYPE"})

NAMES = {
    "_SEP": "the end of the line",
    "KEY": "a key",
    "RBRACE": "'}'",
    "LBODY": "'{'",
    "LMAP": "'{'",
    "RPAR": "')'",
    "RBRACK": "']'",
    "LCALL": "'('",
    "LINDEX": "'['",
    "LPAR": "'('",
    "LBRACK": "'['",
    "$END": "the end",
    "COMMA": "','",
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "COLON": "':'",
    "EQ": "'='",
    "RTYPE": "'>'",
    "VERBATIM": "text",
}


@dataclass(frozen=True)
class Loaded:
    table: Table
    files: Any
    expressions: Any


class _Keep:
    """Tells lark to keep the terminals that only the scanner uses."""

    always_accept = ("FUNCREF", "COMMENT", "SEMICOLON", "LBRACE")

    def process(self, stream: Iterable[Token]) -> Iterable[Token]:
        return stream


@cache
def grammar() -> Loaded:
    """The parser and its two scanning patterns."""
    text = GRAMMAR.read_text()
    options: dict[str, Any] = {
        "parser": "lalr",
        "lexer": "basic",
        "start": ["file", "expression"],
        "postlex": _Keep(),
        "transformer": Build(),
    }
    lark = None
    for folder in cache_folder():
        try:
            lark = Lark(text, cache=str(folder / "grammar"), **options)
        except Exception:  # a full disk, a torn or foreign cache: whatever it is, the grammar itself is at hand
            continue
    lark = lark or Lark(text, **options)
    patterns = {t.name: t.pattern.to_regexp() for t in lark.terminals if t.name not in {"_SEP"}}
    return Loaded(Table(lark), master_pattern(patterns, comments=True), master_pattern(patterns, comments=False))


def cache_folder() -> list[Path]:
    """Where the parse table may be cached: one folder or none."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(base) / "spak"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return []
    return [folder] if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid() else []


def split_front(text: str) -> tuple[str, str]:
    """The front matter, '' where there is none, and the text with it blanked, so that lines and columns stay."""
    match = FRONT_MATTER.match(text)
    return (match[1], blank(match[0]) + text[match.end() :]) if match else ("", text)


def blank(text: str) -> str:
    """The same text with everything but its line ends turned into spaces."""
    return re.sub(r"[^\n]", " ", text)


def parse_text(text: str, file: str, found: Collector) -> tree.File:
    """Parse one text, adding every error to `found`; what could not be read is left out of the tree.

    `text` has `\\n` line ends only. Text that is not to be read (prose around a fence) may be blanked by spaces.
    """
    front, text = split_front(text)
    here = Collector()
    read = _parse(text, front, file, here, None)
    if here.errors and FOREIGN_BODY.search(text):
        again = Collector()
        other = _parse(text, front, file, again, _unreadable)
        if len(again.errors) < len(here.errors):
            read, here = other, again
    found.found += here.found
    return read


def _unreadable(text: str) -> bool:
    """Whether a text between braces is none of this language."""
    found = Collector()
    _parse(text, "", "", found, None)
    return bool(found.errors)


def _parse(text: str, front: str, file: str, found: Collector, foreign: Callable[[str], bool] | None) -> tree.File:
    scanned = Scanner(text, file, grammar().files, found, foreign=foreign).run()
    if not scanned.balanced:
        return tree.File((), front, scanned.comments)
    try:
        return tree.File(grammar().table.parse(scanned.tokens, "file"), front, scanned.comments)
    except (Unexpected, SpakError):  # read statement by statement, so that each error costs no more than its own
        items = [item for tokens, after in _statements(scanned.tokens) for item in _recover(tokens, after, found)]
        return tree.File(tuple(items), front, scanned.comments)


def _statements(tokens: list[Tok]) -> Iterator[tuple[list[Tok], list[Tok]]]:
    """The tokens of each statement of a file, and the separator behind them, if there is one."""
    depth = start = 0
    for at, token in enumerate(tokens):
        depth += (token.type in OPENS) - (token.type in CLOSES)
        if depth == 0 and token.type == "_SEP":
            yield tokens[start:at], [token]
            start = at + 1
    if start < len(tokens):
        yield tokens[start:], []


def _recover(tokens: list[Tok], after: list[Tok], found: Collector) -> tuple[tree.Item, ...]:
    """The items of one statement, going on behind each error inside it."""
    work = 0
    while len(found.found) < MAX_ERRORS and work < MAX_WORK:
        try:
            items: tuple[tree.Item, ...] = grammar().table.parse(tokens, "file")
            return items
        except Unexpected as error:
            at = error.at
            if at == len(tokens) or tokens[at].type != "UNKNOWN":  # that one has been reported
                found.found.append(explain([*tokens, *after], error))
            tokens = without_line(tokens, at)
            work += at
        except SpakError as error:
            found.found.extend(error.diagnostics)
            return ()
    return ()


def parse_expression(text: str, file: str, found: Collector) -> tree.Value | None:
    """Parse one expression alone; None if there was an error."""
    scanned = Scanner(text, file, grammar().expressions, found, statements=False).run()
    if not scanned.balanced or found.errors:
        return None
    try:
        value: tree.Value = grammar().table.parse(scanned.tokens, "expression")
        return value
    except Unexpected as error:
        found.found.append(explain(scanned.tokens, error))
    except SpakError as error:
        found.found.extend(error.diagnostics)
    return None


def explain(tokens: list[Tok], error: Unexpected) -> Diagnostic:
    """Say what stands where it should not, in words."""
    at = error.at
    if at == len(tokens):
        span = tokens[-1].span if tokens else Span("")
        return Diagnostic("SPK104", "the text ends where a value is missing", span, "complete the expression")
    token = tokens[at]
    before = tokens[at - 1].type if at else ""
    if token.type == "COMPARE" or token.type in {"LANGLE", "RANGLE"}:
        return Diagnostic(
            "SPK104", f"unexpected {str(token)!r}", token.span, "comparisons don't chain: write `a < b && b < c`"
        )
    if before in {"COLON", "EQ"} and token.type in {"_SEP", "RBRACE"}:
        return Diagnostic(
            "SPK104",
            f"{str(tokens[at - 2])!r} has no value",
            tokens[at - 2].span,
            "write the value after it, on the same line",
        )
    what = "this line ends too early" if token.type == "_SEP" else f"unexpected {str(token)!r}"
    wanted = sorted({NAMES[name] for name in error.expected if name in NAMES})
    hint = (
        "put text that is not code in double quotes"
        if token.type in {"NAME", "KEY"}
        else f"expected {' or '.join(wanted[:4])}"
        if wanted
        else ""
    )
    return Diagnostic("SPK104", what, token.span, hint)


def without_line(tokens: list[Tok], at: int) -> list[Tok]:
    """The tokens without the statement that holds an error, and without its body if it opens one."""
    at = min(at, len(tokens) - 1)
    begin = at
    depth = 0
    while begin > 0:
        kind = tokens[begin - 1].type
        depth += (kind in CLOSES) - (kind in OPENS)
        if (kind == "_SEP" and depth <= 0) or (kind == "LBODY" and depth < 0):
            break
        begin -= 1
    end, depth = begin, 0
    while end < len(tokens):
        kind = tokens[end].type
        depth += (kind in OPENS) - (kind in CLOSES)
        if depth < 0 or (depth == 0 and kind == "_SEP" and end >= at):
            break
        end += 1
    if begin > 0 and tokens[begin - 1].type == "_SEP":
        begin -= 1
    elif end < len(tokens) and tokens[end].type == "_SEP":
        end += 1
    return tokens[:begin] + tokens[max(end, begin + 1) :]
