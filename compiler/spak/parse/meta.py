"""Identity of a unit: front matter and `meta` blocks. Knows editions and names, not kernels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from spak.errors import Collector, Span
from spak.lang import tree
from spak.semantics.document import Document
from spak.semantics.reader import NOT_LITERAL, literal, twice
from spak.semantics.suggest import near
from spak.semantics.yamlfile import Yaml

EDITIONS = (1,)

#: Keys with a meaning, and keys that are information for people only.
KEYS = ("name", "edition", "version", "license", "family", "summary")
INFORMATION = (
    "title",
    "description",
    "authors",
    "author",
    "source",
    "tags",
    "status",
    "date",
    "extraction-date",
    "domain",
    "purpose",
    "homepage",
)
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass
class Meta:
    name: str = ""
    name_span: Span | None = None
    edition: int = 0
    version: int = 0
    license: str = ""
    family: str = ""
    summary: str = ""
    places: dict[str, Span] = field(default_factory=dict)


def read_meta(document: Document, found: Collector) -> Meta:
    """Merge front matter and meta blocks. Missing and unknown keys, and an unknown edition, are errors."""
    values, keys = merged(document, found)
    for key, span in keys.items():
        if key not in KEYS and key not in INFORMATION:
            found.add("SPK201", f"front matter has no key {key!r}", span, near(key, (*KEYS, *INFORMATION), "keys"))
    start = Span(document.file, 1, 1)
    folder = document.file.split("/")[-2] if "/" in document.file else "matmul"
    misspelt = {word for key in keys if key not in KEYS for word in get_close_matches(key, KEYS, 1)}
    for key, example in (("name", folder), ("edition", EDITIONS[-1]), ("version", 1)):
        if key not in values and key not in misspelt and document.readable:
            found.add(
                "SPK206", f"the spec does not say its {key}", start, f"add `{key}: {example}` to the front matter"
            )
    meta = Meta(
        name=text(values, "name", found),
        name_span=keys.get("name"),
        edition=whole(values, "edition", found),
        version=whole(values, "version", found),
        license=text(values, "license", found),
        family=text(values, "family", found),
        summary=" ".join(text(values, "summary", found).split()),
        places={f"/{key}": span for key, span in keys.items() if key in KEYS},
    )
    for key, word in (("name", meta.name), ("family", meta.family)):
        if word and not IDENTIFIER.match(word):
            found.add(
                "SPK221",
                f"a unit's {key} cannot be {word!r}",
                values[key].span,
                "use small letters, digits and `_`: it names files and a Python module",
            )
    if meta.edition and meta.edition not in EDITIONS:
        known = ", ".join(map(str, EDITIONS))
        found.add(
            "SPK207",
            f"edition {meta.edition} is not known",
            values["edition"].span,
            f"known editions: {known}; a newer one needs a newer spak",
        )
    if "version" in values and isinstance(values["version"].value, int) and meta.version < 1:
        found.add("SPK205", "a version is at least 1", values["version"].span, "versions count up from 1")
    return meta


def merged(document: Document, found: Collector) -> tuple[dict[str, Yaml], dict[str, Span]]:
    values, keys = dict(document.meta), dict(document.meta_keys)
    for block in document.items:
        if not isinstance(block, tree.Block) or block.kind != "meta":
            continue
        for item in block.body if isinstance(block.body, tuple) else ():
            value: Any = literal(item.value) if isinstance(item, tree.Attr) else NOT_LITERAL
            if not isinstance(item, tree.Attr) or value is NOT_LITERAL:
                found.add("SPK205", "meta holds `key = value` lines", item.span, 'for example `name = "matmul"`')
            elif item.key in keys:
                twice(item.key, item.key_span, keys[item.key], found)
            else:
                values[item.key], keys[item.key] = Yaml(value, item.value.span), item.key_span
    return values, keys


def text(values: dict[str, Yaml], key: str, found: Collector) -> str:
    entry = values.get(key)
    if entry is None or entry.value is None:
        return ""
    if not isinstance(entry.value, str):
        found.add("SPK205", f"{key} must be text", entry.span, "quote it")
        return ""
    return entry.value


def whole(values: dict[str, Yaml], key: str, found: Collector) -> int:
    entry = values.get(key)
    if entry is None:
        return 0
    if not isinstance(entry.value, int) or isinstance(entry.value, bool):
        found.add("SPK205", f"{key} must be a whole number", entry.span, f"write `{key}: 1`")
        return 0
    return entry.value
