"""Grammar reductions to tree nodes, one method a rule. Knows how a head's words make up a statement, not what it means.

The methods run while lark parses, so that a deep text costs no recursion here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lark import Transformer, v_args

from spak.errors import Diagnostic, SpakError, Span
from spak.lang import tree
from spak.lang.scan import Tok

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "0": "\0"}
PLAIN = re.compile(r"\$?[^\W\d]\w*(?:\.[^\W\d]\w*)*")
WORDS = {"and": "&&", "or": "||", "not": "!"}


def join(parts: Sequence[Any]) -> Span:
    """The span from the first part that has one to the last."""
    spans = [part.span for part in parts if part is not None and part.span.line]
    if not spans:
        return tree.NOWHERE
    first, last = spans[0], spans[-1]
    return Span(first.file, first.line, first.col, last.end_line, last.end_col)


def unescape(raw: str) -> str:
    """A string's value; an escape that is none (`\\d`, `\\alpha`) stays as it is written."""

    def one(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return ESCAPES.get(match[2], match[0])

    return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", one, raw)


def number(token: Tok) -> int | float:
    try:
        value = int(token) if re.fullmatch(r"[\d_]+", token) else float(token)
    except ValueError:  # Python refuses integers of thousands of digits
        value = float("inf")
    if isinstance(value, float) and value == float("inf"):
        raise SpakError(Diagnostic("SPK105", "this number is too large", token.span, "numbers go up to about 1.8e308"))
    return value


class Head:
    """The part of a statement before its arrow and body, on its way to becoming an item."""

    def __init__(self, words: list[Any], key: Tok | None, op: str, value: Any = None, default: Any = None) -> None:
        self.words = words
        self.key = key
        self.op = op
        self.value = value
        self.default = default
        self.span = join([*words, key, value, default])


@v_args(inline=True)
class Build(Transformer[Tok, Any]):
    """See lark.Transformer. Tokens in children are the terminals that grammar.lark keeps."""

    # ---- values ----

    def name(self, token: Tok) -> tree.Value:
        if token in {"true", "false"}:
            return tree.Num(token == "true", span=token.span)
        return tree.Name(str(token), span=token.span)

    def number(self, token: Tok) -> tree.Num:
        return tree.Num(number(token), str(token), span=token.span)

    def string(self, token: Tok) -> tree.Str:
        return tree.Str(unescape(token[1:-1]), span=token.span)

    def text(self, token: Tok) -> tree.Str:
        return tree.Str(token[3:-3], True, span=token.span)

    def list(self, opening: Tok, items: tuple[tree.Value, ...], closing: Tok) -> tree.ListLit:
        return tree.ListLit(items, span=join([opening, closing]))

    def map(self, opening: Tok, items: tuple[tree.Item, ...], closing: Tok) -> tree.MapLit:
        return tree.MapLit(items, span=join([opening, closing]))

    def group(self, opening: Tok, items: tuple[tree.Value, ...], closing: Tok) -> tree.Value:
        if len(items) == 1 and not isinstance(items[0], tree.Arg | tree.Seq):
            return items[0]
        return tree.Group(items, span=join([opening, closing]))

    def call(self, target: tree.Value, _: Tok, args: tuple[tree.Value, ...], closing: Tok) -> tree.Value:
        if isinstance(target, tree.Name):
            return tree.Call(target.id, args, span=join([target, closing]))
        return tree.Apply(target, args, span=join([target, closing]))

    def index(self, target: tree.Value, _: Tok, items: tuple[tree.Value, ...], closing: Tok) -> tree.Index:
        return tree.Index(target, items, span=join([target, closing]))

    def bounds(self, *parts: Any) -> tree.Slice:
        found: list[Any] = [None]
        for part in parts:
            if isinstance(part, Tok):
                found.append(None)
            else:
                found[-1] = part
        return tree.Slice(*found, span=join(parts))

    def generic(self, name: Tok, _: Tok, items: tuple[tree.Value, ...], closing: Tok) -> tree.Generic:
        return tree.Generic(str(name), items, span=join([name, closing]))

    def member(self, target: tree.Value, _: Tok, name: Tok) -> tree.Value:
        span = join([target, name])
        if isinstance(target, tree.Name) and PLAIN.fullmatch(target.id):  # `a. b`: on one line it is one name
            return tree.Name(f"{target.id}.{name}", span=span)
        if isinstance(target, tree.Num) and isinstance(target.value, bool):
            return tree.Name(f"{str(target.value).lower()}.{name}", span=span)
        if isinstance(target, tree.Member):  # `f(x). a. b`: as `f(x).a.b` is, whose end is one name
            return tree.Member(target.target, f"{target.name}.{name}", span=span)
        return tree.Member(target, str(name), span=span)

    def optional(self, operand: tree.Value, mark: Tok) -> tree.Unary:
        return tree.Unary("?", operand, span=join([operand, mark]))

    def unary(self, op: Tok, operand: tree.Value) -> tree.Unary:
        return tree.Unary(WORDS.get(op, str(op)), operand, span=join([op, operand]))

    def perform(self, word: Tok, operand: tree.Value) -> tree.Unary:
        return tree.Unary("perform", operand, span=join([word, operand]))

    def binary(self, left: tree.Value, op: Tok, right: tree.Value) -> tree.Binary:
        return tree.Binary(WORDS.get(op, str(op)), left, right, span=join([left, right]))

    def seq(self, *items: tree.Value) -> tree.Value:
        return items[0] if len(items) == 1 else tree.Seq(items, span=join(items))

    def value(self, child: Any) -> tree.Value:
        return tree.Verbatim(str(child), span=child.span) if isinstance(child, Tok) else child

    def args(self, *children: Any) -> tuple[tree.Value, ...]:
        return tuple(child for child in children if not isinstance(child, Tok))

    def arg(self, value: tree.Value) -> tree.Value:
        return value

    def param(
        self, key: Tok, _: Tok, type_: tree.Value, __: Tok | None = None, default: tree.Value | None = None
    ) -> tree.Arg:
        return tree.Arg(key_text(key), type_, default, span=join([key, type_, default]))

    def keyword(self, key: Tok, _: Tok, value: tree.Value) -> tree.Arg:
        return tree.Arg(key_text(key), None, value, span=join([key, value]))

    # ---- statements ----

    def items(self, *children: tree.Item) -> tuple[tree.Item, ...]:
        return children

    def file(self, items: tuple[tree.Item, ...]) -> tuple[tree.Item, ...]:
        return items

    def expression(self, value: tree.Value) -> tree.Value:
        return value

    def words(self, words: tree.Value) -> Head:
        return Head(flat(words), None, "")

    def keyed(
        self, words: tree.Value | None, key: Tok, _: Tok, value: tree.Value, __: Tok | None = None, default: Any = None
    ) -> Head:
        return Head(flat(words), key, ":", value, default)

    def bound(self, words: tree.Value | None, key: Tok, _: Tok, value: tree.Value) -> Head:
        return Head(flat(words), key, "=", value)

    def typed(self, words: tree.Value, _: Tok, value: tree.Value, __: Tok | None = None, default: Any = None) -> Head:
        return Head(flat(words), None, ":", value, default)

    def assigned(self, words: tree.Value, _: Tok, value: tree.Value) -> Head:
        return Head(flat(words), None, "=", value)

    def compound(self, target: tree.Value, op: Tok, value: tree.Value) -> Head:
        """`n += 1` is `n = n + 1`."""
        sum_ = tree.Binary(op[0], target, value, span=join([target, value]))
        words = flat(target)
        if len(words) > 1 or not isinstance(target, tree.Name):
            return Head(words, None, "=", sum_)
        key = Tok(target.id, "KEY", target.span)
        return Head([], key, "=", sum_)

    def arrow_emit(self, arrow: Tok, _: Tok, value: tree.Value) -> dict[str, Any]:
        return {"emits": value, "span": join([arrow, value])}

    def arrow_type(self, arrow: Tok, key: Tok | None, _: Tok | None, value: tree.Value) -> dict[str, Any]:
        return {"result_name": key_text(key) if key else None, "result": value, "span": join([arrow, value])}

    def arrow_text(self, arrow: Tok, key: Tok, _: Tok, text: Tok) -> dict[str, Any]:
        result = tree.Name(str(key), span=key.span)
        return {"result": result, "annotation": tree.Verbatim(str(text), span=text.span), "span": join([arrow, text])}

    def body(self, opening: Tok, items: tuple[tree.Item, ...], closing: Tok) -> dict[str, Any]:
        span = join([opening, closing])
        return {"body": items, "span": span, "body_span": span}

    def verbatim_body(self, opening: Tok, text: Tok, closing: Tok) -> dict[str, Any]:
        span = join([opening, closing])
        return {"body": tree.Verbatim(str(text), span=text.span), "span": span, "body_span": span}

    def block(self, head: Head, *parts: dict[str, Any] | None) -> tree.Item:
        more: dict[str, Any] = {}
        span = head.span
        for part in parts:
            if part is not None:
                span = Span(span.file, span.line, span.col, part["span"].end_line, part["span"].end_col)
                more |= {key: value for key, value in part.items() if key != "span" and value is not None}
        return item(head, more, span)

    def then(self, _: Tok, text: Tok) -> dict[str, Any]:
        return {"body": tree.Verbatim(str(text), span=text.span), "span": text.span}

    def short(self, statement: tree.Item) -> dict[str, Any]:
        return {"body": (statement,), "span": statement.span}

    def jump_stmt(self, word: Tok) -> tree.Jump:
        return tree.Jump(str(word), span=word.span)

    def if_stmt(
        self, word: Tok, condition: tree.Value, then: dict[str, Any], _: Tok | None = None, other: Any = None
    ) -> tree.If:
        otherwise = (other,) if isinstance(other, tree.If) else other["body"] if other else None
        end: Span = other.span if isinstance(other, tree.If) else (other or then)["span"]
        span = Span(word.span.file, word.span.line, word.span.col, end.end_line, end.end_col)
        return tree.If(condition, then["body"], otherwise, span=span, then_span=then["span"], else_span=end)

    def emit_stmt(self, word: Tok, value: tree.Value, body: dict[str, Any] | None = None) -> tree.Emit:
        if body is None:
            return tree.Emit(value, None, span=join([word, value]))
        end = body["span"]
        span = Span(word.span.file, word.span.line, word.span.col, end.end_line, end.end_col)
        return tree.Emit(value, body["body"], span=span, body_span=end)

    def return_stmt(self, word: Tok, value: tree.Value | None = None) -> tree.Return:
        return tree.Return(value, span=join([word, value]))


def flat(words: tree.Value | None) -> list[tree.Value]:
    if words is None:
        return []
    return list(words.items) if isinstance(words, tree.Seq) else [words]


def key_text(key: Tok) -> str:
    return unescape(key[1:-1]) if key.startswith('"') else str(key)


def as_key(word: tree.Value) -> tree.Value:
    """A word before a colon that stands on another line, or behind a comment: what it is on one line."""
    if not isinstance(word, tree.Num):
        return word
    return tree.Name(word.raw or str(word.value).lower(), span=word.span)


def item(head: Head, more: dict[str, Any], span: Span) -> tree.Item:
    """The statement that a head, with its arrows and body, makes up."""
    words = head.words
    if head.key is not None and not words and not more and head.default is None:
        key = head.key
        return tree.Attr(key_text(key), head.value, head.op, key.startswith('"'), span=span, key_span=key.span)
    if head.key is not None:
        word = (
            tree.Str(key_text(head.key), span=head.key.span)
            if head.key.startswith('"')
            else tree.Name(str(head.key), span=head.key.span)
        )
        words = [*words, word]
    elif head.op and words:
        words = [*words[:-1], as_key(words[-1])]
        key_span = words[-1].span
        if len(words) == 1 and not more and head.default is None and isinstance(words[0], tree.Name):
            return tree.Attr(words[0].id, head.value, head.op, span=span, key_span=key_span)
        if (
            len(words) == 1
            and not more
            and head.default is None
            and isinstance(words[0], tree.Str)
            and not words[0].long
        ):
            return tree.Attr(words[0].value, head.value, head.op, True, span=span, key_span=key_span)
    if not isinstance(words[0], tree.Name | tree.Call) or (len(words) == 1 and head.key is None and not more):
        if not head.op and not more:
            return tree.Bare(words[0] if len(words) == 1 else tree.Seq(tuple(words), span=head.span), span=span)
        if head.op and not more and len(words) == 1 and head.default is None:
            return tree.Assign(words[0], head.value, head.op, span=span)
    return block(words, head, more, span)


def block(words: list[tree.Value], head: Head, more: dict[str, Any], span: Span) -> tree.Block:
    found: dict[str, Any] = dict(more)
    rest = list(words)
    first = rest[0]
    kind = ""
    if isinstance(first, tree.Name):
        kind = first.id
        rest.pop(0)
    elif isinstance(first, tree.Call):
        kind, found["params"] = first.fn, first.args
        rest.pop(0)
    if rest and "params" not in found:
        name = rest[0]
        if isinstance(name, tree.Name | tree.Call | tree.Str) or (
            isinstance(name, tree.Num) and not isinstance(name.value, bool)
        ):
            found["name"] = (
                name.id if isinstance(name, tree.Name) else name.fn if isinstance(name, tree.Call) else str(name.value)
            )
            found["quoted"] = isinstance(name, tree.Str)
            found["name_span"] = name.span
            if isinstance(name, tree.Call):
                found["params"] = name.args
            rest.pop(0)
    if head.op:
        found["annotation" if head.op == ":" else "default"] = head.value
    if head.default is not None:
        found["default"] = head.default
    return tree.Block(kind, words=tuple(rest), span=span, **found)
