"""A spec file taken apart: front matter, prose and statements, with places in the file. Knows no kinds.

Front matter and prose are blanked rather than cut, so that every statement keeps its line and column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.source import Source, read_source
from spak.lang.syntax import parse_text, split_front
from spak.semantics.yamlfile import Yaml, read_yaml

LOOKS_LIKE_CODE = re.compile(r"\A\s*(?://[^\n]*\n\s*)*\w+(?: +[\w\"]+)?\s*\{")


@dataclass(frozen=True)
class Document:
    source: Source
    meta: dict[str, Yaml]
    meta_keys: dict[str, Span]
    items: tuple[tree.Item, ...] = ()
    prose: str = ""
    summary: str = ""
    comments: tuple[tree.Comment, ...] = field(default=(), repr=False)
    readable: bool = True  # whether nothing in the file was a syntax error, so that what is missing is really missing

    @property
    def file(self) -> str:
        return self.source.name


def read_document(root: Path, name: str, found: Collector) -> Document | None:
    """Read and parse `root/name` (`.md` or `.dsl`). None when there is no usable text; every error is in `found`."""
    source = read_source(root, name, found)
    if source is None:
        return None
    before = len(found.errors)
    document = split(source, found)
    return replace(document, readable=len(found.errors) == before)


def split(source: Source, found: Collector) -> Document:
    """Take a text apart."""
    text, meta = source.text, None
    front, text = split_front(text)
    if front:
        meta = read_yaml(front, source.name, found, first_line=2)
        if meta is not None and not isinstance(meta.value, dict):
            found.add("SPK205", "front matter must be `key: value` lines", meta.span, "for example `name: matmul`")
            meta = None
    elif text.startswith("---\n"):
        found.add("SPK220", "the front matter is never closed", Span(source.name, 1, 1), "end it with a line `---`")
    values, keys = (meta.value, meta.keys) if meta is not None else ({}, {})
    if source.name.endswith(".md") and not LOOKS_LIKE_CODE.match(text):
        return markdown(source, text, values, keys, found)
    file = parse_text(text, source.name, found)
    return Document(source, values, keys, file.items, comments=file.comments)


def markdown(source: Source, text: str, meta: dict[str, Yaml], keys: dict[str, Span], found: Collector) -> Document:
    """A Markdown document: each fence is parsed by itself, so that an error in one hides none in the next."""
    from spak.semantics.markdown import read_markdown

    prose = read_markdown(text)
    items: list[tree.Item] = []
    comments: list[tree.Comment] = []
    lines = text.split("\n")
    for fence in prose.fences:
        if not fence.closed:
            found.add(
                "SPK220",
                "this spak block is never closed",
                Span(source.name, fence.first, 1),
                "end it with a line of three backticks",
            )
        shown = [""] * fence.first
        for offset, content in enumerate(fence.lines):
            line = lines[fence.first + offset] if fence.first + offset < len(lines) else ""
            shown.append(" " * (len(line) - len(content)) + content if line.endswith(content) else content)
        file = parse_text("\n".join(shown), source.name, found)
        items += file.items
        comments += file.comments
    if not prose.fences:
        found.add(
            "SPK220",
            "there is no spak block in this file",
            Span(source.name, 1, 1),
            "put the kernel between ```spak and ```",
        )
    return Document(source, meta, keys, tuple(items), prose.text, prose.summary, tuple(comments))
