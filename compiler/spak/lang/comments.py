"""The comments of a text on their way to a new layout, in order. Knows where they stood, not what they stand beside."""

from __future__ import annotations

import textwrap
from bisect import bisect_left
from collections.abc import Sequence

from spak.errors import Span
from spak.lang.tree import Comment

INDENT = "  "
Place = tuple[int, int]


def start(span: Span) -> Place:
    return span.line, span.col


def end(span: Span) -> Place:
    return span.end_line, span.end_col


class Comments:
    """A queue: what has been taken is printed, and order never changes."""

    def __init__(self, comments: Sequence[Comment]) -> None:
        self.all = sorted(comments, key=lambda comment: start(comment.span))
        self.places = [start(comment.span) for comment in self.all]
        self.next = 0

    def take(self, before: Place | None) -> list[Comment]:
        """The comments that begin before a place, or all that are left."""
        stop = len(self.all) if before is None else bisect_left(self.places, before, self.next)
        taken, self.next = self.all[self.next : stop], max(stop, self.next)
        return taken

    def inside(self, first: Place, last: Place) -> bool:
        """Whether a comment that is still here begins between two places."""
        if self.next == len(self.all) or not first[0]:
            return False
        return bisect_left(self.places, first, self.next) < bisect_left(self.places, last, self.next)

    def behind(self, place: Place, following: Place | None) -> str:
        """The next comment, if it is one line, on the line of a place and behind it, and before what follows."""
        if self.next == len(self.all) or not place[0]:
            return ""
        comment, at = self.all[self.next], self.places[self.next]
        if "\n" in comment.text or at[0] != place[0] or at < place or (following is not None and at >= following):
            return ""
        self.next += 1
        return "  " + comment.text.strip()

    def opening(self, span: Span, first: Place) -> str:
        """The next comment, if it stands behind an opening bracket and before the first thing inside."""
        if self.next == len(self.all) or not span.line:
            return ""
        comment, at = self.all[self.next], self.places[self.next]
        if comment.alone or "\n" in comment.text or at >= first:
            return ""
        self.next += 1
        return "  " + comment.text.strip()

    def heading(self, before: Place) -> str:
        """The next comment, if it may stand behind a colon that a text follows on the next lines."""
        if self.next == len(self.all) or self.places[self.next] >= before:
            return ""
        comment = self.all[self.next]
        if comment.alone or not comment.text.startswith(("//", "#")):
            return ""
        self.next += 1
        return "  " + comment.text.strip()


def lines(comment: Comment, depth: int) -> list[str]:
    """A comment on lines of its own. The lines of a long one keep their places to each other."""
    pad = INDENT * depth
    first, *rest = comment.text.expandtabs(4).split("\n")
    shown = [pad + first.strip()]
    if not rest:
        return shown
    closing = rest.pop() if rest[-1].strip() == "*/" else None
    starred = all(line.lstrip().startswith("*") for line in rest if line.strip())
    inner = textwrap.dedent("\n".join(rest)).split("\n") if rest else []
    lead = " " if starred else "   "
    shown += [(pad + lead + line).rstrip() for line in inner]
    return shown if closing is None else [*shown, pad + (" " if starred else "") + "*/"]
