"""What a file names, and where each name is used. Knows how names are written, not what they are worth."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from spak.errors import Span
from spak.lang import tree
from spak.lang.printer import print_item, print_value

#: A kind of block that names something, and what it names.
GROUPS = {
    "fact": "fact", "rule": "rule", "hint": "rule", "step": "step", "state": "value", "parameter": "value",
    "type": "type", "struct": "type", "enum": "type", "case": "case", "task": "loop", "agent_loop": "loop",
    "service_loop": "loop", "engineering_loop": "loop", "workflow": "loop", "protocol": "loop", "domain": "domain",
    "invariant": "invariant", "effect": "effect", "component": "component", "operation": "operation",
    "function": "operation", "kernel": "kernel", "variant": "variant", "system": "system",
}  # fmt: skip
TYPED = frozenset({"type", "struct", "case", "state"})  # their attributes and annotations are types
DECLARATIVE = frozenset({"meta", "contract", "autonomy", "budget", "limits", "scope", "design_space", "tuning_space"})
CONDITIONS = frozenset({"when", "trigger", "condition"})
HOLE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")
ANY = frozenset({"value", "fact", "type", "loop", "operation", "component", "effect", "kernel"})


@dataclass(frozen=True)
class Symbol:
    """Something named: `span` is the name alone, `whole` its declaration; a local one is known within `within` only."""

    name: str
    group: str
    kind: str
    span: Span
    whole: Span
    within: Span | None = None
    quoted: bool = False
    node: tree.Node | str = field(default="", compare=False, repr=False)

    @property
    def text(self) -> str:
        """How it is declared."""
        if isinstance(self.node, str):
            return self.node
        return _declared(self.node) if isinstance(self.node, tree.Block) else _printed(self.node)


@dataclass(frozen=True)
class Ref:
    """A use of a name; `groups` are what it may name."""

    name: str
    span: Span
    groups: frozenset[str]


@dataclass
class Index:
    """The names of one file."""

    file: str
    symbols: list[Symbol] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)

    def visible(self, name: str, groups: Iterable[str], at: Span) -> Symbol | None:
        """What a name means at a place: the innermost local one, else the first of the file."""
        fitting = [s for s in self.symbols if s.name == name and s.group in groups]
        local = [s for s in fitting if s.within is not None and _inside(at, s.within)]
        if local:
            return max(local, key=lambda s: (s.within or s.span).line)
        return next((s for s in fitting if s.within is None), None)


def index(file: str, items: Iterable[tree.Item]) -> Index:
    """Everything that statements name and use."""
    walker = _Walker(Index(file))
    for item in items:
        walker.item(item, "")
    return walker.index


def _inside(span: Span, outer: Span) -> bool:
    return (outer.line, outer.col) <= (span.line, span.col) <= (outer.end_line, outer.end_col)


def part(span: Span, start: int, length: int) -> Span:
    """A piece of a span that lies on one line."""
    return Span(span.file, span.line, span.col + start, span.line, span.col + start + length)


class _Walker:
    def __init__(self, index: Index) -> None:
        self.index = index
        self.seen: set[str] = set()  # variables that have been assigned

    # ---- statements ----

    def item(self, item: tree.Item, kind: str, within: Span | None = None) -> None:
        """`kind` is that of the block that a statement stands in."""
        if isinstance(item, tree.Block):
            self.block(item, kind, within)
        elif isinstance(item, tree.Attr):
            self.attribute(item, kind)
        elif isinstance(item, tree.If):
            self.value(item.condition, ANY)
            self.bodies((item.then, item.otherwise), kind, within)
        elif isinstance(item, tree.Emit):
            self.value(item.value, frozenset({"case"}))
            self.bodies((item.body,), "emit", within)
        elif isinstance(item, tree.Assign):
            self.value(item.target, ANY)
            self.value(item.value, ANY)
        elif isinstance(item, tree.Bare | tree.Return) and item.value is not None:
            self.value(item.value, ANY)

    def bodies(self, bodies: Iterable[object], kind: str, within: Span | None) -> None:
        for body in bodies:
            for child in body if isinstance(body, tuple) else ():
                self.item(child, kind, within)

    def block(self, block: tree.Block, outer: str, within: Span | None) -> None:
        group = GROUPS.get(block.kind)
        if block.kind in {"use", "import"}:
            if block.name and block.kind == "use":
                self.index.refs.append(
                    Ref(block.name, part(block.name_span, 0, len(block.name)), frozenset({"domain"}))
                )
            return
        if group and block.name:
            self.define(block, group)
        elif block.default is not None and not block.words and block.body is not None and block.name is None:
            self.variable(block.kind, part(block.span, 0, len(block.kind)), block.span, block)
        types = frozenset({"type", "case"}) if block.kind in TYPED else ANY
        for param in block.params or ():
            self.param(param, block.span)
        for value in (block.annotation, *block.words):
            if value is not None and not _called(value):
                self.value(value, types)
        if block.default is not None and not _called(block.default):
            self.value(block.default, ANY)
        if block.result is not None:
            self.value(block.result, frozenset({"type", "case"}))
        if block.emits is not None:
            self.value(block.emits, frozenset({"case"}))
        called = next((v.id for v in (block.annotation, block.default) if _called(v) and isinstance(v, tree.Name)), "")
        self.bodies((block.body,), called or block.kind, block.span)

    def define(self, block: tree.Block, group: str) -> None:
        name = block.name or ""
        span = part(block.name_span, 1 if block.quoted else 0, len(name))
        self.index.symbols.append(Symbol(name, group, block.kind, span, block.span, None, block.quoted, block))

    def param(self, param: tree.Value, within: Span) -> None:
        if not isinstance(param, tree.Arg):
            if isinstance(param, tree.Name):
                named = Symbol(param.id, "value", "parameter", param.span, param.span, within, node=param)
                self.index.symbols.append(named)
            return
        span = part(param.span, 0, len(param.name))
        self.index.symbols.append(Symbol(param.name, "value", "parameter", span, param.span, within, node=param))
        if param.type is not None:
            self.value(param.type, frozenset({"type", "case"}))
        if param.default is not None:
            self.value(param.default, ANY)

    def attribute(self, attr: tree.Attr, kind: str) -> None:
        if kind in TYPED:
            self.value(attr.value, frozenset({"type", "case"}))
            return
        if attr.key == "output_var" and isinstance(attr.value, tree.Name | tree.Str):
            name = attr.value.id if isinstance(attr.value, tree.Name) else attr.value.value
            shift = int(isinstance(attr.value, tree.Str))
            self.variable(name, part(attr.value.span, shift, len(name)), attr.span, f"{name}: the result of {kind}")
            return
        if attr.op == "=" and kind not in DECLARATIVE and IDENTIFIER.match(attr.key):
            self.variable(attr.key, attr.key_span, attr.span, attr)
        groups = ANY
        if attr.key in CONDITIONS:
            groups = frozenset({"fact"})
            for text in attr.value.items if isinstance(attr.value, tree.ListLit) else (attr.value,):
                if isinstance(text, tree.Str) and IDENTIFIER.match(text.value):
                    self.index.refs.append(Ref(text.value, part(text.span, 1, len(text.value)), groups))
        elif attr.key in {"schema", "emits"}:
            groups = frozenset({"type", "case"})
        self.value(attr.value, groups)

    def variable(self, name: str, span: Span, whole: Span, node: tree.Node | str) -> None:
        """An assignment: the first one names the variable, unless a state does."""
        known = name in self.seen or any(s.name == name and s.kind == "state" for s in self.index.symbols)
        if known:
            self.index.refs.append(Ref(name, span, frozenset({"value"})))
        else:
            self.seen.add(name)
            self.index.symbols.append(Symbol(name, "value", "variable", span, whole, node=node))

    # ---- values ----

    def value(self, value: tree.Value, groups: frozenset[str]) -> None:
        if isinstance(value, tree.Name):
            self.name(value.id, value.span, groups)
        elif isinstance(value, tree.Str):
            self.holes(value)
        elif isinstance(value, tree.Call):
            if not value.fn.startswith(("tool.", "llm.")):
                self.name(value.fn, part(value.span, 0, len(value.fn)), groups)
            self.values(value.args, ANY)
        elif isinstance(value, tree.Generic):
            self.values(value.items, groups)
        elif isinstance(value, tree.MapLit):
            for item in value.items:
                self.value(item.value, groups) if isinstance(item, tree.Attr) else self.item(item, "")
        elif isinstance(value, tree.Arg):
            self.values([part for part in (value.type, value.default) if part is not None], groups)
        else:
            self.values(_parts(value), groups)

    def values(self, values: Iterable[tree.Value], groups: frozenset[str]) -> None:
        for value in values:
            self.value(value, groups)

    def name(self, dotted: str, span: Span, groups: frozenset[str]) -> None:
        if span.line == span.end_line and span.end_col - span.col != len(dotted):
            return  # written over several words
        root, _, rest = dotted.partition(".")
        second = rest.partition(".")[0]
        under = {"fact": "fact", "steps": "step", "trace": "case"}.get(root)
        if second and (under or "case" in groups or root[:1].isupper()):
            self.index.refs.append(
                Ref(second, part(span, len(root) + 1, len(second)), frozenset({under or "case", "operation"}))
            )
        if not under:
            self.index.refs.append(Ref(root, part(span, 0, len(root)), groups | {"effect", "variant", "component"}))

    def holes(self, value: tree.Str) -> None:
        """`{{name}}` in a text whose characters are in the file as they are."""
        if not value.long and value.span.end_col - value.span.col != len(value.value) + 2:
            return
        lead = 3 if value.long else 1
        for match in HOLE.finditer(value.value):
            before = value.value[: match.start(1)]
            line = value.span.line + before.count("\n")
            col = len(before) - (before.rfind("\n") + 1) + 1 + (0 if "\n" in before else value.span.col - 1 + lead)
            end = col + len(match[1])
            self.name(match[1], Span(value.span.file, line, col, line, end), ANY)


def _called(value: object) -> bool:
    return isinstance(value, tree.Name) and value.id.startswith(("tool.", "llm."))


def _parts(value: tree.Value) -> Iterator[tree.Value]:
    for name in ("operand", "left", "right", "target", "low", "high", "step"):
        inner = getattr(value, name, None)
        if isinstance(inner, tree.Node):
            yield inner  # type: ignore[misc]
    for name in ("items", "args"):
        yield from getattr(value, name, ())


def _printed(node: tree.Node) -> str:
    return print_item(node) if isinstance(node, tree.Attr) else print_value(node)  # type: ignore[arg-type]


def _declared(block: tree.Block) -> str:
    """A block as hover shows it: facts, types and what is short with the body, everything else without."""
    text = print_item(block)
    if block.kind in {"fact", "type", "case", "state", "struct", "rule", "hint", "invariant"} or text.count("\n") < 12:
        return text
    head, _, _ = text.partition(" {\n")
    return head + " { ... }"
