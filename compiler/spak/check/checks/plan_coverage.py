"""Every result is handed to a kernel on every path, and the kernel can know how far it reaches. The rest is
verification's.

Whether each element is written cannot be read off a plan: a kernel may loop. What is decided here is sound, never more:
a result that some path does not pass is not written there, and an axis that is neither in the grid nor known to the
kernel cannot be covered. `x // T` blocks where `cdiv(x, T)` are needed draws a warning when the kernel does not loop
over the grid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.bounds import required_bounds
from spak.check.claims import shown
from spak.check.prove import prove
from spak.check.scope import names_in, parts
from spak.check.source import text_of, walk
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.lang.expr import Binary, Expr
from spak.model.evidence import Check

NAME = "plan: coverage"
NEEDS = frozenset({"plan", "values"})


def check(subject: Subject) -> Iterable[Finding]:
    findings = [*_unwritten(subject), *_unknown_axes(subject), *_tails(subject)]
    yield from findings
    errors = sum(finding.severity == "error" for finding in findings)
    if errors:
        yield Check(name=NAME, verdict="failed", detail=f"{errors} found")
    else:
        detail = "results are passed and axes known on every path; that each element is written, verification shows"
        yield Check(name=NAME, verdict="unproved", detail=detail)


def _unwritten(subject: Subject) -> Iterator[Diagnostic]:
    """A result must be passed in a step all of whose alternatives pass it."""
    launches = subject.plan.launch
    maps = {tensor_map.name: tensor_map.tensor for tensor_map in subject.plan.tensor_map}
    for result in subject.interface.signature.results:
        without: list[int] = []
        for indexes in subject.steps().values():
            missing = [i for i in indexes if result.name not in {maps.get(arg, arg) for arg in launches[i].args}]
            if not missing:
                break
            without += [i for i in missing if len(missing) < len(indexes)]
        else:
            place = subject.file.span("launch", without[0] if without else 0, "args")
            where = f"when launch[{without[0]}] runs, " if without else ""
            yield Diagnostic(
                "SPK468",
                f"{where}no kernel receives the result {result.name!r}, so nothing writes it",
                place,
                "add it to args",
            )


def _unknown_axes(subject: Subject) -> Iterator[Diagnostic]:
    """An axis of a result that is in no grid, no argument and no condition cannot be covered by the kernel that
    writes it.
    """
    bounds = required_bounds(subject)
    linked = {
        n for c in subject.requirements for p in parts(c) if isinstance(p, Binary) and p.op == "==" for n in names_in(p)
    }
    for index, launch in enumerate(subject.plan.launch):
        known = set(launch.args) | linked
        for path, expr in subject.expressions.items():
            if path[:2] == ("launch", index):
                known |= set(names_in(expr))
        if any(subject.scope.kind(arg) == "tensor_map" for arg in launch.args):
            continue  # a descriptor carries its tensor's extents
        for result in subject.interface.signature.results:
            if result.name not in launch.args:
                continue
            axes = {name for dim in subject.dims[result.name] for name in names_in(dim)}
            for axis in sorted(axes - known):
                if bounds[axis].low != bounds[axis].high:
                    place = subject.file.span("launch", index, "args")
                    message = (
                        f"launch[{index}] writes {result.name!r} but its axis {axis!r} is in neither grid nor args"
                    )
                    yield Diagnostic("SPK468", message, place, f"add {axis!r} to args, or to the grid")


def _tails(subject: Subject) -> Iterator[Diagnostic]:
    if subject.source.dialect != "cuda":
        return
    for (*head, key), expr in ((path, expr) for path, expr in subject.expressions.items() if path[0] == "launch"):
        if len(head) != 3 or head[2] != "grid":
            continue
        index = int(head[1])
        for part in parts(expr):
            if (
                isinstance(part, Binary)
                and part.op == "//"
                and names_in(part.left)
                and not _loops_over_grid(subject, index)
            ):
                yield from _tail(subject, (*head, key), index, part)


def _tail(subject: Subject, path: tuple[str | int, ...], index: int, part: Binary) -> Iterator[Diagnostic]:
    covered: Expr = Binary(">=", Binary("*", part, part.right), part.left)
    proof = prove(subject.domain, covered, subject.reached(index), subject.z3_ms)
    if proof.shape is not None:
        message = f"for {shown(proof.shape)} the grid rounds down and leaves a tail"
        yield Diagnostic(
            "SPK469", message, subject.file.inside(*path), "use cdiv(x, T), and guard in the kernel", severity="warning"
        )


def _loops_over_grid(subject: Subject, index: int) -> bool:
    functions = subject.source.entries(subject.plan.launch[index].kernel)
    return any(
        text_of(node) == "gridDim"
        for function in functions
        for node in walk(function.body)
        if node.type == "identifier"
    )
