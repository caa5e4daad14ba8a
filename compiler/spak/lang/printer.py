"""Trees back to text, in one canonical layout. Knows the syntax, not what any kind means.

`parse(print_file(parse(x))) == parse(x)` for every accepted text, comments are kept where they stand, in their order, and
printing is idempotent. A file keeps the spelling of its numbers and its blank lines (one at a time), and what is wide, or has
comments inside, is broken over lines; a statement or value printed alone is not, as prompts are made of those.
"""

from __future__ import annotations

from collections.abc import Sequence

from spak.errors import Span
from spak.lang import tree
from spak.lang.comments import INDENT, Comments, Place, end, lines, start

INLINE = 100  # a map that is longer is broken over lines, and prompts are made of this
WIDTH = 120  # of a line of a file; lists, arguments and short bodies that go beyond are broken

LEVELS = {
    "=>": 0,
    "||": 1,
    "&&": 2,
    "==": 4,
    "!=": 4,
    "<": 4,
    "<=": 4,
    ">": 4,
    ">=": 4,
    "in": 4,
    "|": 5,
    "..": 6,
    "+": 7,
    "-": 7,
}
LEVELS |= {"*": 8, "/": 8, "//": 8, "%": 8}
UNARY = {"!": 3, "-": 9, "perform": 9, "?": 10}
Body = tuple[tree.Item, ...] | tree.Verbatim | None
NO_CHAIN = {4, 6}
POSTFIX = 10

CONTROL = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def print_file(file: tree.File) -> str:
    """A whole file, with its comments, ending in a newline unless it is empty."""
    return _FilePrinter(file.comments).file(file)


def print_item(item: tree.Item) -> str:
    """One statement without comments, no newline at its end."""
    return "\n".join(_Printer().item(item, 0))


def print_value(value: tree.Value) -> str:
    """One value without comments."""
    return _Printer().value(value, 0)


def quote(text: str) -> str:
    """A string literal on one line."""
    return '"' + "".join(CONTROL.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in text) + '"'


class _Printer:
    """Prints nodes that have no comments."""

    spelled = False  # whether numbers stand as they were written

    # ---- what a file does otherwise ----

    def items(self, items: Sequence[tree.Item], depth: int, last: Place | None) -> list[str]:
        """Statements, one below the other; `last` is where what holds them ends."""
        return [line for item in items for line in self.item(item, depth)]

    def opening(self, span: Span, items: Sequence[tree.Node]) -> str:
        """A comment behind an opening brace."""
        return ""

    def heading(self, value: tree.Verbatim) -> str:
        """A comment behind the colon above a text."""
        return ""

    def args(
        self, marks: str, items: Sequence[tree.Value], depth: int, span: Span = tree.NOWHERE, *, closed: bool = True
    ) -> str:
        """Values in brackets. `closed` says that `span` reaches to the closing one."""
        return marks[0] + ", ".join(self.value(item, depth) for item in items) + marks[1]

    def map(self, value: tree.MapLit, depth: int) -> str:
        if (text := self.short_map(value)) is not None:
            return text
        return "\n".join(["{", *self.items(value.items, depth + 1, None), INDENT * depth + "}"])

    def short_map(self, value: tree.MapLit) -> str | None:
        inline = ["\n".join(self.item(item, 0)) for item in value.items]
        if len(", ".join(inline)) > INLINE or any("\n" in line for line in inline):
            return None
        return "{ " + ", ".join(inline) + " }" if inline else "{}"

    # ---- statements ----

    def item(self, item: tree.Item, depth: int) -> list[str]:
        pad = INDENT * depth
        if isinstance(item, tree.Attr):
            key = quote(item.key) if item.quoted else item.key
            return [pad + key + self.bound(item.op, item.value, depth)]
        if isinstance(item, tree.Assign):
            return [pad + self.value(item.target, depth) + self.bound(item.op, item.value, depth)]
        if isinstance(item, tree.Bare):
            return [pad + self.value(item.value, depth)]
        if isinstance(item, tree.Return):
            return [pad + "return" + (" " + self.value(item.value, depth) if item.value is not None else "")]
        if isinstance(item, tree.Jump):
            return [pad + item.word]
        if isinstance(item, tree.Emit):
            return self.body(pad + "emit " + self.value(item.value, depth), item.body, depth, item.body_span)
        if isinstance(item, tree.If):
            return self.conditional(item, depth)
        return self.block(item, depth)

    def bound(self, op: str, value: tree.Value, depth: int) -> str:
        """`: value` or ` = value`; verbatim text goes below, deeper."""
        if isinstance(value, tree.Verbatim):
            return op + self.heading(value) + "\n" + self.verbatim(value, depth)
        return (": " if op == ":" else " = ") + self.value(value, depth)

    def verbatim(self, value: tree.Verbatim, depth: int) -> str:
        return "\n".join(INDENT * (depth + 1) + line if line else "" for line in value.text.split("\n"))

    def block(self, block: tree.Block, depth: int) -> list[str]:
        name = None if block.name is None else quote(block.name) if block.quoted else block.name
        head = " ".join(part for part in (block.kind, name) if part)
        if block.params is not None:
            head += self.args("()", block.params, depth, _between(block), closed=False)
        head = (
            " ".join([head, *(self.value(word, depth) for word in block.words)])
            if head
            else " ".join(self.value(w, depth) for w in block.words)
        )
        text = block.annotation if isinstance(block.annotation, tree.Verbatim) else None
        if block.annotation is not None and text is None:
            head += self.bound(":", block.annotation, depth)
        if block.default is not None:
            head += self.bound("=", block.default, depth)
        if block.result is not None:
            head += " -> " + (f"{block.result_name}: " if block.result_name else "") + self.value(block.result, depth)
        if text is not None:
            head += self.bound(":", text, depth)
        shown = self.body(INDENT * depth + head, block.body, depth, block.body_span)
        if block.emits is not None:
            shown[-1] += " -> emit " + self.value(block.emits, depth)
        return shown

    def body(self, head: str, body: Body, depth: int, span: Span) -> list[str]:
        if body is None:
            return [head]
        if isinstance(body, tree.Verbatim):
            return [head + " {", self.verbatim(body, depth), INDENT * depth + "}"]
        note = self.opening(span, body)
        inner = self.items(body, depth + 1, end(span) if span.line else None)
        return [head + " {" + note, *inner, INDENT * depth + "}"] if inner or note else [head + " {}"]

    def conditional(self, item: tree.If, depth: int) -> list[str]:
        head = INDENT * depth + "if " + self.value(item.condition, depth)
        if isinstance(item.then, tree.Verbatim):
            return [head + ":" + self.heading(item.then), self.verbatim(item.then, depth)]
        shown = self.body(head, item.then, depth, item.then_span)
        if item.otherwise is None:
            return shown
        first = item.otherwise[0] if isinstance(item.otherwise, tuple) and len(item.otherwise) == 1 else None
        if isinstance(first, tree.If):
            rest = self.conditional(first, depth)
            return [*shown[:-1], shown[-1] + " else " + rest[0].lstrip(), *rest[1:]]
        rest = self.body("else", item.otherwise, depth, item.else_span)
        return [*shown[:-1], shown[-1] + " " + rest[0], *rest[1:]]

    # ---- values ----

    def value(self, value: tree.Value, depth: int, level: int = 0) -> str:
        """`level` is the weakest operator that may stand here without parentheses."""
        if isinstance(value, tree.Name):
            return value.id
        if isinstance(value, tree.Str):
            long = value.long and '"""' not in value.value and not value.value.endswith('"') and "\r" not in value.value
            return f'"""{value.value}"""' if long else quote(value.value)
        if isinstance(value, tree.Num):
            if self.spelled and value.raw:
                return value.raw
            return str(value.value).lower() if isinstance(value.value, bool) else repr(value.value)
        if isinstance(value, tree.Binary):
            return self.binary(value, depth, level)
        if isinstance(value, tree.Unary):
            return self.unary(value, depth, level)
        if isinstance(value, tree.Call):
            return value.fn + self.args("()", value.args, depth, value.span)
        if isinstance(value, tree.Apply):
            return self.value(value.target, depth, POSTFIX) + self.args("()", value.args, depth, value.span)
        if isinstance(value, tree.Index):
            space = " " if value.target == tree.Name("range") else ""
            target = self.value(value.target, depth, POSTFIX)
            return target + space + self.args("[]", value.items, depth, value.span)
        if isinstance(value, tree.Generic):
            return f"{value.name}<{', '.join(self.value(item, depth) for item in value.items)}>"
        if isinstance(value, tree.Member):
            return f"{self.value(value.target, depth, POSTFIX)}.{value.name}"
        if isinstance(value, tree.ListLit):
            return self.args("[]", value.items, depth, value.span)
        if isinstance(value, tree.Group):
            return self.args("()", value.items, depth, value.span)
        if isinstance(value, tree.Arg):
            type_ = f": {self.value(value.type, depth)}" if value.type is not None else ""
            return value.name + type_ + (f" = {self.value(value.default, depth)}" if value.default is not None else "")
        if isinstance(value, tree.Seq):
            return " ".join(self.value(item, depth) for item in value.items)
        if isinstance(value, tree.MapLit):
            return self.map(value, depth)
        if isinstance(value, tree.Slice):
            return self.slice(value, depth)
        return self.verbatim(value, depth)

    def binary(self, value: tree.Binary, depth: int, level: int) -> str:
        own = LEVELS[value.op]
        right_first = value.op == "=>"
        left = self.value(value.left, depth, own + 1 if own in NO_CHAIN or right_first else own)
        text = f"{left} {value.op} {self.value(value.right, depth, own if right_first else own + 1)}"
        return f"({text})" if own < level else text

    def unary(self, value: tree.Unary, depth: int, level: int) -> str:
        own = UNARY[value.op]
        if value.op == "?":
            return self.value(value.operand, depth, POSTFIX) + "?"
        tight = value.op == "perform" or (value.op == "!" and isinstance(value.operand, tree.Binary))
        operand = self.value(value.operand, depth, POSTFIX if tight else own)  # `!(a in b)`, which `!a in b` is as well
        text = f"perform {operand}" if value.op == "perform" else value.op + operand
        return f"({text})" if own < level else text

    def slice(self, value: tree.Slice, depth: int) -> str:
        """`low:high`; a space keeps `x.py :f` from being a function of a file."""
        parts = [self.value(part, depth) if part is not None else "" for part in (value.low, value.high, value.step)]
        text = " :".join(parts[:2]) if parts[0].endswith(".py") else ":".join(parts[:2])
        return text + (f":{parts[2]}" if value.step is not None else "")


class _Spelled(_Printer):
    spelled = True


class _FilePrinter(_Printer):
    """Carries the comments that are still to be placed."""

    spelled = True

    def __init__(self, comments: Sequence[tree.Comment]) -> None:
        self.comments = Comments(comments)
        self.last = 0  # the line of the source, up to which everything is printed
        self.plain = _Spelled()

    def file(self, file: tree.File) -> str:
        front = f"---\n{file.front}---\n" if file.front else ""
        shown = self.items(file.items, 0, None)
        places = [node.span.line for node in (*file.items[:1], *self.comments.all[:1]) if node.span.line]
        if front and places and min(places) > front.count("\n") + 1:
            front += "\n"
        return front + ("\n".join(shown) + "\n" if shown else "")

    # ---- statements ----

    def gap(self, line: int) -> list[str]:
        """A blank line, where the source has one or more before a line."""
        return [""] if self.last and line > self.last + 1 else []

    def above(self, depth: int, before: Place | None, follows: bool) -> list[str]:
        """The comments before a place, each on lines of its own."""
        shown: list[str] = []
        for comment in self.comments.take(before):
            if follows or shown:
                shown += self.gap(comment.span.line)
            shown += lines(comment, depth)
            self.last = comment.span.end_line
        return shown

    def items(self, items: Sequence[tree.Item], depth: int, last: Place | None) -> list[str]:
        shown: list[str] = []
        for index, item in enumerate(items):
            following = start(items[index + 1].span) if index + 1 < len(items) else last
            if item.span.line:
                shown += self.above(depth, start(item.span), bool(shown))
                shown += self.gap(item.span.line) if shown else []
            shown += self.statement(item, depth, following)
            self.last = max(self.last, item.span.end_line)
        return shown + (self.above(depth, last, bool(shown)) if last is None or last[0] else [])

    def statement(self, item: tree.Item, depth: int, following: Place | None) -> list[str]:
        """A statement with the comments inside it that have no place of their own above, and the one behind it."""
        mark = self.comments.next
        shown = self.item(item, depth)
        if self.comments.next == mark:
            over = (
                [line for c in self.comments.take(end(item.span)) for line in lines(c, depth)] if item.span.line else []
            )
            shown = over + shown
        if not ends_verbatim(item):
            shown[-1] += self.comments.behind(end(item.span), following)
        return shown

    def body(self, head: str, body: Body, depth: int, span: Span) -> list[str]:
        """What was short and on one line stays on one line: `{ return a < b }`, `case C { x: float, y: float }`."""
        if isinstance(body, tuple) and body and span.line and span.line == span.end_line and short(body):
            text = f"{head} {{ " + ", ".join("\n".join(self.plain.item(item, 0)) for item in body) + " }"
            if len(text) <= WIDTH and "\n" not in text and not self.comments.inside(start(span), end(span)):
                return [text]
        return super().body(head, body, depth, span)

    def opening(self, span: Span, items: Sequence[tree.Node]) -> str:
        return self.comments.opening(span, start(items[0].span) if items else end(span))

    def heading(self, value: tree.Verbatim) -> str:
        return self.comments.heading(start(value.span)) if value.span.line else ""

    # ---- values ----

    def args(
        self, marks: str, items: Sequence[tree.Value], depth: int, span: Span = tree.NOWHERE, *, closed: bool = True
    ) -> str:
        inside = self.comments.inside(start(span), end(span))
        plain = self.plain.args(marks, items, depth)
        width = len(INDENT * depth + plain.partition("\n")[0])
        if not inside and (width <= WIDTH or len(items) < 2):
            return plain if "\n" not in plain else super().args(marks, items, depth)
        note = self.comments.opening(span, start(items[0].span) if items else end(span)) if closed else ""
        shown = [marks[0] + note]
        for index, item in enumerate(items):
            shown += self.above(depth + 1, start(item.span), False)
            mark = self.comments.next
            text = INDENT * (depth + 1) + self.value(item, depth + 1) + ","
            if self.comments.next == mark:
                shown += self.above(depth + 1, end(item.span), False)
            following = start(items[index + 1].span) if index + 1 < len(items) else end(span) if closed else None
            shown.append(text + self.comments.behind(end(item.span), following))
        shown += self.above(depth + 1, end(span), False)
        return "\n".join([*shown, INDENT * depth + marks[1]])

    def map(self, value: tree.MapLit, depth: int) -> str:
        text = self.plain.short_map(value)
        if text is not None and not self.comments.inside(start(value.span), end(value.span)):
            return text
        note = self.opening(value.span, value.items)
        shown = self.items(value.items, depth + 1, end(value.span))
        return "\n".join(["{" + note, *shown, INDENT * depth + "}"])


def short(body: tuple[tree.Item, ...]) -> bool:
    """Whether statements may share a line: attributes may, and one return, value or jump alone."""
    alone = len(body) == 1 and isinstance(body[0], tree.Return | tree.Bare | tree.Jump)
    return alone or all(isinstance(item, tree.Attr) and not isinstance(item.value, tree.Verbatim) for item in body)


def _between(block: tree.Block) -> Span:
    """From the name of a block to the end of its last parameter."""
    last = block.params[-1].span if block.params else tree.NOWHERE
    if not last.line:
        return tree.NOWHERE
    named = block.name is not None
    first, word = (block.name_span, block.name or "") if named else (block.span, block.kind)
    return Span(last.file, first.line, first.col + len(word), last.end_line, last.end_col)


def ends_verbatim(item: tree.Item) -> bool:
    """Whether a comment put after a statement would become part of its text."""
    if isinstance(item, tree.If):
        other = item.otherwise
        if isinstance(other, tuple) and len(other) == 1 and isinstance(other[0], tree.If):
            return ends_verbatim(other[0])
        return isinstance(item.then, tree.Verbatim)
    value = item.annotation if isinstance(item, tree.Block) else getattr(item, "value", None)
    return isinstance(value, tree.Verbatim)
