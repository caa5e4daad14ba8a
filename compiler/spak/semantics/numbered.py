"""Numbered statements: `1. step build { ... }`, `2. tool.run { ... }`, `3. "Sign it"`. Knows numbers, not what follows them."""

from __future__ import annotations

import re
from dataclasses import replace

from spak.lang import tree
from spak.lang.printer import print_value

NUMBER = re.compile(r"\d+[.)]\Z")


def is_numbered(item: tree.Item) -> bool:
    return isinstance(item, tree.Block) and NUMBER.match(item.kind) is not None


def plain(item: tree.Item) -> tree.Item:
    """A statement without its number. Words that are no statement stay as they are: they are for a person to read."""
    if not isinstance(item, tree.Block) or not is_numbered(item):
        return item
    span, words = item.span, item.words
    if item.name is None:
        return tree.Bare(words[0], span=span) if len(words) == 1 else item
    if item.quoted:
        return item
    if item.name == "emit" and len(words) == 1:
        return tree.Emit(words[0], item.body, span=span, body_span=item.body_span)
    if item.name == "return" and len(words) <= 1:
        return tree.Return(words[0] if words else None, span=span)
    if item.name in {"break", "continue"} and not words:
        return tree.Jump(item.name, span=span)
    if item.name == "if" and len(words) == 1 and item.body is not None:
        return tree.If(words[0], item.body, span=span, then_span=item.body_span)
    bare = not words and item.params is None and item.body is None and item.emits is None and item.result is None
    if bare and item.default is not None and item.annotation is None:
        return tree.Attr(item.name, item.default, "=", span=span, key_span=item.name_span)
    if bare and item.annotation is not None and item.default is None:
        return tree.Attr(item.name, item.annotation, span=span, key_span=item.name_span)
    name, quoted, place = None, False, tree.NOWHERE
    if words and item.params is None and isinstance(words[0], tree.Name | tree.Str | tree.Num):
        first, words = words[0], words[1:]
        quoted, place = isinstance(first, tree.Str), first.span
        name = first.value if isinstance(first, tree.Str) else print_value(first)
    made = replace(item, kind=item.name, name=name, quoted=quoted, words=words, name_span=place)
    return item if prose(made) else made


def as_step(item: tree.Item) -> tree.Item:
    """A numbered statement of a procedure as a step of its own; what is no statement is for a person to do."""
    if not isinstance(item, tree.Block) or not is_numbered(item):
        return item
    inner = plain(item)
    if isinstance(inner, tree.Block) and inner.kind == "step":
        return inner
    if is_numbered(inner):
        said = [part for part in (item.name or "", " ".join(print_value(word) for word in item.words)) if part]
        title, note = " ".join(said), None if item.body is not None else tree.Str(" ".join(said), span=item.span)
        named = item.body is not None and not item.words and not item.quoted
        return tree.Block(
            "step", title, not named, annotation=note, body=item.body, span=item.span, name_span=item.name_span,
            body_span=item.body_span,
        )  # fmt: skip
    return tree.Block("step", body=(inner,), span=item.span)


def prose(block: tree.Block) -> bool:
    """Words, and perhaps a body, that are neither a call nor an assignment."""
    acts = "." in block.kind or block.kind in {"step", "loop", "let", "var", "set", "const"}
    return not acts and block.annotation is None and block.default is None and block.params is None
