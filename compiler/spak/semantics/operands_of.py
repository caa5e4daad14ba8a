"""Written values to operands: text with holes, lists, maps and expressions. Knows which names are defined at its place."""

from __future__ import annotations

import re

from spak.errors import Collector, SpakError, Span
from spak.lang import tree
from spak.lang.expr import Expr, as_expr, parse_expr, walk
from spak.semantics.holes import template
from spak.semantics.infer import infer
from spak.semantics.program import Fields, Items, Operand, Template
from spak.semantics.reader import inside
from spak.semantics.scope import Scope
from spak.semantics.types import STRING, Type

STATE_HOLE = re.compile(r"\{\{\s*state\.")


class Operands:
    """Reads values under a scope; every name is checked where it stands."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.found: Collector = scope.world.found

    def read(self, value: tree.Value) -> tuple[Operand, Type] | None:
        """An operand and its type; None after an error."""
        if isinstance(value, tree.Str | tree.Verbatim):
            return self.text(value), STRING
        if isinstance(value, tree.ListLit):
            return self.items(value)
        if isinstance(value, tree.MapLit):
            return self.fields(value.items, value.span)
        if isinstance(value, tree.Seq):
            self.found.add("SPK205", "several words where one value is needed", value.span, "put text in double quotes")
            return None
        expr = self.expr(value)
        return None if expr is None else (expr[0], expr[1])

    def text(self, value: tree.Str | tree.Verbatim) -> Template:
        """A text; each name in its holes is checked."""
        raw = value.text if isinstance(value, tree.Verbatim) else dedent(value)
        if "{{" in raw and "state" not in self.scope.known():
            raw = STATE_HOLE.sub("{{", raw)
        made = template(raw, value.span, self.found)
        for name in dict.fromkeys(made.names):
            self.scope.hole(name, place(name, value))
        return made

    def items(self, value: tree.ListLit) -> tuple[Operand, Type] | None:
        read = [self.read(item) for item in value.items]
        done = [one for one in read if one is not None]
        if len(done) < len(read):
            return None
        types = tuple(dict.fromkeys(type.kind for _, type in done))
        inner = (done[0][1],) if len(types) == 1 else ()
        return Items(tuple(operand for operand, _ in done), span=value.span), Type("list", args=inner)

    def fields(self, items: tuple[tree.Item, ...], span: Span) -> tuple[Fields, Type] | None:
        """`{ key: value }`; a key stands once."""
        fields: dict[str, Operand] = {}
        good = True
        for item in items:
            if not isinstance(item, tree.Attr):
                self.found.add("SPK205", "a map holds `key: value`", item.span, "for example `{ M: 64, N: 64 }`")
                good = False
                continue
            if item.key in fields:
                self.found.add("SPK202", f"{item.key!r} stands twice", item.key_span, "keep one")
            read = self.read(item.value)
            good = good and read is not None
            if read is not None:
                fields[item.key] = read[0]
        return (Fields(tuple(fields.items()), span=span), Type("map")) if good else None

    def expr(self, value: tree.Value) -> tuple[Expr, Type] | None:
        """An expression and its type; None after an error."""
        before = len(self.found.errors)
        expr = as_expr(value, self.found, statements=True)
        if expr is None:
            return None
        if any(isinstance(node, tree.Name) and node.id.startswith("state.") for node in walk(expr)):
            expr = self.plain(expr)
        for node in walk(expr):
            if isinstance(node, tree.Str) and "{{" in node.value and template(node.value, node.span, Collector()).names:
                hint = "join texts with `+`, or assign the filled text to a variable first"
                self.found.add("SPK246", "holes are not filled inside an expression", node.span, hint)
        type = infer(expr, self.scope.type_of, self.found)
        return (expr, type) if len(self.found.errors) == before else None

    def plain(self, expr: Expr) -> Expr:
        """`state.best` is `best`."""
        from spak.semantics.filling import filled

        if "state" in self.scope.known():
            return expr
        states = self.scope.world.states
        return filled(expr, {f"state.{name}": tree.Name(name) for name in states})

    def condition(self, value: tree.Value) -> Expr | None:
        """An expression that is true or false, bare or in quotes."""
        if isinstance(value, tree.Str):
            try:
                inner: tree.Value = parse_expr(value.value, inside(value), statements=True)
            except SpakError as error:
                self.found.found.extend(error.diagnostics)
                return None
            return self.truth(moved(inner, value))
        return self.truth(value)

    def truth(self, value: tree.Value) -> Expr | None:
        read = self.expr(value)
        if read is None:
            return None
        from spak.semantics.infer import NAMES, family, shown

        kind = family(read[1])
        if kind not in {"boolean", ""}:
            what = f"{shown(read[0])} is {NAMES[kind]}, where a condition is needed"
            self.found.add("SPK235", what, value.span, "compare it with something, as in `x >= 1`")
            return None
        return read[0]


def moved(expr: tree.Value, text: tree.Str) -> tree.Value:
    """An expression that was read out of a text, with each part placed in the file."""
    from dataclasses import fields, replace

    base = inside(text)

    def shift(node: tree.Value) -> tree.Value:
        span = node.span
        new = base
        if span.line == 1 and base != text.span:
            new = Span(base.file, base.line, base.col + span.col - 1, base.line, base.col + span.end_col - 1)
        changes: dict[str, object] = {"span": new}
        for one in fields(node):
            part = getattr(node, one.name)
            if isinstance(part, tree.Node):
                changes[one.name] = shift(part)  # type: ignore[arg-type]
            elif isinstance(part, tuple):
                changes[one.name] = tuple(shift(x) if isinstance(x, tree.Node) else x for x in part)  # type: ignore[arg-type]
        return replace(node, **changes)  # type: ignore[arg-type]

    return shift(expr)


def dedent(value: tree.Str) -> str:
    """A long text without its indentation and blank edges; a short one as it is."""
    if not value.long:
        return value.value
    import textwrap

    return textwrap.dedent(value.value).strip("\n").rstrip(" ")


def place(name: str, value: tree.Str | tree.Verbatim) -> Span:
    """Where a hole stands, if the text is in the file as it is."""
    span = value.span
    if isinstance(value, tree.Verbatim):
        return span
    raw = value.value
    at = raw.find("{{" + name)
    if at < 0:
        at = next(
            (i for i in range(len(raw)) if raw.startswith("{{", i) and raw[i + 2 :].lstrip().startswith(name)), -1
        )
    if at < 0 or (not value.long and inside(value) == span):
        return span
    before = raw[:at]
    line = before.count("\n")
    col = at - before.rfind("\n") if line else span.col + (3 if value.long else 1) + at
    return Span(span.file, span.line + line, col, span.line + line, col + len(name) + 4)


def variable(key: str) -> str:
    """The variable that a key names: states may be written `state.x`."""
    return key.removeprefix("state.")
