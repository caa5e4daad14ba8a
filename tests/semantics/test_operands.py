"""Operands: what values of statements are under an environment."""

from __future__ import annotations

from typing import Any

import pytest
from spak.errors import Collector, SpakError, Span
from spak.lang.expr import UNKNOWN, parse_expr
from spak.semantics.holes import template
from spak.semantics.operand import all_names, find, reads, render, text, value
from spak.semantics.program import Fields, Items, Template

ENV: dict[str, Any] = {
    "name": "Ada",
    "best": {"tflops": 1.5, "tile": 64},
    "xs": [1, "b", {"c": True}],
    "axiom": {"1": "Measure."},
    "trace": {"Performance": {"tflops": 0.1}, "last": {"Performance": {"tflops": 0.1}}},
}


def made(raw: str) -> Template:
    found = Collector()
    result = template(raw, Span("f.dsl", 3, 7), found)
    assert not found.found
    return result


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("hello", "hello"),
        ("{{name}} and {{ name }}", "Ada and Ada"),
        ("{{best.tflops}} {{best.tile}}", "1.5 64"),
        ("{{axiom.1}} {{xs.1}}", "Measure. b"),
        ("{{trace.Performance.tflops}}", "0.1"),
        ("{{xs}}", '[1, "b", {"c": true}]'),
        ('{{}} {{"a": 1}} {{ 1 }}', '{{}} {{"a": 1}} {{ 1 }}'),
    ],
)
def test_holes_are_filled(raw: str, wanted: str) -> None:
    assert render(made(raw), ENV) == wanted


def test_what_fills_a_hole_is_not_read_again() -> None:
    assert render(made("{{a}}"), {"a": "{{name}}", "name": "x"}) == "{{name}}"


@pytest.mark.parametrize("raw", ["{{bset}}", "{{best.tflop}}", "{{xs.9}}", "{{name.first}}"])
def test_a_missing_name_is_an_error_at_the_text(raw: str) -> None:
    with pytest.raises(SpakError) as caught:
        render(made(raw), ENV)
    (only,) = caught.value.diagnostics
    assert only.code == "SPK204"
    assert only.span == Span("f.dsl", 3, 7)


def test_values() -> None:
    assert value(parse_expr("best.tflops * 2"), ENV) == 3.0
    assert value(parse_expr("nothing + 1"), ENV) is UNKNOWN
    assert value(Items((made("{{name}}"), parse_expr("1 + 1"))), ENV) == ["Ada", 2]
    assert value(Items((parse_expr("1 / 0"),)), ENV) is UNKNOWN
    assert value(Fields((("a", parse_expr("best")), ("b", made("x")))), ENV) == {"a": ENV["best"], "b": "x"}
    assert value(Fields((("a", parse_expr("oops")),)), ENV) is UNKNOWN
    assert value(parse_expr("[1, oops]"), ENV) is UNKNOWN


@pytest.mark.parametrize(
    ("one", "wanted"),
    [(True, "true"), (None, "null"), (3, "3"), (0.1, "0.1"), (1e300, "1e+300"), ({"ä": 1}, '{"ä": 1}'), (UNKNOWN, "unknown")],
)  # fmt: skip
def test_text(one: Any, wanted: str) -> None:
    assert text(one) == wanted


def test_reads() -> None:
    whole = Fields(
        (("a", Items((made("{{best.tflops}}"), parse_expr("xs[0] + y.z", statements=True)))), ("b", made("plain")))
    )
    assert reads(whole) == {"best", "xs", "y"}
    assert all_names(whole) == {"best.tflops", "xs", "y.z"}


def test_find_prefers_a_whole_name() -> None:
    assert find("a.b", {"a.b": 1, "a": {"b": 2}}) == 1
    assert find("xs.0", {"xs": [5]}) == 5
    assert find("xs.0", {"xs": {"0": 6}}) == 6
    assert find("xs.1", {"xs": [5]}) is UNKNOWN
