"""Claims about a plan, decided together and reported as one check. Knows how to say them, not what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spak.check.domain import Shape
from spak.check.plan_file import Path
from spak.check.prove import prove
from spak.check.subject import Finding, Subject
from spak.errors import Diagnostic
from spak.lang.expr import Binary, Expr, Num, evaluate
from spak.model.evidence import Check, Verdict


@dataclass(frozen=True)
class Claim:
    """`expr` holds for every admitted shape that meets `given`. When not, `message` is the finding.

    `message` is formatted with `{shape}` (the counterexample) and, when `value` is set, `{value}` (its value there).
    """

    about: str
    path: Path
    expr: Expr
    code: str
    message: str
    hint: str = ""
    given: tuple[Expr, ...] = ()
    value: Expr | None = None
    severity: str = "error"
    inside: bool = field(default=True)


def decide(subject: Subject, name: str, claims: Iterable[Claim]) -> Iterator[Finding]:
    """The findings of refuted claims, then one check with how many were decided, and how."""
    tally: Counter[str] = Counter()
    open_claims: list[str] = []
    samples, errors = 0, 0
    for claim in claims:
        proof = prove(subject.domain, claim.expr, claim.given, subject.z3_ms)
        tally[proof.verdict if proof.verdict != "proved" else f"proved by {proof.how}"] += 1
        if proof.shape is not None:
            errors += claim.severity == "error"
            yield _refuted(subject, claim, proof.shape)
        elif proof.verdict == "unproved":
            open_claims.append(claim.about)
            samples = max(samples, proof.samples)
    verdict: Verdict = "failed" if errors else "unproved" if open_claims else "passed"
    detail = ", ".join(f"{count} {how}" for how, count in sorted(tally.items())) or "nothing to prove"
    figures: dict[str, Any] = {how.replace(" ", "_"): count for how, count in sorted(tally.items())}
    if open_claims:
        detail += f"; held on {samples} sampled shapes, not proved: {'; '.join(open_claims)}"
        figures["samples"] = samples
    yield Check(name=name, verdict=verdict, detail=detail, figures=figures)


def _refuted(subject: Subject, claim: Claim, shape: Shape) -> Diagnostic:
    value = evaluate(claim.value, {**subject.scope.constants, **shape}) if claim.value is not None else ""
    place = subject.file.inside(*claim.path) if claim.inside else subject.file.span(*claim.path)
    message = claim.message.format(shape=shown(shape), value=value)
    return Diagnostic(claim.code, message, place, claim.hint, severity=claim.severity)


def shown(shape: Shape) -> str:
    """`M=1, N=4194304`."""
    return ", ".join(f"{name}={value}" for name, value in shape.items()) or "every call"


def at_most(expr: Expr, limit: int) -> Expr:
    return Binary("<=", expr, Num(limit))


def at_least(expr: Expr, limit: int) -> Expr:
    return Binary(">=", expr, Num(limit))


def product(factors: Iterable[Expr]) -> Expr:
    """Their product, 1 for none."""
    result: Expr = Num(1)
    for factor in factors:
        result = factor if result == Num(1) else Binary("*", result, factor)
    return result


def total(terms: Iterable[Expr]) -> Expr:
    """Their sum, 0 for none."""
    result: Expr = Num(0)
    for term in terms:
        result = term if result == Num(0) else Binary("+", result, term)
    return result
