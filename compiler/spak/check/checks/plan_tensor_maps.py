"""TMA descriptors meet the hardware's rules on box and alignment for every admitted shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.claims import Claim, at_least, at_most, decide, product
from spak.check.subject import Finding, Subject
from spak.lang.expr import Binary, Expr, Num, parse_expr
from spak.model.evidence import Check
from spak.model.ir import ITEMSIZE

NAME = "plan: tensor maps"
NEEDS = frozenset({"plan", "values"})

_MAX_BOX = 256
_FLOATS = ("f64", "f32", "tf32", "f16", "bf16")
_ALIGNMENT = 16
_SWIZZLE = {"none": 0, "32B": 32, "64B": 64, "128B": 128}


def check(subject: Subject) -> Iterable[Finding]:
    if not subject.plan.tensor_map:
        yield Check(name=NAME, verdict="passed", detail="the plan has none")
        return
    yield from decide(subject, NAME, (c for i in range(len(subject.plan.tensor_map)) for c in _claims(subject, i)))


def _claims(subject: Subject, index: int) -> Iterator[Claim]:
    tensor_map = subject.plan.tensor_map[index]
    known = _tensor(subject, tensor_map.tensor)
    if known is None:
        return  # the names check has said so
    dims, itemsize, strides = known
    path = ("tensor_map", index, "box")
    box = [subject.expressions["tensor_map", index, "box", dim] for dim in range(len(tensor_map.box))]
    if len(box) != len(dims) or not 1 <= len(box) <= 5:
        message = f"the box has {len(box)} dimensions, but {tensor_map.tensor!r} has {len(dims)} (TMA takes 1 to 5)"
        yield Claim(f"box of {tensor_map.name}", path, Num(False), "SPK465", message, inside=False)
        return
    for dim, expr in enumerate(box):
        place = (*path, dim)
        about = f"box[{dim}] of {tensor_map.name}"
        yield Claim(f"{about} >= 1", place, at_least(expr, 1), "SPK465", f"{about} is {{value}}", value=expr)
        yield Claim(
            f"{about} <= {_MAX_BOX}",
            place,
            at_most(expr, _MAX_BOX),
            "SPK465",
            f"{about} is {{value}} > {_MAX_BOX}",
            value=expr,
        )
    inner = Binary("*", box[-1], Num(itemsize))
    place = (*path, len(box) - 1)
    whole = Binary("==", Binary("%", inner, Num(_ALIGNMENT)), Num(0))
    message = f"the box of {tensor_map.name} is {{value}} bytes wide, no multiple of {_ALIGNMENT}"
    yield Claim(f"inner box of {tensor_map.name}", place, whole, "SPK465", message, value=inner)
    if span := _SWIZZLE[tensor_map.swizzle]:
        message = f"the box of {tensor_map.name} is {{value}} bytes wide, more than the swizzle's {span}"
        yield Claim(f"swizzle of {tensor_map.name}", place, at_most(inner, span), "SPK465", message, value=inner)
    yield from _kind(subject, index)
    for stride in strides:
        size = Binary("*", stride, Num(itemsize))
        aligned = Binary("==", Binary("%", size, Num(_ALIGNMENT)), Num(0))
        message = (
            f"for {{shape}} a row of {tensor_map.tensor!r} is {{value}} bytes apart, no multiple of TMA's {_ALIGNMENT}"
        )
        hint = "launch it only when the axis divides, with another launch for the rest, or let the spec require it"
        given = _given(subject, tensor_map.name)
        yield Claim(
            f"strides of {tensor_map.tensor}",
            ("tensor_map", index, "tensor"),
            aligned,
            "SPK465",
            message,
            hint,
            given,
            size,
        )


def _kind(subject: Subject, index: int) -> Iterator[Claim]:
    """What TMA asks of the tensor itself: its innermost elements lie side by side, and only floats have a NaN."""
    tensor_map = subject.plan.tensor_map[index]
    name = tensor_map.tensor
    if name in subject.tensors and subject.tensors[name].layout == "strided":
        last = parse_expr(subject.tensors[name].strides[-1])
        message = f"for {{shape}} the elements of a row of {name!r} are {{value}} apart, and TMA takes neighbours only"
        place = ("tensor_map", index, "tensor")
        yield Claim(f"innermost stride of {name}", place, Binary("==", last, Num(1)), "SPK465", message, value=last)
    if tensor_map.fill == "nan" and subject.scope.dtype(name) not in _FLOATS:
        message = f"{tensor_map.name} fills with NaN, which {subject.scope.dtype(name)} has not"
        yield Claim(
            f"fill of {tensor_map.name}", ("tensor_map", index, "fill"), Num(False), "SPK465", message, inside=False
        )


def _given(subject: Subject, name: str) -> tuple[Expr, ...]:
    """When the map is used: with exactly one launch that takes it, that launch's condition."""
    users = [i for i, launch in enumerate(subject.plan.launch) if name in launch.args]
    return tuple(subject.reached(users[0])) if len(users) == 1 else ()


def _tensor(subject: Subject, name: str) -> tuple[tuple[Expr, ...], int, list[Expr]] | None:
    """(dimensions, bytes an element, strides of all but the innermost dimension) of a tensor or workspace."""
    if name in subject.tensors:
        tensor, dims = subject.tensors[name], subject.dims[name]
        if tensor.layout == "strided":
            return dims, subject.itemsizes[name], [parse_expr(stride) for stride in tensor.strides[:-1]]
        ordered = dims if tensor.layout == "row" else dims[::-1]
        return ordered, subject.itemsizes[name], [product(ordered[at + 1 :]) for at in range(len(ordered) - 1)]
    for index, buffer in enumerate(subject.plan.workspace):
        if buffer.name == name:
            shape = tuple(subject.expressions["workspace", index, "shape", dim] for dim in range(len(buffer.shape)))
            return shape, ITEMSIZE[buffer.dtype], [product(shape[at + 1 :]) for at in range(len(shape) - 1)]
    return None
