"""Checked reading of attributes: which keys a block may have, and of what type. Knows types, not kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.expr import Expr, as_expr, check_types, names, parse_expr
from spak.semantics.suggest import near

REFERENCE = "docs/language.md shows what may stand here"


@dataclass
class Body:
    """A block's statements, sorted into attributes and inner blocks."""

    where: str  # "kernel matmul", for messages
    span: Span
    attributes: dict[str, list[tree.Attr]] = field(default_factory=dict)
    blocks: dict[str, list[tree.Block]] = field(default_factory=dict)

    def value(self, key: str) -> tree.Value | None:
        """The value of an attribute that may stand once."""
        found = self.attributes.get(key)
        return found[0].value if found else None


def read_body(
    items: Sequence[tree.Item],
    where: str,
    span: Span,
    known: Iterable[str],
    found: Collector,
    *,
    repeatable: Iterable[str] = (),
    blocks: Iterable[str] = (),
    free: bool = False,
) -> Body:
    """Sort statements; unknown keys and kinds, and keys that stand twice, are errors. `free` admits any key."""
    body = Body(where, span)
    keys, kinds, many = set(known), set(blocks), set(repeatable)
    for item in items:
        if isinstance(item, tree.Attr):
            if not free and item.key not in keys:
                what = (
                    f"{item.key!r} is a block: write `{item.key} {{ ... }}`"
                    if item.key in kinds
                    else near(item.key, keys | kinds, "attributes")
                )
                found.add("SPK201", f"{where} has no attribute {item.key!r}", item.key_span, what)
                continue
            first = body.attributes.get(item.key)
            if first and item.key not in many:
                twice(item.key, item.key_span, first[0].key_span, found)
                continue
            body.attributes.setdefault(item.key, []).append(item)
        elif isinstance(item, tree.Block) and item.kind in kinds:
            body.blocks.setdefault(item.kind, []).append(item)
        elif isinstance(item, tree.Block) and item.kind in keys:
            found.add("SPK205", f"{item.kind!r} is an attribute", item.span, f"write `{item.kind}: value`")
        elif isinstance(item, tree.Block):
            hint = near(item.kind, keys | kinds, "it may have") or REFERENCE
            found.add("SPK201", f"{where} has no {item.kind!r}", item.span, hint)
        else:
            found.add("SPK201", f"this statement has no place in {where}", item.span, "write `key: value`")
    return body


def twice(key: str, place: Span, first: Span, found: Collector) -> None:
    """Report what may stand once, at its second place."""
    found.add("SPK202", f"{key!r} stands twice", place, f"the first is at line {first.line}; keep one")


def unknown(item: tree.Item, where: str, known: Iterable[str], found: Collector, what: str = "it may have") -> None:
    """Report a statement that has no place in a block, by its key or kind."""
    key = item.key if isinstance(item, tree.Attr) else item.kind if isinstance(item, tree.Block) else ""
    place = item.key_span if isinstance(item, tree.Attr) else item.span
    words = set(known)
    if key in words:
        how = "with a body" if isinstance(item, tree.Block) and item.body is not None else "like this"
        found.add(
            "SPK231",
            f"{key!r} cannot be written {how} in {where}",
            place,
            f"write `{key}: value`, one statement a line",
        )
    elif key:
        found.add("SPK201", f"{where} has no {key!r}", place, near(key, words, what) or REFERENCE)
    else:
        found.add("SPK231", f"this statement has no place in {where}", place, "write `key: value`")


@dataclass(frozen=True)
class Scope:
    """The names an expression may use, each a `number`, `truth` or `text` ('' for any)."""

    kinds: Mapping[str, str]
    what: str = "names"

    def plus(self, kinds: Mapping[str, str]) -> Scope:
        return Scope({**self.kinds, **kinds}, self.what)


def read_expr(value: tree.Value, scope: Scope, wanted: str, found: Collector) -> Expr | None:
    """An expression, bare or in quotes (where `//` divides). Names and types are checked. None after an error."""
    before = len(found.errors)
    expr: Expr | None
    if isinstance(value, tree.Str):
        try:
            expr = parse_expr(value.value, inside(value))
        except SpakError as error:
            found.found.extend(error.diagnostics)
            return None
    else:
        expr = as_expr(value, found)
    if expr is None:
        return None
    for name in sorted(names(expr) - set(scope.kinds)):
        found.add(
            "SPK204",
            f"{name!r} is not defined here",
            place(expr, name, value),
            near(name, scope.kinds, scope.what) or REFERENCE,
        )
    if len(found.errors) == before:
        mark = len(found.found)
        check_types(expr, scope.kinds, wanted, found)
        if isinstance(value, tree.Str):
            found.found[mark:] = [Diagnostic(d.code, d.message, value.span, d.hint) for d in found.found[mark:]]
    return expr if len(found.errors) == before else None


def inside(value: tree.Str) -> Span:
    """Where a string's text begins, if its characters are in the file as they are."""
    span = value.span
    shift = 3 if value.long else 1
    if value.long or span.end_col - span.col != len(value.value) + 2:
        return span
    return Span(span.file, span.line, span.col + shift, span.end_line, span.end_col - shift)


def place(expr: Expr, name: str, value: tree.Value) -> Span:
    """Where a name stands in an expression."""
    from spak.lang.expr import walk

    for node in walk(expr):
        if isinstance(node, tree.Name) and node.id == name:
            if not isinstance(value, tree.Str):
                return node.span
            base = inside(value)
            return (
                Span(base.file, base.line, base.col + node.span.col - 1)
                if node.span.line == 1 and base != value.span
                else value.span
            )
    return value.span


def read_text(value: tree.Value | None, found: Collector, default: str = "") -> str:
    """Text in quotes, a name, or verbatim lines."""
    if value is None:
        return default
    if isinstance(value, tree.Str):
        return value.value
    if isinstance(value, tree.Name):
        return value.id
    if isinstance(value, tree.Verbatim):
        return value.text
    found.add("SPK205", "text is needed here", value.span, "put it in double quotes")
    return default


def read_bool(value: tree.Value | None, found: Collector, default: bool) -> bool:
    if value is None:
        return default
    if isinstance(value, tree.Num) and isinstance(value.value, bool):
        return value.value
    found.add("SPK205", "this must be true or false", value.span, "write `true` or `false`")
    return default


def read_int(value: tree.Value | None, found: Collector, default: int, least: int, most: int) -> int:
    if value is None:
        return default
    number = literal(value)
    if isinstance(number, int) and not isinstance(number, bool) and least <= number <= most:
        return number
    found.add("SPK205", f"this must be a whole number from {least} to {most}", value.span, f"the default is {default}")
    return default


def read_number(value: tree.Value, found: Collector, what: str, *, positive: bool) -> float | None:
    number = literal(value)
    if isinstance(number, int | float) and not isinstance(number, bool) and (number > 0 if positive else number >= 0):
        return float(number)
    found.add(
        "SPK205",
        f"{what} must be a {'positive' if positive else 'non-negative'} number",
        value.span,
        "for example 1e-5",
    )
    return None


def read_words(value: tree.Value | None, found: Collector) -> tuple[tuple[str, Span], ...]:
    """A list of names or strings, or one of them alone."""
    if value is None:
        return ()
    items = value.items if isinstance(value, tree.ListLit) else (value,)
    words = []
    for item in items:
        if isinstance(item, tree.Name):
            words.append((item.id, item.span))
        elif isinstance(item, tree.Str):
            words.append((item.value, item.span))
        else:
            found.add("SPK205", "a list of names is needed here", item.span, "for example `[a, b]`")
    for index, (word, span) in enumerate(words):
        if word in [earlier for earlier, _ in words[:index]]:
            found.add("SPK202", f"{word!r} stands twice in the list", span, "keep one")
    return tuple(words)


class _NotLiteral:
    pass


NOT_LITERAL = _NotLiteral()


def literal(value: tree.Value) -> Any:
    """A literal as Python data: numbers, text, names as text, lists and maps; else NOT_LITERAL."""
    if isinstance(value, tree.Num):
        return value.value
    if isinstance(value, tree.Str):
        return value.value
    if isinstance(value, tree.Name):
        return value.id
    if (
        isinstance(value, tree.Unary)
        and value.op == "-"
        and isinstance(value.operand, tree.Num)
        and not isinstance(value.operand.value, bool)
    ):
        return -value.operand.value
    if isinstance(value, tree.ListLit):
        items = [literal(item) for item in value.items]
        return NOT_LITERAL if NOT_LITERAL in items else items
    return NOT_LITERAL
