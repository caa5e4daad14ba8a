"""Types as they are written to types as they are meant. Knows declared names, not what has a type."""

from __future__ import annotations

from difflib import get_close_matches

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.printer import print_value
from spak.semantics.types import ANY, NUMBER, PLAIN, Field, Type

LISTS = frozenset({"List", "list", "Array", "array", "Set", "Seq", "Vec"})
MAPS = frozenset({"Map", "map", "Dict", "dict", "Record"})
OPTIONAL = frozenset({"Optional", "optional", "Option"})
MAX_DEPTH = 64  # levels of one type, those of the types that it names included
CLOSE = 0.75  # how near an unknown name must be to a known one to be a slip rather than a type of the reader's own


class Types:
    """Every named type of a program; a name is resolved when it is first met, so that their order means nothing."""

    def __init__(self, found: Collector) -> None:
        self.found = found
        self.blocks: dict[str, tree.Block] = {}
        self.done: dict[str, Type] = {}
        self.cases: dict[str, Type] = {}  # by full name, and by short name where that is unique
        self.open: set[str] = set()
        self.depth = 0

    def declare(self, block: tree.Block) -> None:
        """Take note of `type T ...`, `struct T ...` or `enum T ...`."""
        if not block.name:
            self.found.add("SPK206", f"a {block.kind} needs a name", block.span, f"write `{block.kind} Name {{ ... }}`")
        elif block.name in self.blocks:
            first = self.blocks[block.name].name_span
            self.found.add(
                "SPK222", f"the type {block.name!r} is named twice", block.name_span, f"the first is at {first}"
            )
        elif block.name in PLAIN:
            hint = "a plain type needs no declaration; give yours another name"
            self.found.add("SPK222", f"{block.name!r} is a type of the language", block.name_span, hint)
        else:
            self.blocks[block.name] = block

    def finish(self) -> None:
        """Resolve whatever nobody has asked for."""
        for name in self.blocks:
            self.named(name)

    def named(self, name: str) -> Type:
        if name in self.done:
            return self.done[name]
        if name in self.open:
            return Type(
                "opaque", name
            )  # a type inside itself: its depth has no bound, so values of it are not looked into
        self.open.add(name)
        self.done[name] = self.declaration(self.blocks[name])
        self.open.discard(name)
        return self.done[name]

    def declaration(self, block: tree.Block) -> Type:
        name = block.name or ""
        if block.kind == "enum" and isinstance(block.body, tuple):
            return self.enum(block)
        value = block.default if block.default is not None else block.annotation
        if value is not None:
            type = self.read(value)
            return Type("record", name, (), type.fields) if type.kind == "record" else type
        if isinstance(block.body, tuple):
            return Type("record", name, (), self.fields(block.body, f"{block.kind} {name}"))
        return Type("opaque", name)

    def enum(self, block: tree.Block) -> Type:
        words = [item.value for item in block.body or () if isinstance(item, tree.Bare)]  # type: ignore[union-attr]
        values = [word.id if isinstance(word, tree.Name) else getattr(word, "value", None) for word in words]
        if not values or any(value is None for value in values):
            self.found.add("SPK241", "an enum lists its names", block.span, "write `enum Level { low, high }`")
            return ANY
        return Type("union", block.name or "", tuple(Type("literal", value=value) for value in values))

    def fields(self, items: tuple[tree.Item, ...], where: str) -> tuple[Field, ...]:
        """`name: type` lines; `name: type = default`, `name?: type` and `name: type?` may be left out of a value."""
        fields: dict[str, Field] = {}
        for item in items:
            field = self.field(item, where)
            if field is None:
                continue
            if field.name in fields:
                first = fields[field.name].span.line
                hint = f"the first is at line {first}; keep one"
                self.found.add("SPK202", f"the field {field.name!r} stands twice", field.span, hint)
                continue
            fields[field.name] = field
        return tuple(fields.values())

    def field(self, item: tree.Item, where: str) -> Field | None:
        if isinstance(item, tree.Attr) and item.op == ":":
            return Field(item.key, self.read(item.value), item.key_span)
        if isinstance(item, tree.Block) and item.annotation is not None and item.body is None and item.name is None:
            return Field(item.kind, Type("optional", args=(self.read(item.annotation),)), item.span)
        target = item.target if isinstance(item, tree.Assign) else None
        if isinstance(item, tree.Assign) and isinstance(target, tree.Unary) and isinstance(target.operand, tree.Name):
            return Field(target.operand.id, Type("optional", args=(self.read(item.value),)), item.span)  # `name?: type`
        self.found.add("SPK241", f"{where} holds `name: type` lines", item.span, "for example `tflops: float`")
        return None

    def read(self, value: tree.Value) -> Type:
        """One written type."""
        if self.depth > MAX_DEPTH:
            self.found.add(
                "SPK107", f"a type of more than {MAX_DEPTH} levels", value.span, "name its parts, or flatten it"
            )
            return ANY
        self.depth += 1
        type = self.written(value)
        self.depth -= 1
        return type

    def written(self, value: tree.Value) -> Type:
        if isinstance(value, tree.Name):
            return self.name(value.id, value.span)
        if isinstance(value, tree.Str | tree.Num):
            return Type("literal", value=value.value)
        if isinstance(value, tree.Unary) and value.op == "?":
            return Type("optional", args=(self.read(value.operand),))
        if isinstance(value, tree.Unary) and value.op == "-" and isinstance(value.operand, tree.Num):
            return Type("literal", value=-value.operand.value)
        if isinstance(value, tree.Binary) and value.op == "|":
            return self.union(value)
        if isinstance(value, tree.Binary) and value.op == "..":
            return NUMBER
        if isinstance(value, tree.ListLit) and len(value.items) <= 1:
            return Type("list", args=tuple(self.read(item) for item in value.items))
        if isinstance(value, tree.MapLit):
            return Type("record", fields=self.fields(value.items, "a record"))
        if isinstance(value, tree.Index) and isinstance(value.target, tree.Name):
            return self.generic(value.target.id, value.items, value)
        if isinstance(value, tree.Generic):
            return self.generic(value.name, value.items, value)
        self.found.add(
            "SPK241",
            f"`{print_value(value)[:40]}` is no type",
            value.span,
            'types are `float`, `[int]`, `Map[String, Any]`, `"a" | "b"`, `{ name: type }` and names',
        )
        return ANY

    def generic(self, name: str, items: tuple[tree.Value, ...], value: tree.Value) -> Type:
        if name in LISTS and len(items) == 1:
            return Type("list", args=(self.read(items[0]),))
        if name in MAPS and len(items) in {1, 2}:
            return Type("map", args=(self.read(items[-1]),))
        if name in OPTIONAL and len(items) == 1:
            return Type("optional", args=(self.read(items[0]),))
        return Type("opaque", print_value(value))

    def union(self, value: tree.Binary) -> Type:
        members: list[Type] = []
        rest: tree.Value = value
        while isinstance(rest, tree.Binary) and rest.op == "|":
            members.insert(0, self.read(rest.right))
            rest = rest.left
        members.insert(0, self.read(rest))
        return Type("union", args=tuple(members))

    def name(self, name: str, span: Span) -> Type:
        if name in PLAIN:
            return Type(PLAIN[name])
        if name in LISTS:
            return Type("list")
        if name in MAPS:
            return Type("map")
        if name in self.blocks:
            return self.named(name)
        if name in self.cases:
            return self.cases[name]
        known = {*PLAIN, *self.blocks, *self.cases}
        close = get_close_matches(name, sorted(known), 1, CLOSE)
        if close:
            self.found.add("SPK241", f"there is no type {name!r}", span, f"did you mean {close[0]!r}?")
            return ANY
        return Type("opaque", name)
