"""Older spellings of specs to today's: an older edition, and the dialects that the language grew from. Knows spellings only.

A migration is a list of small edits of the text, so that layout and comments stay; what comes out is parsed again, and must be
what the edits alone make of the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.source import Source, decode
from spak.parse.format import left_alone
from spak.semantics.document import split

#: Blocks whose attributes are written with a colon.
COLONS = frozenset({"meta", "contract", "autonomy", "infrastructure"})
RENAMED = {
    "llm.query": {"prompt_template": "prompt"},
    "measure": {"command": "cmd"},
    "tool.run": {"command": "cmd"},
    "engineering_loop": {"strategy": "search"},
}
CONDITIONS = {"rule": "when", "hint": "trigger"}
WORDS = frozenset({"true", "false", "not", "and", "or", "in"})
NAME = re.compile(r"[A-Za-z_]\w*\Z")


@dataclass(frozen=True)
class Edit:
    """Text from a place to a place (lines and columns count from 1) to be replaced."""

    span: Span
    text: str
    why: str


def migrate_bytes(data: bytes, name: str) -> tuple[bytes, list[Edit]]:
    """The file in today's spelling, and what was changed. Raises SpakError where it cannot be read."""
    found = Collector()
    source = decode(data, name, found)
    found.raise_if_any()
    assert source is not None
    text, edits = migrate_text(source.text, name)
    if not edits:
        return data, edits
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return mark + (text.replace("\n", "\r\n") if b"\r\n" in data else text).encode(), edits


def migrate_text(text: str, name: str) -> tuple[str, list[Edit]]:
    """As `migrate_bytes`, for a text in memory."""
    found = Collector()
    document = split(Source(name, text), found)
    found.raise_if_any()
    edits = [*_edition(document.meta, text), *(edit for item in document.items for edit in _edits(item, Where()))]
    if not edits:
        return text, []
    changed = apply(text, edits)
    again = split(Source(name, changed), found)
    wanted = tuple(_new(item, Where()) for item in document.items)
    if found.errors or again.items != wanted or len(again.comments) != len(document.comments):
        raise left_alone(name)
    return changed, edits


def apply(text: str, edits: list[Edit]) -> str:
    """The text with all edits made. They must not overlap."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda e: (e.span.line, e.span.col), reverse=True):
        line = lines[edit.span.line - 1]
        lines[edit.span.line - 1] = line[: edit.span.col - 1] + edit.text + line[edit.span.end_col - 1 :]
    return "\n".join(lines)


# ---- what is older, as edits of the text ----


@dataclass(frozen=True)
class Where:
    """The block that a statement stands in: its kind, and the keys that it has already."""

    kind: str = ""
    keys: frozenset[str] = frozenset()


def _edition(meta: dict[str, Any], text: str) -> Iterator[Edit]:
    from spak.parse.meta import EDITIONS

    edition = meta.get("edition")
    if edition is None or not isinstance(edition.value, int) or edition.value not in range(1, EDITIONS[-1]):
        return
    span, number = edition.span, str(edition.value)
    at = text.split("\n")[span.line - 1].find(number, span.col - 1)
    place = Span(span.file, span.line, at + 1, span.line, at + 1 + len(number))
    yield Edit(place, str(EDITIONS[-1]), f"edition {number} is edition {EDITIONS[-1]}")


def _edits(item: tree.Item, where: Where) -> Iterator[Edit]:
    """What is to be changed in a statement and inside it."""
    if isinstance(item, tree.Attr):
        yield from _attribute(item, where)
    for body in _bodies(item):
        inner = _inside(item, body, where)
        for child in body:
            yield from _edits(child, inner)


def _attribute(attr: tree.Attr, where: Where) -> Iterator[Edit]:
    key, op, name = _today(attr, where)
    if key != attr.key:
        yield Edit(attr.key_span, key, f"`{attr.key}` is called `{key}`")
    if op != attr.op:
        span = Span(attr.span.file, attr.key_span.line, attr.key_span.end_col, attr.key_span.line, attr.value.span.col)
        yield Edit(span, ": ", f"attributes of `{where.kind}` have a colon")
    if name is not None:
        yield Edit(attr.value.span, name, f"the fact {name} is a name")


def _today(attr: tree.Attr, where: Where) -> tuple[str, str, str | None]:
    """How an attribute is written today: its key, its sign, and the name that its text is, if it is one."""
    key = RENAMED.get(where.kind, {}).get(attr.key, attr.key)
    if attr.quoted or key in where.keys:
        key = attr.key
    one_line = attr.key_span.line == attr.value.span.line == attr.key_span.end_line
    op = ":" if attr.op == "=" and where.kind in COLONS and one_line and not _computed(attr) else attr.op
    value, name = attr.value, None
    if CONDITIONS.get(where.kind) == attr.key and isinstance(value, tree.Str) and not value.long:
        name = value.value if NAME.match(value.value) and value.value not in WORDS else None
    return key, op, name


def _computed(attr: tree.Attr) -> bool:
    """`n += 1`, which is read as `n = n + 1`: there is no `=` between the key and the value's place."""
    return isinstance(attr.value, tree.Binary) and attr.value.span.col <= attr.key_span.col


def _inside(item: tree.Item, body: tuple[tree.Item, ...], where: Where) -> Where:
    keys = frozenset(child.key for child in body if isinstance(child, tree.Attr))
    if not isinstance(item, tree.Block):
        return replace(where, keys=keys)
    called = next((v.id for v in (item.annotation, item.default) if isinstance(v, tree.Name)), "")
    return Where(called if called in RENAMED else item.kind, keys)  # `step a: llm.query {`, `x = llm.query {`


def _bodies(item: tree.Item) -> Iterator[tuple[tree.Item, ...]]:
    if isinstance(item, tree.Block | tree.Emit) and isinstance(item.body, tuple):
        yield item.body
    if isinstance(item, tree.If):
        for body in (item.then, item.otherwise):
            if isinstance(body, tuple):
                yield body


# ---- the same, as a change of the tree: what the edited text must parse to ----


def _new(item: tree.Item, where: Where) -> tree.Item:
    def each(body: Any) -> Any:
        if not isinstance(body, tuple):
            return body
        inner = _inside(item, body, where)
        return tuple(_new(child, inner) for child in body)

    if isinstance(item, tree.Attr):
        key, op, name = _today(item, where)
        return replace(item, key=key, op=op, value=tree.Name(name) if name is not None else item.value)
    if isinstance(item, tree.If):
        return replace(item, then=each(item.then), otherwise=each(item.otherwise))
    if isinstance(item, tree.Block | tree.Emit):
        return replace(item, body=each(item.body))
    return item
