"""No index, counter or size that can pass 2^31 for an admitted shape is computed or kept in 32 bits.

The ranges of `blockIdx` and `threadIdx` come from the plan's grids and blocks, those of parameters from the axes'
bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from spak.check.bounds import ANY, Interval, interval, narrow
from spak.check.source import Function, text_of
from spak.check.subject import Finding, Subject
from spak.check.widths import I32, I64, Finding32, Value, Widths, constant
from spak.errors import Diagnostic
from spak.model.evidence import Check

NAME = "index width"
NEEDS = frozenset({"tree", "plan", "values"})

_AXES = "xyz"


def check(subject: Subject) -> Iterable[Finding]:
    constants = _constants(subject)
    functions = {f.name: f for f in subject.source.functions}
    launched = {launch.kernel for launch in subject.plan.launch}
    all_launches = list(range(len(subject.plan.launch)))
    for function in subject.source.functions:
        entry = function.name in launched
        launches = (
            [i for i in all_launches if subject.plan.launch[i].kernel == function.name] if entry else all_launches
        )
        names = {**constants, **_parameters(subject, function, launches if entry else [])}
        walk = Widths(subject.source, _Builtins(subject, launches), names, functions)
        try:
            found = walk.run(function.body)
        except RecursionError:
            yield Check(name=NAME, verdict="unproved", detail=f"{function.name} nests too deeply to follow")
            continue
        for finding in _outermost(found):
            yield _diagnostic(subject, finding)


def _diagnostic(subject: Subject, finding: Finding32) -> Diagnostic:
    text = " ".join(text_of(finding.node).split())
    reach = f"2^{finding.reach.bit_length() - 1}" if finding.reach > 2**33 else str(finding.reach)
    arithmetic = finding.what.endswith("arithmetic")
    message = f"{text!r} can reach {reach}, too much for {finding.what}"
    hint = "make the first operand long long" if arithmetic else "use long long"
    return Diagnostic(
        "SPK440", message, subject.source.span(finding.node), f"{hint}, or bound the axis in the spec with require"
    )


def _outermost(found: list[Finding32]) -> list[Finding32]:
    """One finding a place: what is wrong inside an expression is wrong once."""
    seen: set[int] = set()
    kept = []
    for finding in found:
        if finding.node.start_byte not in seen:
            seen.add(finding.node.start_byte)
            kept.append(finding)
    return kept


class _Builtins:
    """Ranges of the built-in indices over the launches that run a function."""

    def __init__(self, subject: Subject, launches: list[int]) -> None:
        self.subject = subject
        self.launches = launches

    def __call__(self, owner: str, member: str) -> Interval:
        dim = _AXES.index(member)
        sizes = [self._size("block" if owner in ("threadIdx", "blockDim") else "grid", i, dim) for i in self.launches]
        if not sizes:
            return ANY
        joined = sizes[0]
        for size in sizes[1:]:
            joined = joined.join(size)
        return Interval(0, max(joined.high - 1, 0)) if owner.endswith("Idx") else joined

    def _size(self, key: str, index: int, dim: int) -> Interval:
        subject, limits = self.subject, self.subject.target.limits
        expr = subject.expressions.get(("launch", index, key, dim))
        if expr is None:
            return Interval(1, 1)
        size = interval(expr, narrow(subject.domain.env, subject.reached(index)))
        most = (limits.max_block if key == "block" else limits.max_grid)[dim]  # what exceeds it is never launched
        return size.meet(Interval(1, most)) if most else size


def _parameters(subject: Subject, function: Function, launches: list[int]) -> dict[str, Value]:
    """Ranges of a kernel's parameters: the join over its launches of what each passes."""
    names = {p.name: Value(_type(p.base)) for p in function.params if not p.pointers}
    ranges: dict[str, Interval] = {}
    for index in launches:
        args = subject.plan.launch[index].args
        if len(args) != len(function.params):
            return names
        env = narrow(subject.domain.env, subject.reached(index))
        for param, arg in zip(function.params, args, strict=True):
            known = env.get(arg, ANY)
            ranges[param.name] = ranges[param.name].join(known) if param.name in ranges else known
    return {name: Value(value.type, ranges.get(name, ANY)) for name, value in names.items()}


def _type(base: str) -> str:
    return {"int": I32, "long long": I64}.get(base, "")


def _constants(subject: Subject) -> dict[str, Value]:
    """[params], macros that are one number, and integer constants at namespace scope."""
    names = {name: Value(I32 if abs(v) < 2**31 else I64, Interval(v, v)) for name, v in subject.plan.params.items()}
    for line in subject.source.text.splitlines():
        if match := re.fullmatch(r"\s*#\s*define\s+(\w+)\s+(\d+)\s*", line):
            names[match[1]] = Value(I32, Interval(int(match[2]), int(match[2])))
    for node in subject.source.root.named_children:
        if node.type != "declaration":
            continue
        kind = _type(subject.source.resolve(text_of(node.child_by_field_name("type"))).removeprefix("const "))
        for declarator in node.children_by_field_name("declarator"):
            name, value = declarator.child_by_field_name("declarator"), declarator.child_by_field_name("value")
            if declarator.type == "init_declarator" and name is not None and value is not None and kind:
                names[text_of(name)] = Value(kind, constant(subject.source, value, names).range)
    return names
