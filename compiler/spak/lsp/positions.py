"""Places in a text as the compiler and as an editor count them. Knows lines and units, not what stands there.

Spans count lines and characters from 1; an editor counts lines from 0, and in a line UTF-16 units unless it agreed on others.
"""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types

from spak.errors import Span


def normal(text: str) -> str:
    """Line ends as the compiler has them; the number of a line stays."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class Lines:
    """A text's lines, and the units in which the editor counts within one."""

    lines: tuple[str, ...]
    units: str = "utf-16"

    @classmethod
    def of(cls, text: str, units: str = "utf-16") -> Lines:
        return cls(tuple(text.split("\n")), units)

    def line(self, number: int) -> str:
        """A line, counted from 0; '' beyond the end."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def position(self, line: int, col: int) -> types.Position:
        """An editor's position, of a line and column that count from 1."""
        text = self.line(line - 1)[: col - 1]
        return types.Position(max(line - 1, 0), self.width(text))

    def width(self, text: str) -> int:
        if text.isascii() or self.units == "utf-32":
            return len(text)
        size = 2 if self.units == "utf-16" else 1
        return len(text.encode("utf-16-le" if size == 2 else "utf-8", "surrogatepass")) // size

    def range(self, span: Span) -> types.Range:
        """An editor's range of a span; one without an end is its line from the column on."""
        start = self.position(span.line, span.col)
        if not span.end_line:
            return types.Range(
                start, types.Position(start.line, max(self.width(self.line(start.line)), start.character))
            )
        return types.Range(start, self.position(span.end_line, span.end_col))

    def column(self, position: types.Position) -> tuple[int, int]:
        """Line and column, counted from 1, of an editor's position; one beyond a line's end is its end."""
        text = self.line(position.line)
        if text.isascii() or self.units == "utf-32":
            return position.line + 1, min(position.character, len(text)) + 1
        used = col = 0
        for char in text:
            if used >= position.character:
                break
            used += self.width(char)
            col += 1
        return position.line + 1, col + 1

    def end(self) -> types.Position:
        """The end of the text."""
        return types.Position(len(self.lines) - 1, self.width(self.lines[-1]))


def holds(span: Span, line: int, col: int) -> bool:
    """Whether a place lies in a span or at its end."""
    return (span.line, span.col) <= (line, col) <= (span.end_line, span.end_col)
