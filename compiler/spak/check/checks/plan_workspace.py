"""Workspaces have a size, and stay under what the unit's invariants allow.

Invariants whose `check` is an expression over axes and plan quantities are proved here: `workspace_bytes` (all buffers
together), `smem_bytes` (the most dynamic shared memory of a launch) and `launches` (how many steps run). Other
invariants are properties of results; they are verification's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.claims import Claim, at_least, at_most, decide, product, total
from spak.check.scope import is_boolean, names_in
from spak.check.subject import Finding, Subject
from spak.errors import SpakError
from spak.lang.expr import Binary, Call, Expr, ListLit, Name, Num, Unary, parse_expr
from spak.model.ir import ITEMSIZE

NAME = "plan: workspace and invariants"
NEEDS = frozenset({"plan", "values"})

_MAX = 2**63 - 1


def check(subject: Subject) -> Iterable[Finding]:
    yield from decide(subject, NAME, [*_sizes(subject), *_invariants(subject)])


def _bytes(subject: Subject, index: int) -> Expr:
    buffer = subject.plan.workspace[index]
    dims = [subject.expressions["workspace", index, "shape", dim] for dim in range(len(buffer.shape))]
    return product([*dims, Num(ITEMSIZE[buffer.dtype])])


def _sizes(subject: Subject) -> Iterator[Claim]:
    for index, buffer in enumerate(subject.plan.workspace):
        for dim in range(len(buffer.shape)):
            path = ("workspace", index, "shape", dim)
            expr = subject.expressions[path]
            yield Claim(
                f"{buffer.name}.shape[{dim}] >= 0",
                path,
                at_least(expr, 0),
                "SPK466",
                f"for {{shape}} the workspace {buffer.name!r} has a dimension of {{value}}",
                value=expr,
            )
        size = _bytes(subject, index)
        message = f"for {{shape}} the workspace {buffer.name!r} is {{value}} bytes, which does not fit 64 bits"
        place = ("workspace", index, "shape")
        yield Claim(
            f"{buffer.name} has a size", place, at_most(size, _MAX), "SPK467", message, "", (), size, inside=False
        )


def _invariants(subject: Subject) -> Iterator[Claim]:
    quantities = _quantities(subject)
    usable = {*subject.scope.integers(), *quantities}
    for invariant in subject.unit.invariants:
        expr = _plan_expression(invariant.check, usable, set(quantities))
        if expr is None:
            continue
        left = expr.left if isinstance(expr, Binary) else None
        value = _substitute(left, quantities) if left is not None else None
        said = f" ({invariant.statement})" if invariant.statement else ""
        message = f"for {{shape}} the invariant {invariant.name!r} does not hold: {invariant.check}{said}"
        if value is not None and isinstance(left, Name):
            message += f"; {left.id} is {{value}}"
        path = ("workspace",) if not subject.plan.workspace else ("workspace", 0)
        claim = _substitute(expr, quantities)
        yield Claim(f"invariant {invariant.name}", path, claim, "SPK466", message, "", (), value, inside=False)


def _quantities(subject: Subject) -> dict[str, Expr]:
    plan = subject.plan
    cuda = subject.source.dialect == "cuda"
    smem: list[Expr] = [subject.expressions["launch", i, "smem"] for i in range(len(plan.launch))] if cuda else [Num(0)]
    return {
        "workspace_bytes": total(_bytes(subject, index) for index in range(len(plan.workspace))),
        "smem_bytes": smem[0] if len(smem) == 1 else Call("max", tuple(smem)),
        "launches": Num(len(subject.steps())),
    }


def _plan_expression(text: str, usable: set[str], quantities: set[str]) -> Expr | None:
    """The invariant's check as an expression about the plan, None when it is about something else."""
    if not text:
        return None
    try:
        expr = parse_expr(text)
    except SpakError:
        return None  # a property by name, such as `permutation_equivariant(x, 0)`
    names = set(names_in(expr))
    return expr if is_boolean(expr) and names <= usable and names & quantities else None


def _substitute(expr: Expr, values: dict[str, Expr]) -> Expr:
    if isinstance(expr, Name):
        return values.get(expr.id, expr)
    if isinstance(expr, Unary):
        return Unary(expr.op, _substitute(expr.operand, values))
    if isinstance(expr, Binary):
        return Binary(expr.op, _substitute(expr.left, values), _substitute(expr.right, values))
    if isinstance(expr, Call):
        return Call(expr.fn, tuple(_substitute(argument, values) for argument in expr.args))
    if isinstance(expr, ListLit):
        return ListLit(tuple(_substitute(item, values) for item in expr.items))
    return expr
