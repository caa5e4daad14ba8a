"""Narrows the axes of a search by what fired rules recommend. Knows nothing of searching.

The latest recommendation counts first. One that would leave an axis empty, or names no axis, is passed over, and said so: advice
may focus a sweep, and never ends it or leads it outside of its space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from spak.errors import Diagnostic
from spak.knowledge.values import recommended
from spak.lang.expr import Binary, ListLit, Name, Num, Str, evaluate
from spak.semantics.program import Parameter, Recommendation

OPERATORS: Final = {"=": "==", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "in": "in"}


def narrow(
    parameters: Sequence[Parameter],
    recommendations: Sequence[Recommendation],
    tell: Callable[[Diagnostic], object] | None = None,
) -> tuple[Parameter, ...]:
    """The parameters with the values that are recommended; the order of axes and values is kept.

    `recommendations` are in the order in which they were made. One that leaves nothing is passed over and told as a
    warning (SPK280).
    """
    left = {one.name: one.values for one in parameters}
    for one in reversed(recommendations):
        if one.name not in left:
            continue  # about something else: that some space has the name was checked when the rule was read
        kept = tuple(value for value in left[one.name] if admits(one, value))
        if kept:
            left[one.name] = kept
        else:
            there = ", ".join(map(str, left[one.name][:20]))
            _tell(tell, one, "it leaves no value to try", f"what is left of {one.name}: {there}")
    return tuple(Parameter(one.name, left[one.name], span=one.span) for one in parameters)


def admits(recommendation: Recommendation, value: Any) -> bool:
    """Whether a value is as recommended: compared as expressions compare, so that `true` is not 1."""
    op = OPERATORS.get(recommendation.op)
    wanted = recommendation.value
    if op is None:
        return False
    if op == "in" and not isinstance(wanted, list | tuple):
        return False
    right = ListLit(tuple(_literal(one) for one in wanted)) if op == "in" else _literal(wanted)
    return evaluate(Binary(op, Name("value"), right), {"value": value}) is True


def _literal(value: Any) -> Any:
    return Str(value) if isinstance(value, str) else Num(value)


def _tell(tell: Callable[[Diagnostic], object] | None, one: Recommendation, why: str, hint: str) -> None:
    if tell is not None:
        what = f"the recommendation `{recommended(one.name, one.op, one.value)}` is passed over: {why}"
        tell(Diagnostic("SPK280", what, one.span if one.span.file else None, hint, severity="warning"))
