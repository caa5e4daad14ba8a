"""A kernel's signature: tensors over symbolic axes, scalars, results. Knows dtypes and layouts, not what is computed.

A tensor is `dtype[dim, ...]`, optionally followed by `row`, `col` or `strides(expr, ...)`. A dimension that is a bare
name introduces an axis; any other is an expression over axes that some input introduces.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import Any, get_args

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.expr import FUNCTIONS, as_expr, evaluate, names, print_expr
from spak.model.ir import DType, Scalar, Signature, Tensor
from spak.semantics.reader import NOT_LITERAL, Scope, literal, read_expr
from spak.semantics.suggest import near

DTYPES = get_args(DType)
INTEGERS = frozenset({"i32", "i8", "u8"})
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")

#: Words that would break the generated C++ or Python, or that the launcher uses itself.
CPP_WORDS = """
    alignas alignof asm auto bool case catch char const constexpr default delete do double enum explicit export
    extern float friend goto inline int long mutable namespace new noexcept operator private protected public
    register short signed sizeof static struct switch template this throw typedef typeid typename union
    unsigned using virtual void volatile wchar_t"""
RESERVED = (
    frozenset(keyword.kwlist)
    | frozenset(FUNCTIONS)
    | frozenset(CPP_WORDS.split())
    | {"out", "stream", "np", "true", "false"}
)


@dataclass
class Axes:
    """The axes in order of appearance, and where each is first named."""

    order: dict[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadSignature:
    signature: Signature
    scope: Scope  # axes and scalars, for expressions
    places: dict[str, Span]


def read_signature(block: tree.Block, found: Collector) -> ReadSignature | None:
    """Read `kernel f(params) -> results`. None, with errors in `found`, when there is nothing to go on with."""
    if block.params is None or block.result is None:
        found.add(
            "SPK211",
            f"kernel {block.name or ''} has no signature",
            block.span,
            "write `kernel f(a: f32[N]) -> c: f32[N] { ... }`",
        )
        return None
    before = len(found.errors)
    inputs: list[Any] = [arg for arg in block.params if _is_named(arg, found, "a parameter")]
    outputs: list[Any] = results(block, found)
    axes = Axes()
    for arg in (*inputs, *outputs):
        collect_axes(arg.type, axes.order, introduces=arg in inputs, found=found)
    scalars = {arg.name: _scalar_kind(arg.type) for arg in inputs if isinstance(arg.type, tree.Name)}
    scope = Scope({axis: "number" for axis in axes.order} | scalars, "axes and scalars")
    sizes = Scope(
        {
            name: kind
            for name, kind in scope.kinds.items()
            if kind == "number" and (name in axes.order or _is_integer(inputs, name))
        },
        "axes",
    )
    params = [param for arg in inputs if (param := read_param(arg, sizes, found)) is not None]
    written = [tensor for arg in outputs if isinstance(tensor := read_param(arg, sizes, found, result=True), Tensor)]
    places = _unique((*inputs, *outputs), axes.order, found)
    if not params and not block.params:
        found.add("SPK211", "a kernel needs at least one parameter", block.span, "for example `a: f32[N]`")
    if len(found.errors) > before:
        return None
    return ReadSignature(Signature(params=tuple(params), results=tuple(written), axes=tuple(axes.order)), scope, places)


def results(block: tree.Block, found: Collector) -> list[tree.Arg]:
    """`-> c: T` or `-> (y: T, s: U)`."""
    result = block.result
    assert result is not None
    if block.result_name:
        return [tree.Arg(block.result_name, result, span=result.span)]
    items = result.items if isinstance(result, tree.Group) else (result,)
    return [item for item in items if _is_named(item, found, "a result")]  # type: ignore[misc]


def _is_named(value: Any, found: Collector, what: str) -> bool:
    if isinstance(value, tree.Arg) and value.type is not None:
        return True
    found.add("SPK211", f"{what} needs a name and a type", value.span, "for example `c: f32[M, N]`")
    return False


def _is_integer(inputs: list[Any], name: str) -> bool:
    return any(arg.name == name and isinstance(arg.type, tree.Name) and arg.type.id in INTEGERS for arg in inputs)


def _scalar_kind(type_: tree.Name) -> str:
    return "truth" if type_.id == "bool" else "number"


def shape_of(type_: tree.Value | None) -> tree.Index | None:
    """The `dtype[dims]` part of a type, if it has one."""
    head = type_.items[0] if isinstance(type_, tree.Seq) else type_
    return head if isinstance(head, tree.Index) else None


def collect_axes(type_: tree.Value | None, order: dict[str, Span], *, introduces: bool, found: Collector) -> None:
    """Add the axes that bare dimensions name. A result may not introduce one: nothing would say how long it is."""
    shape = shape_of(type_)
    for dim in shape.items if shape else ():
        if isinstance(dim, tree.Name) and dim.id not in order:
            if not introduces:
                found.add(
                    "SPK211", f"no input has the axis {dim.id!r}", dim.span, near(dim.id, order, "axes of inputs")
                )
            order[dim.id] = dim.span


def read_param(arg: tree.Arg, sizes: Scope, found: Collector, *, result: bool = False) -> Tensor | Scalar | None:
    """One parameter or result."""
    type_ = arg.type
    assert type_ is not None
    shape = shape_of(type_)
    if shape is not None:
        return read_tensor(arg, type_, shape, sizes, found)
    if isinstance(type_, tree.Name) and not result:
        return read_scalar(arg, type_, found)
    if isinstance(type_, tree.Name) and result:
        found.add("SPK211", "a result must be a tensor", type_.span, f"for a single number write `{type_.id}[1]`")
    else:
        found.add("SPK211", "this is no type", type_.span, "write `dtype[dims]`, or a dtype alone for a scalar")
    return None


def read_dtype(name: str, span: Span, found: Collector) -> DType | None:
    if name in DTYPES:
        return name  # type: ignore[return-value]
    found.add("SPK212", f"there is no dtype {name!r}", span, near(name, DTYPES, "dtypes"))
    return None


def read_scalar(arg: tree.Arg, type_: tree.Name, found: Collector) -> Scalar | None:
    dtype = read_dtype(type_.id, type_.span, found)
    if dtype is None:
        return None
    default = None if arg.default is None else literal(arg.default)
    wanted: tuple[type, ...] = (bool,) if dtype == "bool" else (int,) if dtype in INTEGERS else (int, float)
    if default is not None and (
        default is NOT_LITERAL or not isinstance(default, wanted) or (isinstance(default, bool) and dtype != "bool")
    ):
        span = arg.default.span if arg.default is not None else arg.span
        found.add("SPK211", f"the default of {arg.name!r} is no {dtype}", span, "write a literal of that type")
        return None
    if isinstance(default, int) and dtype not in INTEGERS and dtype != "bool":
        default = float(default)
    return Scalar(name=arg.name, dtype=dtype, default=default)


def read_tensor(arg: tree.Arg, type_: tree.Value, shape: tree.Index, sizes: Scope, found: Collector) -> Tensor | None:
    target = shape.target
    if not isinstance(target, tree.Name):
        found.add("SPK211", "this is no type", type_.span, "write `dtype[dims]`")
        return None
    dtype = read_dtype(target.id, target.span, found)
    if arg.default is not None:
        found.add("SPK211", "a tensor has no default", arg.default.span, "remove it")
    dims = [text for dim in shape.items if (text := read_size(dim, sizes, found)) is not None]
    if not shape.items:
        found.add("SPK211", "a tensor needs at least one dimension", shape.span, "for a single number write `[1]`")
    layout: Any = "row"
    strides: tuple[str, ...] = ()
    extra = type_.items[1:] if isinstance(type_, tree.Seq) else ()
    if len(extra) == 1 and isinstance(extra[0], tree.Name) and extra[0].id in {"row", "col"}:
        layout = extra[0].id
    elif len(extra) == 1 and isinstance(extra[0], tree.Call) and extra[0].fn == "strides":
        layout = "strided"
        strides = tuple(text for stride in extra[0].args if (text := read_size(stride, sizes, found)) is not None)
        if len(extra[0].args) != len(shape.items):
            found.add(
                "SPK211",
                f"{len(shape.items)} dimensions, but {len(extra[0].args)} strides",
                extra[0].span,
                "give one stride a dimension",
            )
    elif extra:
        found.add("SPK211", "there is no such layout", extra[0].span, "layouts are: row, col, strides(...)")
    return Tensor(name=arg.name, dtype=dtype, shape=tuple(dims), layout=layout, strides=strides) if dtype else None


def read_size(dim: tree.Value, sizes: Scope, found: Collector) -> str | None:
    """A dimension or stride as canonical text."""
    expr = read_expr(dim, sizes, "number", found)
    if expr is None:
        return None
    value = None if names(expr) else evaluate(expr, {})
    if value is not None and (not isinstance(value, int) or value < 1):
        found.add("SPK211", "a dimension must be a whole number of at least 1", dim.span, "or the name of an axis")
        return None
    folded = as_expr(expr, found)
    return print_expr(folded) if folded is not None else None


def _unique(args: tuple[Any, ...], axes: dict[str, Span], found: Collector) -> dict[str, Span]:
    """Names of parameters, results and axes must differ, and be usable in C++ and Python."""
    places: dict[str, Span] = {}
    for name, span in [*((arg.name, arg.span) for arg in args), *axes.items()]:
        if name in RESERVED:
            found.add("SPK221", f"{name!r} is reserved", span, "choose another name")
        elif not NAME.match(name):
            found.add(
                "SPK221",
                f"{name!r} cannot be a name in C++",
                span,
                "use letters, digits and `_`, beginning with a letter",
            )
        elif name in places:
            found.add("SPK222", f"{name!r} is named twice", span, f"the first is at {places[name]}")
        else:
            places[name] = span
    return places
