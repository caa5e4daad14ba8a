"""Nothing that the launcher computes leaves 64 bits: every sum and product inside the plan's expressions, for every
shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spak.check.claims import Claim, at_least, at_most, decide
from spak.check.scope import parts
from spak.check.subject import Finding, Subject
from spak.lang.expr import Binary, Expr

NAME = "plan: no 64-bit overflow"
NEEDS = frozenset({"plan", "values"})

_MAX = 2**63 - 1


def check(subject: Subject) -> Iterable[Finding]:
    yield from decide(subject, NAME, _claims(subject))


def _claims(subject: Subject) -> Iterator[Claim]:
    seen: set[Expr] = set()
    for path, expr in subject.expressions.items():
        for part in parts(expr):
            if not (isinstance(part, Binary) and part.op in ("+", "-", "*")) or part in seen:
                continue
            seen.add(part)
            fits = Binary("&&", at_most(part, _MAX), at_least(part, -_MAX))
            message = "for {shape} an intermediate result is {value}, which does not fit 64 bits"
            yield Claim(
                f"{'.'.join(map(str, path))} fits 64 bits",
                path,
                fits,
                "SPK467",
                message,
                "divide before multiplying",
                (),
                part,
            )
