"""Grid, block, shared memory and cluster stay inside the target's limits for every admitted shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.bounds import interval
from spak.check.claims import Claim, at_least, at_most, decide, product
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.lang.expr import Binary, Expr, Num
from spak.model.evidence import Check

NAME = "plan: limits"
NEEDS = frozenset({"plan", "values"})

_AXES = "xyz"
_SMEM_ALIGNMENT = 16


def check(subject: Subject) -> Iterable[Finding]:
    if subject.source.dialect != "cuda":
        yield Check(name=NAME, verdict="passed", detail="plain functions have no grid")
        return
    for index in range(len(subject.plan.launch)):
        yield from _smem_alignment(subject, index)
    yield from decide(subject, NAME, (c for i in range(len(subject.plan.launch)) for c in _claims(subject, i)))


def _claims(subject: Subject, index: int) -> Iterator[Claim]:
    yield from _grid(subject, index)
    yield from _block(subject, index)
    yield from _cluster(subject, index)
    yield from _smem(subject, index)


def _dims(subject: Subject, index: int, key: str) -> list[Expr]:
    count = min(len(getattr(subject.plan.launch[index], key)), 3)  # more are the names check's finding
    return [subject.expressions["launch", index, key, dim] for dim in range(count)]


def _grid(subject: Subject, index: int) -> Iterator[Claim]:
    given = tuple(subject.reached(index))
    for dim, expr in enumerate(_dims(subject, index, "grid")):
        path, name = ("launch", index, "grid", dim), f"grid.{_AXES[dim]}"
        yield Claim(
            f"launch[{index}] {name} >= 1", path, at_least(expr, 1), "SPK470",
            f"for {{shape}} {name} is {{value}}, and an empty grid cannot be launched",
            "let the spec require the axis to be at least 1, or take max(1, ...) and guard in the kernel", given, expr,
        )  # fmt: skip
        limit = subject.target.limits.max_grid[dim]
        if limit:
            hint = "put the longest axis on grid.x, or loop in the kernel over a grid of min(...)"
            message = f"for {{shape}} {name} is {{value}} > {limit}"
            yield Claim(
                f"launch[{index}] {name} <= {limit}", path, at_most(expr, limit), "SPK461", message, hint, given, expr
            )


def _block(subject: Subject, index: int) -> Iterator[Claim]:
    given, limits = tuple(subject.reached(index)), subject.target.limits
    dims = _dims(subject, index, "block")
    for dim, expr in enumerate(dims):
        path, name = ("launch", index, "block", dim), f"block.{_AXES[dim]}"
        yield Claim(
            f"launch[{index}] {name} >= 1",
            path,
            at_least(expr, 1),
            "SPK462",
            f"for {{shape}} {name} is {{value}}",
            "",
            given,
            expr,
        )
        if limit := limits.max_block[dim]:
            message = f"for {{shape}} {name} is {{value}} > {limit}"
            yield Claim(
                f"launch[{index}] {name} <= {limit}", path, at_most(expr, limit), "SPK462", message, "", given, expr
            )
    several = sum(dim != Num(1) for dim in dims) > 1  # one dimension alone has met its own limit, which is the same
    if (limit := limits.max_threads_per_block) and several:
        threads = product(dims)
        message = f"for {{shape}} a block has {{value}} threads, more than {limit}"
        whole = ("launch", index, "block")
        yield Claim(
            f"launch[{index}] threads <= {limit}",
            whole,
            at_most(threads, limit),
            "SPK462",
            message,
            "",
            given,
            threads,
            inside=False,
        )


def _cluster(subject: Subject, index: int) -> Iterator[Claim]:
    given, path = tuple(subject.reached(index)), ("launch", index, "cluster")
    cluster = subject.plan.launch[index].cluster
    size = 1
    for count in cluster:
        size *= count
    limit = subject.target.limits.max_cluster
    if min(cluster, default=1) < 1 or size > limit:
        shape = " x ".join(map(str, cluster))
        message = f"a cluster of {shape} is not 1 to {limit} blocks, which is what {subject.target.name} has"
        yield Claim(f"launch[{index}] cluster", path, Num(False), "SPK464", message, "", given, inside=False)
        return
    for dim, (expr, count) in enumerate(zip(_dims(subject, index, "grid"), cluster, strict=False)):
        if count > 1:
            message = f"for {{shape}} grid.{_AXES[dim]} is {{value}}, no multiple of the cluster's {count}"
            whole = Binary("==", Binary("%", expr, Num(count)), Num(0))
            hint = f"round up: cdiv(..., {count}) * {count}, and guard in the kernel"
            yield Claim(
                f"launch[{index}] grid.{_AXES[dim]} % {count} == 0",
                ("launch", index, "grid", dim),
                whole,
                "SPK464",
                message,
                hint,
                given,
                expr,
            )


def _smem(subject: Subject, index: int) -> Iterator[Claim]:
    given, path = tuple(subject.reached(index)), ("launch", index, "smem")
    expr = subject.expressions[path]
    yield Claim(
        f"launch[{index}] smem >= 0",
        path,
        at_least(expr, 0),
        "SPK463",
        "for {shape} smem is {value} bytes",
        "",
        given,
        expr,
    )
    if limit := subject.target.limits.max_shared_bytes:
        message = f"for {{shape}} smem is {{value}} bytes, more than the {limit} that {subject.target.name} has"
        yield Claim(
            f"launch[{index}] smem <= {limit}",
            path,
            at_most(expr, limit),
            "SPK463",
            message,
            "smaller tiles or fewer stages",
            given,
            expr,
        )


def _smem_alignment(subject: Subject, index: int) -> Iterator[Diagnostic]:
    """Shared memory whose size is fixed should be a whole number of 16-byte vectors, which wide copies end on."""
    path = ("launch", index, "smem")
    size = interval(subject.expressions[path], subject.domain.env)
    if size.low == size.high and size.low % _SMEM_ALIGNMENT:
        hint = f"{-(-size.low // _SMEM_ALIGNMENT) * _SMEM_ALIGNMENT} would be"
        message = f"smem of {size.low} bytes is no multiple of {_SMEM_ALIGNMENT}"
        yield Diagnostic("SPK465", message, subject.file.inside(*path), hint, severity="warning")
