"""Markdown: prose in canonical form, and the fenced spak blocks where they stand. Knows nothing of either's meaning.

The canonical form keeps words and structure and drops layout: wrapping, blank lines, HTML comments, kinds of bullet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markdown_it.token import Token

LANGUAGES = frozenset({"spak", "spak-dsl"})
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SENTENCE = re.compile(r"(.+?[.!?])(?=\s|$)")


@dataclass(frozen=True)
class Fence:
    """A spak block: its lines in the file, counted from 0 and without the fences, and each line's text."""

    first: int
    lines: tuple[str, ...]
    closed: bool


@dataclass(frozen=True)
class Prose:
    text: str
    summary: str
    fences: tuple[Fence, ...]


def read_markdown(text: str) -> Prose:
    """Split a Markdown text into prose and spak blocks."""
    from markdown_it import MarkdownIt

    env: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark").enable("table").parse(text, env)
    fences: list[Fence] = []
    kept: list[Token] = []
    source = text.split("\n")
    for token in tokens:
        if token.type == "fence" and token.map and token.info.split()[:1] and token.info.split()[0] in LANGUAGES:
            last = source[token.map[1] - 1].strip(" >\t") if token.map[1] - 1 > token.map[0] else ""
            fences.append(Fence(token.map[0] + 1, tuple(token.content.split("\n")[:-1]), last.startswith(token.markup)))
        else:
            kept.append(token)
    references = sorted(f"[{name.lower()}]: {target['href']}" for name, target in env.get("references", {}).items())
    blocks = [*_blocks(kept), *references]
    return Prose("\n\n".join(block for block in blocks if block), _summary(kept), tuple(fences))


def reflow(text: str) -> str:
    """A piece of prose (an intent, a rule's text) in canonical form."""
    if "\n" not in text:
        return " ".join(text.split())
    import textwrap

    lines = text.expandtabs(4).split("\n")
    body = textwrap.dedent("\n".join(lines[1:]))
    return read_markdown(lines[0].strip() + "\n" + body).text


def first_sentence(text: str) -> str:
    """The first sentence of one paragraph."""
    match = SENTENCE.match(text)
    return match[1] if match else text


def _summary(tokens: list[Token]) -> str:
    for index, token in enumerate(tokens):
        if token.type == "paragraph_open" and token.level == 0:
            words = _inline(tokens[index + 1].content)
            if words:
                return first_sentence(words)
    return ""


def _inline(content: str) -> str:
    return " ".join(COMMENT.sub(" ", content).split())


def _blocks(tokens: list[Token]) -> list[str]:
    """Top-level blocks as text; the items of a list are lines of one block."""
    blocks: list[str] = []
    lines: list[str] = []
    prefixes: list[str] = []  # one for each open list item or quotation
    marker = ""  # of an item that has had no text yet
    row: list[str] = []
    for token in tokens:
        kind = token.type
        if kind in {"list_item_open", "blockquote_open"}:
            marker = "> " if kind == "blockquote_open" else f"{token.info}. " if token.info else "- "
            prefixes.append("> " if kind == "blockquote_open" else " " * len(marker))
            continue
        if kind in {"list_item_close", "blockquote_close"}:
            prefixes.pop()
            marker = ""
        elif kind == "heading_open":
            marker = "#" * int(token.tag[1]) + " "
        elif kind == "tr_close":
            lines.append("| " + " | ".join(row) + " |")
            row = []
        elif kind == "inline" and token.level and _in_cell(tokens, token):
            row.append(_inline(token.content))
        elif kind == "inline":
            outer = "".join(prefixes[:-1] if prefixes and marker else prefixes)
            words = _inline(token.content)
            if words:
                lines.append(outer + marker + words)
            marker = ""
        elif kind in {"fence", "code_block"}:
            lines += [
                f"```{token.info.strip()}",
                *(line.rstrip() for line in token.content.rstrip("\n").split("\n")),
                "```",
            ]
        elif kind == "hr":
            lines.append("---")
        elif kind == "html_block":
            lines.append(_inline(token.content))
        if token.level == 0 and token.nesting <= 0 and lines:
            blocks.append("\n".join(line for line in lines if line))
            lines = []
    return blocks


def _in_cell(tokens: list[Token], token: Token) -> bool:
    index = next(i for i, candidate in enumerate(tokens) if candidate is token)
    return tokens[index - 1].type in {"td_open", "th_open"}
