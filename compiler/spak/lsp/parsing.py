"""Texts that are being typed, parsed again after each key. Knows what may be kept of the last parse, not what it means.

Between two versions of a text mostly one statement differs. Top-level statements that lie clear of the change are taken from the
last parse; where lines have moved, those below the change are read again, and where brackets do not match, everything is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from spak.errors import Collector, Diagnostic, Span
from spak.lang import tree
from spak.lang.source import Source
from spak.lang.syntax import parse_text, split_front
from spak.semantics.document import Document, split

UNBALANCED = frozenset({"SPK102", "SPK103", "SPK106"})


@dataclass(frozen=True)
class Parsed:
    document: Document
    found: tuple[Diagnostic, ...]


def parse(source: Source, last: Parsed | None = None) -> Parsed:
    """The document of a text, with the last one's statements where they still hold."""
    if last is not None and source.name == last.document.file and not source.name.endswith(".md"):
        kept = _again(source, last)
        if kept is not None:
            return kept
    found = Collector()
    document = split(source, found)
    return Parsed(replace(document, readable=not found.errors), tuple(found.found))


def _again(source: Source, last: Parsed) -> Parsed | None:
    """Parse only around the change. None where that would not be the same as parsing everything."""
    old, new = last.document.source.text.split("\n"), source.text.split("\n")
    if split_front(source.text)[0] or split_front(last.document.source.text)[0]:
        return None
    if any(d.code in UNBALANCED for d in last.found):
        return None
    if old == new:
        return replace(last, document=replace(last.document, source=source))
    items, comments = last.document.items, last.document.comments
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    before = sum(1 for item in items if item.span.end_line <= same) - 1
    first = items[before].span.line if before > 0 else 1  # the neighbours are read again: they may grow into the change
    if before > 0 and not _begins(items[before], items[before - 1], new[first - 1]):
        return None
    after, stop = len(items), len(new) + 1
    if len(old) == len(new):
        changed = max((n for n, (a, b) in enumerate(zip(old, new, strict=True), 1) if a != b), default=0)
        after = next((i for i, item in enumerate(items) if item.span.line > changed), len(items)) + 1
        stop = items[after].span.line if after < len(items) else stop
        if after < len(items) and not _begins(items[after], items[after - 1], new[stop - 1]):
            return None
    found = Collector()
    middle = parse_text("\n" * (first - 1) + "\n".join(new[first - 1 : stop - 1]), source.name, found)
    if any(d.code in UNBALANCED for d in found.found):
        return None
    tail = stop if stop <= len(new) else float("inf")
    kept = [d for d in last.found if d.span is not None and (d.span.line < first or d.span.line >= tail)]
    diagnostics = tuple(sorted([*kept, *found.found], key=lambda d: d.span or Span("")))
    document = replace(
        last.document,
        source=source,
        items=items[: max(before, 0)] + middle.items + items[after:],
        comments=tuple(c for c in comments if c.span.line < first)
        + middle.comments
        + tuple(c for c in comments if c.span.line >= tail),
        readable=not any(d.severity == "error" for d in diagnostics),
    )
    return Parsed(document, diagnostics)


def _begins(item: tree.Item, previous: tree.Item, line: str) -> bool:
    """Whether a statement begins a line at its left edge, with a word, on a line of its own."""
    return item.span.col == 1 and item.span.line > previous.span.end_line and (line[:1].isalpha() or line[:1] == "_")
