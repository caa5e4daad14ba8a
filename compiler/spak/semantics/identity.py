"""What a program says of itself: front matter and `meta` blocks. Knows keys and editions, not programs."""

from __future__ import annotations

from typing import Any

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.document import Document
from spak.semantics.outline import words
from spak.semantics.reader import NOT_LITERAL, twice
from spak.semantics.suggest import near
from spak.semantics.values import constant

EDITIONS = (1,)
KEYS = ("name", "edition", "version", "license", "family", "summary", "title", "description")


def identity(document: Document, found: Collector) -> dict[str, Any]:
    """The meta data of a file, as plain values. Keys are free, but for those that are nearly known."""
    values = {key: value.plain() for key, value in document.meta.items()}
    places = dict(document.meta_keys)
    for block in document.items:
        if not isinstance(block, tree.Block) or block.kind != "meta":
            continue
        for item in block.body if isinstance(block.body, tuple) else ():
            if not isinstance(item, tree.Attr):
                found.add("SPK205", "meta holds `key = value` lines", item.span, 'for example `name = "matmul"`')
            elif item.key in places:
                twice(item.key, item.key_span, places[item.key], found)
            else:
                value = constant(item.value)
                values[item.key] = words(item.value) if value is NOT_LITERAL else value
                places[item.key] = item.key_span
    if any(isinstance(block, tree.Block) and block.kind == "kernel" for block in document.items):
        return values  # a unit's identity is read with the unit
    for key, place in places.items():
        hint = near(key, KEYS)
        if key not in KEYS and key.lower() not in KEYS and hint.startswith("did you mean") and len(key) > 4:
            found.add("SPK201", f"meta has no key {key!r}", place, hint)
    edition = values.get("edition")
    if edition is not None and edition not in EDITIONS:
        known = ", ".join(map(str, EDITIONS))
        found.add(
            "SPK207",
            f"edition {edition} is not known",
            places["edition"],
            f"known editions: {known}; a newer one needs a newer spak",
        )
    return values
