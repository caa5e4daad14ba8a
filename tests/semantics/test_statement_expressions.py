"""What expressions of statements have beyond those of launch plans: indices, members, `len`, texts."""

from __future__ import annotations

from typing import Any

import pytest
from spak.errors import Collector, SpakError
from spak.lang.expr import MAX_TEXT, UNKNOWN, as_expr, evaluate, names, parse_expr, print_expr
from spak.lang.syntax import parse_expression

ENV = {"xs": [1, [2, 3], {"a": 4}], "m": {"k": {"d": 7}}, "s": "abc", "n": 2, "t": True}
CASES: list[tuple[str, Any]] = [
    ("xs[0]", 1),
    ("xs[1][0] + 1", 3),
    ("xs[n].a", 4),
    ('m["k"].d', 7),
    ("xs[3]", UNKNOWN),
    ("xs[-1]", UNKNOWN),
    ("xs[t]", UNKNOWN),
    ("s[0]", UNKNOWN),
    ("len(xs)", 3),
    ("len(s) + len(m)", 4),
    ("len(n)", UNKNOWN),
    ('s + "d"', "abcd"),
    ('s + "d" == "abcd"', True),
    ("s + n", UNKNOWN),
    ('"b" in s', True),
    ('"x" in s', False),
    ("n in s", UNKNOWN),
    ('!("x" in s) && len(xs) > 2', True),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_evaluates(text: str, wanted: Any) -> None:
    result = evaluate(parse_expr(text, statements=True), ENV)
    assert result == wanted
    assert type(result) is type(wanted)


@pytest.mark.parametrize("text", [text for text, _ in CASES])
def test_prints_as_it_was_read(text: str) -> None:
    expr = parse_expr(text, statements=True)
    assert parse_expr(print_expr(expr), statements=True) == expr


@pytest.mark.parametrize("text", ["xs[0]", "f.a[0].b", "len(xs)", "xs[0].a"])
def test_launch_plans_have_none_of_it(text: str) -> None:
    with pytest.raises(SpakError, match="SPK108"):
        parse_expr(text)


@pytest.mark.parametrize("text", ["xs[1, 2]", "xs[]", "len()", "len(a, b)", "f(x)[0]", "(a)(b)"])
def test_some_things_nobody_has(text: str) -> None:
    found = Collector()
    value = parse_expression(text, "e", found)
    assert value is None or as_expr(value, found, statements=True) is None
    assert found.errors


def test_names_of_indices_are_names() -> None:
    assert names(parse_expr("xs[i].a + m[k]", statements=True)) == {"xs", "i", "m", "k"}


def test_texts_do_not_grow_without_bound() -> None:
    half = "x" * (MAX_TEXT // 2 + 1)
    assert evaluate(parse_expr("s + s", statements=True), {"s": half}) is UNKNOWN
