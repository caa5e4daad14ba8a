"""Dispatch is total: in every step, some launch's `when` holds for every shape that `require` admits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.claims import Claim, decide
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.lang.expr import Binary, Expr

NAME = "plan: dispatch total"
NEEDS = frozenset({"plan", "values"})


def check(subject: Subject) -> Iterable[Finding]:
    if subject.domain.base is None:
        hint = "check the spec's require and the variant's: together they admit nothing that fits into memory"
        yield Diagnostic(
            "SPK471", "no shape was found that meets every require", subject.file.span(), hint, severity="warning"
        )
    yield from decide(subject, NAME, _claims(subject))


def _claims(subject: Subject) -> Iterator[Claim]:
    for step, indexes in subject.steps().items():
        some: Expr = subject.expressions["launch", indexes[0], "when"]
        for index in indexes[1:]:
            some = Binary("||", some, subject.expressions["launch", index, "when"])
        hint = 'end the step with a launch whose when is "true", or let the spec require what it needs'
        which = f" of step {step!r}" if step else ""
        yield Claim(
            f"some launch{which} runs",
            ("launch", indexes[-1], "when"),
            some,
            "SPK460",
            f"for {{shape}} no launch{which} runs",
            hint,
        )
