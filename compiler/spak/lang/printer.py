"""Trees back to text, in one canonical layout. Knows the syntax, not what any kind means.

`parse(print_file(parse(x))) == parse(x)` for every accepted text, comments are kept, and printing is idempotent.
"""

from __future__ import annotations

from spak.lang import tree

INDENT = "  "
INLINE = 100  # a map longer than this is broken over lines

LEVELS = {
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
NO_CHAIN = {4, 6}
POSTFIX = 10

CONTROL = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def print_file(file: tree.File) -> str:
    """A whole file, with its comments, ending in a newline unless it is empty."""
    return _Printer(list(file.comments)).file(file)


def print_item(item: tree.Item) -> str:
    """One statement without comments, no newline at its end."""
    return "\n".join(_Printer([]).item(item, 0))


def print_value(value: tree.Value) -> str:
    """One value without comments."""
    return _Printer([]).value(value, 0)


def quote(text: str) -> str:
    """A string literal on one line."""
    return '"' + "".join(CONTROL.get(c, c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}") for c in text) + '"'


class _Printer:
    """Carries the comments that are still to be placed."""

    def __init__(self, comments: list[tree.Comment]) -> None:
        self.comments = comments

    def file(self, file: tree.File) -> str:
        lines = self.items(file.items, 0, None)
        front = f"---\n{file.front}---\n" if file.front else ""
        return front + ("\n".join(lines) + "\n" if lines else "")

    def flush(self, depth: int, before: int | None) -> list[str]:
        """The comments that stand above a line, or all that are left."""
        lines: list[str] = []
        while self.comments and (before is None or self.comments[0].span.line < before):
            lines += [INDENT * depth + line.strip() for line in self.comments.pop(0).text.split("\n")]
        return lines

    def items(self, items: tuple[tree.Item, ...], depth: int, end: int | None) -> list[str]:
        """Statements, one below the other; `end` is the line of what closes them."""
        lines: list[str] = []
        for item in items:
            lines += self.flush(depth, item.span.line)
            lines += self.item(item, depth)
            if self.comments and self.comments[0].span.line == item.span.end_line and not ends_verbatim(item):
                lines[-1] += "  " + " ".join(part.strip() for part in self.comments.pop(0).text.split("\n"))
        return lines + (self.flush(depth, end) if self.comments else [])

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
            return self.body(pad + "emit " + self.value(item.value, depth), item.body, depth, item)
        if isinstance(item, tree.If):
            return self.conditional(item, depth)
        return self.block(item, depth)

    def bound(self, op: str, value: tree.Value, depth: int) -> str:
        """`: value` or ` = value`; verbatim text goes below, deeper."""
        if isinstance(value, tree.Verbatim):
            return op + "\n" + self.verbatim(value, depth)
        return (": " if op == ":" else " = ") + self.value(value, depth)

    def verbatim(self, value: tree.Verbatim, depth: int) -> str:
        return "\n".join(INDENT * (depth + 1) + line if line else "" for line in value.text.split("\n"))

    def block(self, block: tree.Block, depth: int) -> list[str]:
        name = None if block.name is None else quote(block.name) if block.quoted else block.name
        head = " ".join(part for part in (block.kind, name) if part)
        if block.params is not None:
            head += "(" + self.args(block.params, depth) + ")"
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
        lines = self.body(INDENT * depth + head, block.body, depth, block)
        if block.emits is not None:
            lines[-1] += " -> emit " + self.value(block.emits, depth)
        return lines

    def body(
        self, head: str, body: tuple[tree.Item, ...] | tree.Verbatim | None, depth: int, whole: tree.Node
    ) -> list[str]:
        if body is None:
            return [head]
        if isinstance(body, tree.Verbatim):
            return [head + " {", self.verbatim(body, depth), INDENT * depth + "}"]
        inner = self.items(body, depth + 1, whole.span.end_line)
        return [head + " {", *inner, INDENT * depth + "}"] if inner else [head + " {}"]

    def conditional(self, item: tree.If, depth: int) -> list[str]:
        head = INDENT * depth + "if " + self.value(item.condition, depth)
        if isinstance(item.then, tree.Verbatim):
            return [head + ":", self.verbatim(item.then, depth)]
        lines = self.body(head, item.then, depth, item)
        if item.otherwise is None:
            return lines
        first = item.otherwise[0] if isinstance(item.otherwise, tuple) and len(item.otherwise) == 1 else None
        if isinstance(first, tree.If):
            rest = self.conditional(first, depth)
            return [*lines[:-1], lines[-1] + " else " + rest[0].lstrip(), *rest[1:]]
        rest = self.body("else", item.otherwise, depth, item)
        return [*lines[:-1], lines[-1] + " " + rest[0], *rest[1:]]

    # ---- values ----

    def args(self, items: tuple[tree.Value, ...], depth: int) -> str:
        return ", ".join(self.value(item, depth) for item in items)

    def value(self, value: tree.Value, depth: int, level: int = 0) -> str:
        """`level` is the weakest operator that may stand here without parentheses."""
        if isinstance(value, tree.Binary):
            own = LEVELS[value.op]
            left = self.value(value.left, depth, own + 1 if own in NO_CHAIN else own)
            text = f"{left} {value.op} {self.value(value.right, depth, own + 1)}"
            return f"({text})" if own < level else text
        if isinstance(value, tree.Unary):
            return self.unary(value, depth, level)
        if isinstance(value, tree.Num):
            return str(value.value).lower() if isinstance(value.value, bool) else repr(value.value)
        if isinstance(value, tree.Str):
            long = value.long and '"""' not in value.value and not value.value.endswith('"') and "\r" not in value.value
            return f'"""{value.value}"""' if long else quote(value.value)
        if isinstance(value, tree.Name):
            return value.id
        if isinstance(value, tree.Call):
            return f"{value.fn}({self.args(value.args, depth)})"
        if isinstance(value, tree.Apply):
            return f"{self.value(value.target, depth, POSTFIX)}({self.args(value.args, depth)})"
        if isinstance(value, tree.Index):
            space = " " if value.target == tree.Name("range") else ""
            return f"{self.value(value.target, depth, POSTFIX)}{space}[{self.args(value.items, depth)}]"
        if isinstance(value, tree.Generic):
            return f"{value.name}<{self.args(value.items, depth)}>"
        if isinstance(value, tree.Member):
            return f"{self.value(value.target, depth, POSTFIX)}.{value.name}"
        if isinstance(value, tree.ListLit):
            return f"[{self.args(value.items, depth)}]"
        if isinstance(value, tree.Group):
            return f"({self.args(value.items, depth)})"
        if isinstance(value, tree.Arg):
            type_ = f": {self.value(value.type, depth)}" if value.type is not None else ""
            return value.name + type_ + (f" = {self.value(value.default, depth)}" if value.default is not None else "")
        if isinstance(value, tree.Seq):
            return " ".join(self.value(item, depth) for item in value.items)
        if isinstance(value, tree.MapLit):
            return self.map(value, depth)
        return self.verbatim(value, depth)

    def unary(self, value: tree.Unary, depth: int, level: int) -> str:
        own = UNARY[value.op]
        if value.op == "?":
            return self.value(value.operand, depth, POSTFIX) + "?"
        operand = self.value(value.operand, depth, POSTFIX if value.op == "perform" else own)
        text = f"perform {operand}" if value.op == "perform" else value.op + operand
        return f"({text})" if own < level else text

    def map(self, value: tree.MapLit, depth: int) -> str:
        inline = [print_item(item) for item in value.items]
        short = len(", ".join(inline)) <= INLINE and not any("\n" in line for line in inline)
        inside = any(value.span.line <= c.span.line < value.span.end_line for c in self.comments)
        if short and not inside:
            return "{ " + ", ".join(inline) + " }" if inline else "{}"
        lines = self.items(value.items, depth + 1, value.span.end_line)
        return "\n".join(["{", *lines, INDENT * depth + "}"])


def ends_verbatim(item: tree.Item) -> bool:
    """Whether a comment put after a statement would become part of its text."""
    value = (
        item.annotation
        if isinstance(item, tree.Block)
        else getattr(item, "value", None)
        if not isinstance(item, tree.If)
        else item.then
    )
    return isinstance(value, tree.Verbatim)
