"""Every name of the plan stands for one thing, and every argument exists. Knows no parameter of a kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from spak.check.plan_file import Path
from spak.check.scope import nearest
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic

NAME = "plan: names"
NEEDS = frozenset({"plan"})

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED_WORDS = (
    "and asm auto block blockDim blockIdx bool break case cdiv char class const constexpr continue default "
    "delete do double else enum extern false float for goto grid gridDim if inline int long max min abs "
    "namespace new not or return short signed sizeof spak static std struct switch template this threadIdx "
    "true typedef union unsigned using void volatile warpSize while"
)
_RESERVED = frozenset(_RESERVED_WORDS.split())
_INT64 = 2**63


def check(subject: Subject) -> Iterable[Finding]:
    yield from subject.value_problems
    yield from _definitions(subject)
    yield from _arguments(subject)
    yield from _unused(subject)


def _definitions(subject: Subject) -> Iterator[Diagnostic]:
    plan, file = subject.plan, subject.file
    signature = subject.interface.signature
    taken = {p.name: "a parameter of the unit" for p in signature.params}
    taken |= {r.name: "a result of the unit" for r in signature.results} | dict.fromkeys(
        signature.axes, "an axis of the unit"
    )
    taken |= dict.fromkeys(subject.target.constants, "a constant of the target")
    defined: list[tuple[str, Path, str]] = [(name, ("params", name, "#key"), "the parameter") for name in plan.params]
    defined += [(w.name, ("workspace", i, "name"), "the workspace") for i, w in enumerate(plan.workspace)]
    defined += [(t.name, ("tensor_map", i, "name"), "the tensor map") for i, t in enumerate(plan.tensor_map)]
    for name, path, what in defined:
        place = file.places.get(path) or file.span(*path)
        if not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
            yield Diagnostic(
                "SPK455",
                f"{what} {name!r} cannot be a name in the device code",
                place,
                "letters, digits and underscores; no keyword",
            )
        if name in taken:
            yield Diagnostic("SPK454", f"{what} {name!r} is already {taken[name]}", place, "choose another name")
        taken.setdefault(name, f"{what} defined above".replace("the ", "a ", 1))
    for name, value in plan.params.items():
        if not -_INT64 <= value < _INT64:
            yield Diagnostic("SPK455", f"the parameter {name!r} does not fit 64 bits", file.span("params", name))
    for index, tensor_map in enumerate(plan.tensor_map):
        names = sorted([*subject.tensors, *(w.name for w in plan.workspace)])
        if tensor_map.tensor not in names:
            place = file.inside("tensor_map", index, "tensor")
            yield Diagnostic(
                "SPK452",
                f"tensor_map[{index}].tensor: {tensor_map.tensor!r} is no tensor",
                place,
                nearest(tensor_map.tensor, names),
            )
    for index, launch in enumerate(plan.launch):
        for key in ("grid", "block", "cluster"):
            given = getattr(launch, key)
            if not 1 <= len(given) <= 3:
                yield Diagnostic(
                    "SPK451",
                    f"launch[{index}].{key} has {len(given)} dimensions",
                    file.span("launch", index, key),
                    "one to three",
                )


def _arguments(subject: Subject) -> Iterator[Diagnostic]:
    scope, file = subject.scope, subject.file
    names = sorted(scope.kinds)
    for index, launch in enumerate(subject.plan.launch):
        for position, arg in enumerate(launch.args):
            place = file.inside("launch", index, "args", position)
            what = f"launch[{index}].args[{position}]"
            if not scope.kind(arg):
                simple = _IDENTIFIER.fullmatch(arg)
                hint = (
                    nearest(arg, names)
                    if simple
                    else "an argument is a name; compute the rest in the kernel, from axes and [params]"
                )
                yield Diagnostic("SPK452", f"{what}: {arg!r} is not defined", place, hint)
            elif scope.kind(arg) == "constant" and arg not in scope.constants:
                yield Diagnostic(
                    "SPK452",
                    f"{what}: {arg!r} is not an integer",
                    place,
                    "only integer constants of the target can be passed",
                )


def _unused(subject: Subject) -> Iterator[Diagnostic]:
    """A tensor or scalar that no launch receives cannot influence a result, which is rarely meant."""
    passed = {arg for launch in subject.plan.launch for arg in launch.args} | {
        t.tensor for t in subject.plan.tensor_map
    }
    for param in subject.interface.signature.params:
        if param.name not in passed:
            place = subject.file.span("launch", 0, "args")
            message = f"no kernel receives {param.name!r}, so no result can depend on it"
            yield Diagnostic("SPK459", message, place, "add it to args", severity="warning")
    for index, buffer in enumerate(subject.plan.workspace):
        if buffer.name not in passed:
            place = subject.file.span("workspace", index, "name")
            yield Diagnostic(
                "SPK459", f"no kernel receives the workspace {buffer.name!r}", place, "remove it", severity="warning"
            )
