"""A small body of knowledge made by hand, and traces for it: stands for a resolved program. Knows no text of one."""

from __future__ import annotations

from typing import Any

from spak.knowledge.item import Item
from spak.lang.expr import parse_expr
from spak.semantics.program import Case, Fact, Invariant, Program, Recommendation, Rule, Scope
from spak.semantics.types import BOOLEAN, NUMBER, STRING, Field, Type

PERFORMANCE = "TraceItem.Performance"
CORRECTNESS = "TraceItem.Correctness"
FLOAT = Type("float")


def case(name: str, **types: Type) -> Case:
    return Case(name, Type("case", name, fields=tuple(Field(field, type) for field, type in types.items())))


CASES = {
    PERFORMANCE: case(PERFORMANCE, level=STRING, tflops=FLOAT, note=Type("optional", args=(STRING,))),
    CORRECTNESS: case(CORRECTNESS, passed=BOOLEAN, error=NUMBER),
}


def fact(name: str, text: str | None, *params: tuple[str, str], scope: Scope = Scope()) -> Fact:  # noqa: B008
    body = parse_expr(text) if text is not None else None
    return Fact(name, params or (("t", PERFORMANCE),), body, scope=scope)


def rule(name: str, when: str | None, *recommend: tuple[str, str, Any], **more: Any) -> Rule:
    made = tuple(Recommendation(*one) for one in recommend)
    return Rule(more.pop("kind", "rule"), name, parse_expr(when) if when else None, recommend=made, **more)


def invariant(name: str, check: str | None, statement: str = "It is so.") -> Invariant:
    return Invariant(name, statement, parse_expr(check) if check else None)


def program(*parts: Fact | Rule | Invariant) -> Program:
    return Program(
        "sample.dsl",
        "sample",
        cases=CASES,
        facts={one.name: one for one in parts if isinstance(one, Fact)},
        rules=tuple(one for one in parts if isinstance(one, Rule)),
        invariants=tuple(one for one in parts if isinstance(one, Invariant)),
    )


def performance(seq: int, tflops: float, level: str = "naive", **more: Any) -> Item:
    return Item(PERFORMANCE, {"level": level, "tflops": tflops}, seq, "measure", "run", **more)


def correctness(seq: int, passed: bool, error: float = 0.0) -> Item:
    return Item(CORRECTNESS, {"passed": passed, "error": error}, seq, "verify", "run")
