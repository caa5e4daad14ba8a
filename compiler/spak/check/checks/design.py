"""The variant's or the plan's design names one value of each axis of the design space, and [params] lie in the tuning
space.

Parameters that the tuning space does not name are constants of this reply's own; that is allowed, tuning space or
not. One whose name is nearly that of a tuning parameter draws a warning, for a misspelt parameter would silently not
be tuned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from spak.check.scope import names_in
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.lang.expr import evaluate, parse_expr

NAME = "design and tuning"
NEEDS = frozenset({"plan"})


def check(subject: Subject) -> Iterable[Finding]:
    yield from _design(subject)
    yield from _tuning(subject)


def _design(subject: Subject) -> Iterator[Diagnostic]:
    plan, file = subject.plan, subject.file
    spaces = {choice.name: choice.values for choice in subject.unit.design_space}
    for name, value in plan.design.items():
        place = file.span("design", name)
        if name not in spaces:
            near = get_close_matches(name, sorted(spaces), 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"the design space has: {', '.join(sorted(spaces)) or 'no axis'}"
            )
            yield Diagnostic(
                "SPK456",
                f"design.{name} is no axis of the design space",
                file.places.get(("design", name, "#key"), place),
                hint,
            )
        elif value not in spaces[name]:
            near = get_close_matches(str(value), [str(v) for v in spaces[name]], 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it may be: {', '.join(str(v) for v in spaces[name])}"
            yield Diagnostic("SPK456", f"design.{name} is {value!r}", place, hint)
        elif name in subject.variant.design and subject.variant.design[name] != value:
            says = f"variant {subject.variant.name!r} says {subject.variant.design[name]!r}"
            message = f"design.{name} is {value!r}, but {says}"
            yield Diagnostic("SPK456", message, place, "the spec decides; drop it or follow it")
    for name, values in spaces.items():
        if name not in plan.design and name not in subject.variant.design:
            hint = f"add to the plan: [design] {name} = one of {', '.join(str(v) for v in values)}"
            yield Diagnostic(
                "SPK456", f"nothing says which {name!r} of the design space this is", file.span("design"), hint
            )


def _tuning(subject: Subject) -> Iterator[Diagnostic]:
    plan, file = subject.plan, subject.file
    space = {choice.name: choice.values for choice in subject.unit.tuning_space.parameters}
    for name, value in plan.params.items():
        place = file.span("params", name)
        if name in space and value not in space[name]:
            yield Diagnostic(
                "SPK457", f"{name} = {value} is outside the tuning space", place, f"it may be: {_values(space[name])}"
            )
        elif name not in space and (
            near := get_close_matches(name.lower(), [s.lower() for s in space if s not in plan.params], 1, 0.75)
        ):
            meant = next(s for s in space if s.lower() == near[0])
            message = f"{name!r} is not in the tuning space, so it will not be tuned"
            yield Diagnostic(
                "SPK459",
                message,
                file.places.get(("params", name, "#key"), place),
                f"did you mean {meant!r}?",
                severity="warning",
            )
    for text in subject.unit.tuning_space.constraints:
        constraint = parse_expr(text)
        if evaluate(constraint, {**subject.scope.constants}) is False:
            used = [name for name in names_in(constraint) if name in plan.params]
            values = ", ".join(f"{name} = {plan.params[name]}" for name in used)
            yield Diagnostic(
                "SPK458", f"{values} break the constraint {text}", file.span("params", *used[:1]), "choose other values"
            )


def _values(values: tuple[object, ...]) -> str:
    shown = [str(v) for v in values]
    return ", ".join(shown) if len(shown) <= 12 else f"{shown[0]} to {shown[-1]}"
