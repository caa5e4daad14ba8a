"""Device code as a syntax tree, with the questions checks ask of it. Knows C++ and CUDA, not plans or rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from spak.check.tokens import Token, tokenize
from spak.errors import Span

if TYPE_CHECKING:
    from tree_sitter import Node

# The CUDA grammar knows some of these only in some places; none of them matters to a check that reads the tree.
_BLANKED = re.compile(
    rb"\b(?:__align__|__launch_bounds__|__cluster_dims__|__maxnreg__|__block_size__)\s*(?=\()|\b__grid_constant__\b"
)
# A pragma may stand where the grammar wants a statement (`for (...)` / `#pragma unroll` / `for (...)`).
_PRAGMA = re.compile(rb"^[ \t]*#[ \t]*pragma[^\n]*", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function: `base` is the type without cv, pointers and references, in canonical spelling."""

    name: str
    base: str
    pointers: int
    const: bool  # what it points to is const (or, for a value, the value)
    reference: bool
    grid_constant: bool
    text: str
    line: int
    col: int


@dataclass(frozen=True)
class Function:
    """A function definition. `markers` holds words such as `__global__`, `static`, `inline`, `template`."""

    name: str
    returns: str
    markers: frozenset[str]
    extern_c: bool
    params: tuple[Parameter, ...]
    node: Node
    body: Node
    line: int
    col: int


@dataclass(frozen=True)
class Source:
    """`text` as given; `blanked` is what was parsed: the same bytes at the same offsets, but for blanked attributes."""

    path: str
    text: str
    dialect: str

    @cached_property
    def blanked(self) -> bytes:
        return blank(self.text.encode())

    @cached_property
    def root(self) -> Node:
        import tree_sitter

        if self.dialect == "cuda":
            import tree_sitter_cuda as grammar
        else:
            import tree_sitter_cpp as grammar  # type: ignore[no-redef]
        return tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(self.blanked).root_node

    @cached_property
    def tokens(self) -> list[Token]:
        return tokenize(self.text)

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        found = (self._function(node) for node in walk(self.root) if node.type == "function_definition")
        return tuple(function for function in found if function)

    @cached_property
    def function_names(self) -> frozenset[str]:
        return frozenset(function.name for function in self.functions)

    @cached_property
    def aliases(self) -> dict[str, str]:
        """`using T = float;` and `typedef float T;` of the whole file, for naming types the way a plan does."""
        found = {}
        for node in walk(self.root):
            if node.type == "alias_declaration":
                name, kind = node.child_by_field_name("name"), node.child_by_field_name("type")
            elif node.type == "type_definition":
                name, kind = node.child_by_field_name("declarator"), node.child_by_field_name("type")
            else:
                continue
            if name is not None and kind is not None:
                found[text_of(name)] = canonical_type(text_of(kind))
        return found

    def resolve(self, type_name: str) -> str:
        """Follow aliases to a canonical type name; a cycle, which no compiler accepts, ends it."""
        seen = set()
        name = canonical_type(type_name)
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name

    def entries(self, name: str) -> list[Function]:
        return [function for function in self.functions if function.name == name]

    def span(self, node: Node) -> Span:
        (row, column), (end_row, end_column) = node.start_point, node.end_point
        return Span(self.path, row + 1, self._column(row, column), end_row + 1, self._column(end_row, end_column))

    def at(self, line: int, col: int, length: int = 0) -> Span:
        return Span(self.path, line, col, line, col + length)

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.blanked.split(b"\n")

    def _column(self, row: int, column: int) -> int:
        """Characters, from a byte column: the tree counts bytes, people count characters."""
        return len(self._lines[row][:column].decode(errors="replace")) + 1

    def _function(self, node: Node) -> Function | None:
        declarator = node.child_by_field_name("declarator")
        body = node.child_by_field_name("body")
        holder = function_declarator(declarator)
        if holder is None or body is None:
            return None
        name = holder.child_by_field_name("declarator")
        kind = node.child_by_field_name("type")
        if name is None:
            return None
        span = self.span(name)
        pointers = text_of(declarator).split("(")[0].count("*") if declarator is not None else 0
        head = [
            text_of(child) for child in node.children if child.type not in ("compound_statement", "function_declarator")
        ]
        markers = {word for part in head for word in re.findall(r"\w+", part)}
        if node.parent is not None and node.parent.type == "template_declaration":
            markers.add("template")
        params = holder.child_by_field_name("parameters")
        return Function(
            name=text_of(name).split("::")[-1],
            returns=(canonical_type(text_of(kind)) if kind is not None else "") + "*" * pointers,
            markers=frozenset(markers),
            extern_c=any(parent.type == "linkage_specification" for parent in parents(node)),
            params=tuple(self._parameters(params)) if params is not None else (),
            node=node,
            body=body,
            line=span.line,
            col=span.col,
        )

    def _parameters(self, node: Node) -> Iterator[Parameter]:
        for child in node.named_children:
            if child.type not in ("parameter_declaration", "optional_parameter_declaration"):
                continue
            yield self._parameter(child)

    def _parameter(self, node: Node) -> Parameter:
        original = self.text.encode()[node.start_byte : node.end_byte].decode(errors="replace")
        kind, declarator = node.child_by_field_name("type"), node.child_by_field_name("declarator")
        shape = text_of(declarator) if declarator is not None else ""
        names = [n for n in walk(declarator) if n.type == "identifier"] if declarator is not None else []
        base = self.resolve(text_of(kind)) if kind is not None else ""
        # `using In = const float;` is a way to write the same: the const belongs to what is pointed to.
        const = base.startswith("const ") or any(
            text_of(c) == "const" for c in node.children if c.type == "type_qualifier"
        )
        span = self.span(node)
        return Parameter(
            name=text_of(names[0]) if names else "",
            base=base.removeprefix("const "),
            pointers=shape.count("*") + shape.count("["),
            const=const,
            reference="&" in shape,
            grid_constant="__grid_constant__" in original,
            text=" ".join(original.split()),
            line=span.line,
            col=span.col,
        )


def blank(data: bytes) -> bytes:
    """Overwrite pragmas and launch attributes with spaces, so that offsets stay and the grammar need not know them."""
    out = bytearray(_PRAGMA.sub(lambda match: b" " * len(match.group()), data))
    end = 0
    for match in _BLANKED.finditer(data):
        if match.start() < end:
            continue  # inside the one before, or that one never closes
        end = match.end()
        if data[end : end + 1] == b"(":
            depth = 0
            while end < len(data):
                depth += (data[end] == 0x28) - (data[end] == 0x29)
                end += 1
                if not depth:
                    break
        for at in range(match.start(), end):
            if out[at] != 0x0A:
                out[at] = 0x20
    return bytes(out)


def walk(node: Node) -> Iterator[Node]:
    """The node and everything under it, in source order, without recursion: replies may nest deeply."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(top.children))


def parents(node: Node) -> Iterator[Node]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent


def text_of(node: Node | None) -> str:
    return node.text.decode(errors="replace") if node is not None and node.text is not None else ""


def function_declarator(node: Node | None) -> Node | None:
    """The function declarator inside `T* f(...)` or `T& f(...)`, None for what declares no function."""
    while node is not None and node.type in ("pointer_declarator", "reference_declarator"):
        node = node.child_by_field_name("declarator") or next((c for c in node.named_children), None)
    return node if node is not None and node.type == "function_declarator" else None


_SPELLINGS = {
    "long long int": "long long", "signed long long": "long long", "long int": "long", "signed long": "long",
    "unsigned": "unsigned int", "signed": "int", "signed int": "int", "short int": "short",
    "unsigned long int": "unsigned long", "unsigned long long int": "unsigned long long",
    "unsigned short int": "unsigned short",
    "int64_t": "long long", "int32_t": "int", "int16_t": "short",
    "int8_t": "signed char", "ptrdiff_t": "long long",
    "uint64_t": "unsigned long long", "uint32_t": "unsigned int", "uint16_t": "unsigned short",
    "uint8_t": "unsigned char",
    "size_t": "unsigned long long", "index_t": "long long", "long": "long long", "unsigned long": "unsigned long long",
    "half": "__half", "nv_bfloat16": "__nv_bfloat16",
}  # fmt: skip


def canonical_type(text: str) -> str:
    """One spelling a type: `std::int64_t`, `long long int` and `spak::index_t` are all `long long` (on LP64 so is
    `long`).
    """
    words = " ".join(re.sub(r"\b(?:std|spak)::(?=u?int\d+_t|size_t|ptrdiff_t|index_t)", "", text).split())
    const = "const " if re.search(r"\bconst\b", words) else ""
    words = " ".join(w for w in words.split() if w not in ("const", "volatile", "typename", "struct"))
    for _ in range(2):  # `long int` -> `long` -> `long long`
        words = _SPELLINGS.get(words, words)
    return const + words
