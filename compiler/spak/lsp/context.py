"""Where in a text that is being typed the cursor stands: in which blocks, and before what. Knows braces and words only."""

from __future__ import annotations

import re
from dataclasses import dataclass

PIECE = re.compile(r'"""(?s:.*?)(?:"""|\Z)|"(?:[^"\\\n]|\\.)*"?|//[^\n]*|#[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|[{}\n;]')
CALLED = re.compile(r"[:=]\s*((?:tool|llm)\.\w+)\s*\Z")
WORD = re.compile(r"[A-Za-z_$][\w.]*\Z|\Z")
HEAD = re.compile(r"\s*([A-Za-z_][\w.]*)")
VALUE = re.compile(r'(?:^|[{;,]|\s)([A-Za-z_][\w]*|"[^"\n]*")\s*(?::|=(?!=))[^{};]*\Z')
FENCE = re.compile(r"^[ \t>]*```")


@dataclass(frozen=True)
class Context:
    """`kinds` are the blocks around the cursor, the innermost last; `word` is what has been typed of a word, `before` is the
    rest of the line; `key` is the attribute whose value is being typed, '' at the beginning of a statement.
    """

    kinds: tuple[str, ...]
    word: str
    before: str
    key: str
    inside_text: bool = False

    @property
    def kind(self) -> str:
        return self.kinds[-1] if self.kinds else ""


def context(lines: tuple[str, ...], line: int, col: int, *, fenced: bool) -> Context | None:
    """The context of a place (from 1). None outside the fences of a Markdown file."""
    first = 0
    if fenced:
        fences = [number for number in range(line - 1) if FENCE.match(lines[number])]
        if len(fences) % 2 == 0 or not re.search(r"```\s*spak", lines[fences[-1]]):
            return None
        first = fences[-1] + 1
    row = lines[line - 1][: col - 1] if line <= len(lines) else ""
    text = "\n".join([*lines[first : line - 1], row])
    kinds: list[str] = []
    start, inside = 0, False
    for match in PIECE.finditer(text):
        piece = match.group()
        if piece == "{":
            kinds.append(_kind(text[start : match.start()]))
        elif piece == "}" and kinds:
            kinds.pop()
        if piece in {"{", "}", "\n", ";"}:
            start = match.end()
        inside = match.end() == len(text) and piece not in {"{", "}", "\n", ";"} and not _closed(piece)
    word = WORD.search(row)
    typed = word.group() if word else ""
    before = text[start:][: len(text) - start - len(typed)]
    value = VALUE.search(before)
    return Context(tuple(kinds), typed, before, value[1].strip('"') if value else "", inside)


def _closed(piece: str) -> bool:
    return len(piece) > 1 and piece.startswith('"') and piece.endswith('"') and piece not in {'""', '"""'}


def _kind(head: str) -> str:
    called = CALLED.search(head)
    match = HEAD.match(head)
    return called[1] if called else match[1] if match else ""
