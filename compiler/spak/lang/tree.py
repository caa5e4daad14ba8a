"""The syntax tree: immutable nodes with spans. Knows the shape of statements and values, not what any kind means.

Spans take no part in comparison, so that two texts are the same program exactly when their trees are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from spak.errors import Span

NOWHERE = Span("")


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that stands in a file."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# ---- values. Those that are the expression language of `spak.lang.expr` too have parts typed Any, because the
# same nodes serve the whole language, where any value may stand, and the narrower one. ----


@dataclass(frozen=True, slots=True, eq=False)
class Num(Node):
    """A number or a truth value. `1`, `1.0` and `true` are three different numbers, unlike in Python; spelling is none."""

    value: int | float | bool
    raw: str = field(default="", repr=False)  # as it was written: `1e-5`, `1_000`

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Num) and (type(self.value), self.value) == (type(other.value), other.value)

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True, slots=True)
class Str(Node):
    """A string, escapes resolved. `long` is how it was written: between triple quotes, where nothing is escaped."""

    value: str
    long: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name, dots included: `M`, `TraceItem.Performance`, `reference.py:matmul`."""

    id: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`op` is one of `-`, `!`, `?` (written after its operand) and `perform`."""

    op: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Binary(Node):
    op: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call, or a header with parameters: `cdiv(M, BM)`, `matmul(a: f32[M, K])`."""

    fn: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListLit(Node):
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A call of something that is not a bare name: `Linear(x).split()`."""

    target: Value
    args: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`f32[M, K]`, `tasks[0]`, `range [8, 128]`."""

    target: Any
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """`low:high` or `low:high:step` between brackets, each part optional: `x[0:T, :]`."""

    low: Value | None = None
    high: Value | None = None
    step: Value | None = None


@dataclass(frozen=True, slots=True)
class Generic(Node):
    """`List<String>`."""

    name: str
    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Member(Node):
    """`f(x).name`; members of plain names are part of the name."""

    target: Any
    name: str


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Several values, or named ones, in parentheses: `(y: f32[N], s: f32[1])`."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class MapLit(Node):
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Arg(Node):
    """A named argument or parameter: `name: type = default`, or `name = default`."""

    name: str
    type: Value | None = None
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class Seq(Node):
    """Values side by side: `f32[M, K] col`."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Verbatim(Node):
    """Text that is not of this language (pseudocode, a template), kept as it stands, without its common indentation."""

    text: str


Value = (
    Num
    | Str
    | Name
    | Unary
    | Binary
    | Call
    | ListLit
    | Apply
    | Index
    | Slice
    | Generic
    | Member
    | Group
    | MapLit
    | Arg
    | Seq
    | Verbatim
)


# ---- statements ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attr(Node):
    """`key: value` or `key = value`; `key_span` is the key alone. `n += 1` is read as `n = n + 1`."""

    key: str
    value: Value
    op: str = ":"
    quoted: bool = False
    key_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Assign(Node):
    """`h[0] = x`: an assignment to something that is not a key. Also `f(x): T`, with op `:`."""

    target: Value
    value: Value
    op: str = "="


@dataclass(frozen=True, slots=True)
class Block(Node):
    """`KIND [name] [(params)] [words] [: annotation] [= default] [-> result] [{ body }] [-> emit emits]`.

    Absent parts are None or empty. `words` are what stands between the name and the colon or body (`type T matches {`).
    `result_name` names the result: `-> c: f32[M, N]`. `name_span` is the name alone, `body_span` the braces and what is
    between them.
    """

    kind: str
    name: str | None = None
    quoted: bool = False
    params: tuple[Value, ...] | None = None
    words: tuple[Value, ...] = ()
    annotation: Value | None = None
    default: Value | None = None
    result_name: str | None = None
    result: Value | None = None
    body: tuple[Item, ...] | Verbatim | None = None
    emits: Value | None = None
    name_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    body_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class If(Node):
    """`if condition { then } else { otherwise }`; an `else if` is an If alone in `otherwise`."""

    condition: Value
    then: tuple[Item, ...] | Verbatim
    otherwise: tuple[Item, ...] | Verbatim | None = None
    then_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)
    else_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Emit(Node):
    value: Value
    body: tuple[Item, ...] | Verbatim | None = None
    body_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Return(Node):
    value: Value | None = None


@dataclass(frozen=True, slots=True)
class Jump(Node):
    """`break` or `continue`."""

    word: str


@dataclass(frozen=True, slots=True)
class Bare(Node):
    """A value as a statement: `tool.search(query)`, `perform action`, `gpu_memory <= 12GB`."""

    value: Value


Item = Attr | Assign | Block | If | Emit | Return | Jump | Bare


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """`alone` when nothing else stands on its line before it."""

    text: str
    alone: bool = True


@dataclass(frozen=True, slots=True)
class File(Node):
    """One parsed text. `comments` are in source order; the printer puts them back, comparison ignores them.

    `front` is the YAML between `---` lines at the top, as it stands.
    """

    items: tuple[Item, ...]
    front: str = ""
    comments: tuple[Comment, ...] = field(default=(), compare=False)
