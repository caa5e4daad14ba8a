"""Expressions: values, the third truth value, names, types, and bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import within
from spak.errors import Collector, SpakError, Span
from spak.lang.expr import UNKNOWN, check_types, evaluate, names, parse_expr, print_expr

ENV = {"M": 7, "N": 3, "x": 2.5, "t": {"tflops": 12.0}, "a.b": 4, "on": True, "mode": "fast", "zero": 0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("M + N * 2", 13),
        ("(M + N) * 2", 20),
        ("M - N - 1", 3),
        ("M - (N - 1)", 5),
        ("M / 2", 3.5),
        ("M // 2", 3),
        ("-M // 2", -4),
        ("-M % N", 2),
        ("cdiv(M, N)", 3),
        ("cdiv(-M, N)", -2),
        ("min(M, N, 1)", 1),
        ("max(M, x)", 7),
        ("abs(-x)", 2.5),
        ("M >= 7 && N < 4", True),
        ("M >= 7 and not N < 4", False),
        ("M == 7.0", True),
        ("on == 1", False),
        ('mode == "fast"', True),
        ("N in [1, 3]", True),
        ("N in []", False),
        ("M in [1, 3]", False),
        ('mode in ["slow"]', False),
        ("t.tflops > 10", True),
        ("a.b", 4),
        ("2 * 3 == 6 || false", True),
        ("!on", False),
        ("1e-3", 0.001),
        ("1_000", 1000),
    ],
)
def test_values(text: str, value: Any) -> None:
    got = evaluate(parse_expr(text), ENV)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "missing",
        "missing + 1",
        "M / zero",
        "M // 0",
        "M % zero",
        "cdiv(M, zero)",
        "cdiv(x, 2)",
        "mode + 1",
        "mode < 3",
        "!M",
        "-on",
        "t.missing > 1",
        "on && missing",
        "false || missing",
        "missing in [1]",
        "missing == missing",
        "M in [missing]",
        "min(mode, 1)",
        "1e308 * 10 - 1e308 * 10",
        "on + 1",
        "M in mode",
    ],
)
def test_unknown(text: str) -> None:
    assert evaluate(parse_expr(text), ENV) is UNKNOWN


def test_what_is_decided_stays_decided() -> None:
    assert evaluate(parse_expr("false && missing"), ENV) is False
    assert evaluate(parse_expr("missing && N > 5"), ENV) is False
    assert evaluate(parse_expr("missing || M > 5"), ENV) is True
    assert evaluate(parse_expr("N in [missing, 3]"), ENV) is True


def test_unknown_is_no_condition() -> None:
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)


def test_large_integers_are_exact_and_bounded() -> None:
    assert evaluate(parse_expr("M * N * 2"), {"M": 2**62, "N": 3}) == 2**63 * 3
    env = {"x": 10**600}
    assert evaluate(parse_expr("x * x * x"), env) is UNKNOWN
    assert evaluate(parse_expr("x / 3"), env) is UNKNOWN
    assert evaluate(parse_expr("x * 2"), env) == 2 * 10**600


@settings(max_examples=200, deadline=None, database=None)
@given(st.integers(-50, 50), st.integers(-50, 50).filter(bool), st.integers(-50, 50))
def test_agrees_with_python(a: int, b: int, c: int) -> None:
    env = {"a": a, "b": b, "c": c}
    for text in (
        "a + b * c - a // b",
        "a % b + (c - a) * 2",
        "a // b * b + a % b == a",
        "-a * -b",
        "a < b || b <= c && !(c == a)",
    ):
        python = text.replace("&&", " and ").replace("||", " or ").replace("!(", " not (")
        assert evaluate(parse_expr(text), env) == eval(python, {}, env)


def test_names_and_canonical_text() -> None:
    expr = parse_expr("  cdiv( M,BM )*2 >= max( N ,1) and not on or t.tflops<3")
    assert names(expr) == {"M", "BM", "N", "on", "t.tflops"}
    assert print_expr(expr) == "cdiv(M, BM) * 2 >= max(N, 1) && !on || t.tflops < 3"


@pytest.mark.parametrize("text", ["!(M in [1, 2])", "!(M == 3) && on", "!!(M < 3)", "!((M + N) * 2 == 3)", "!on"])
def test_what_a_negation_covers_is_seen(text: str) -> None:
    assert print_expr(parse_expr(text)) == text


@pytest.mark.parametrize(
    ("text", "code", "col"),
    [
        ("1 < x < 3", "SPK104", 7),
        ("foo(2)", "SPK108", 1),
        ("a @ b", "SPK101", 3),
        ("(a", "SPK103", 1),
        ("a b", "SPK104", 3),
        ("", "SPK104", 1),
        ("x = 3", "SPK104", 3),
        ("a | b", "SPK108", 1),
        ("cdiv(1)", "SPK108", 1),
        ("a[0]", "SPK108", 1),
        ("{a: 1}", "SPK108", 1),
        ("1 +", "SPK104", 3),
        ('"open', "SPK102", 1),
        ("9" * 5000, "SPK107", 0),
        ("9" * 400 + ".5", "SPK105", 1),
        ("a # b", "SPK101", 3),
    ],
)
def test_errors_have_a_code_and_a_place(text: str, code: str, col: int) -> None:
    with pytest.raises(SpakError) as caught:
        parse_expr(text)
    first = caught.value.diagnostics[0]
    assert first.code == code
    assert (first.span.col if first.span else 0) == col
    assert first.hint


def test_errors_point_into_the_file() -> None:
    with pytest.raises(SpakError) as caught:
        parse_expr("M + foo(2)", Span("specs/a/SPEC.a.md", 12, 20, 12, 30))
    assert str(caught.value).startswith("specs/a/SPEC.a.md:12:24: SPK108")


@pytest.mark.parametrize(
    "text",
    [
        "-" * 3999 + "1",
        "+".join("1" * 1999),
        "(" * 1500 + "1" + ")" * 1500,
        "!" * 300 + "a",
        "abs(" * 200 + "1" + ")" * 200,
    ],
)
def test_depth_is_bounded_and_quick(text: str) -> None:
    def read() -> None:
        with pytest.raises(SpakError) as caught:
            parse_expr(text)
        assert caught.value.diagnostics[0].code in {"SPK106", "SPK107"}

    assert within(5, read)


@pytest.mark.parametrize(
    ("text", "wanted", "ok"),
    [
        ("M >= 1", "truth", True),
        ("M", "truth", False),
        ("M + 1", "number", True),
        ("M > 1", "number", False),
        ("on && M > 1", "truth", True),
        ("M && on", "truth", False),
        ("on + 1 > 2", "truth", False),
        ('M == "a"', "truth", False),
        ('mode == "a"', "truth", True),
        ("any > 1 && any", "truth", True),
        ("M in N", "truth", False),
        ("!M", "truth", False),
    ],
)
def test_types(text: str, wanted: str, ok: bool) -> None:
    found = Collector()
    check_types(
        parse_expr(text), {"M": "number", "N": "number", "on": "truth", "mode": "text", "any": ""}, wanted, found
    )
    assert (not found.errors) is ok


def test_integers_beyond_floats_are_compared_exactly() -> None:
    env = {"h": 10**400, "nan": float("nan")}
    values = [
        evaluate(parse_expr(text), env) for text in ("h * h > 5", "h > 1.5", "-h < 0", "h <= 1e308", "h == h + 1")
    ]
    assert values == [True, True, True, False, False]
    unknown = ("h * 1.5", "nan < 1", "min(nan, 1)", "max(1, nan)", "nan + 1", "-nan")
    assert all(evaluate(parse_expr(text), env) is UNKNOWN for text in unknown)
