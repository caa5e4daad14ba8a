"""Columns of numbers come out as Python computes them row by row, at every corner of arithmetic; what cannot, falls back."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from spak.knowledge.vector import Const, Fallback, Rows, compute, rows_of_ints
from spak.lang.expr import UNKNOWN, Binary, Call, Expr, ListLit, Name, Num, Unary, evaluate, parse_expr, print_expr

POOLS: dict[str, list[Any]] = {
    "small": [-3, -1, 0, 1, 2, 7],
    "exact": [-(2**53), -5, 0, 3, 2**52 + 1, 2**53],
    "large": [-(2**62) + 1, -(2**53) - 1, 0, 3, 2**53 + 1, 2**61, 2**62 - 1],
    "half": [-(2**31), -7, 0, 11, 2**31 + 1],
    "plain": [-2.5, -1.0, 0.0, 0.1, 1.0, 3.0],
    "corners": [-math.inf, -1e308, -0.0, 0.0, 5e-324, 1.0, 2.0**53, 1e308, math.inf, math.nan],
    "truths": [True, False],
    "texts": ["", "a", "b"],
}
LITERALS = st.sampled_from([-1, 0, 1, 2, 3, 7, 2**53 + 1, 2**62, 0.0, 0.1, 0.5, 1.0, 1e308, True]).map(Num)
LEAVES = st.one_of(st.sampled_from(["x", "y", "x", "y", "x", "y", "nan", "lost"]).map(Name), LITERALS)


def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner, inner),
        st.builds(Binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(Binary, st.sampled_from(["&&", "||"]), inner, inner),
        st.builds(lambda a, bs: Binary("in", a, ListLit(tuple(bs))), inner, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda f, xs: Call(f, tuple(xs)), st.sampled_from(["min", "max"]), st.lists(inner, min_size=1, max_size=3)
        ),
        st.builds(lambda a, b: Call("cdiv", (a, b)), inner, inner),
        st.builds(lambda a: Call("abs", (a,)), inner),
        st.builds(Unary, st.sampled_from("-!"), inner),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=6)


def column(values: list[Any]) -> Rows:
    import numpy as np

    if isinstance(values[0], bool):
        return Rows("bool", np.array(values))
    if isinstance(values[0], int):
        return rows_of_ints(values)
    if isinstance(values[0], str):
        return Rows("str", np.array(values, dtype=object))
    return Rows("float", np.array(values))


def computed(expr: Expr, xs: list[Any], ys: list[Any]) -> list[Any]:
    """The values of a batch as Python's. Raises Fallback."""
    batch = {"x": column(xs), "y": column(ys), "nan": Const(math.nan), "lost": Const(UNKNOWN)}
    found = compute(expr, batch)
    if isinstance(found, Const):
        return [found.value] * len(xs)
    assert isinstance(found, Rows)
    import numpy as np

    unknown = [False] * len(xs) if found.unknown is None else np.broadcast_to(found.unknown, len(xs)).tolist()
    return [UNKNOWN if blind else one for one, blind in zip(found.data.tolist(), unknown, strict=True)]


def agrees(expr: Expr, one: str, other: str) -> bool:
    """Whether the batch of all pairs of two pools is computed, and then as Python does it."""
    pairs = list(itertools.product(POOLS[one], POOLS[other]))
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    try:
        found = computed(expr, xs, ys)
    except Fallback:
        return False
    for x, y, got in zip(xs, ys, found, strict=True):
        expected = evaluate(expr, {"x": x, "y": y, "nan": math.nan})
        assert repr(got) == repr(expected), f"{print_expr(expr)} with x = {x!r}, y = {y!r}"
    return True


@settings(max_examples=600, deadline=None)
@given(EXPRESSIONS, st.sampled_from(sorted(POOLS)), st.sampled_from(sorted(POOLS)))
def test_every_corner(expr: Expr, one: str, other: str) -> None:
    event("computed" if agrees(expr, one, other) else "fell back")


PAIRS = list(itertools.product(sorted(POOLS), sorted(POOLS)))


@pytest.mark.parametrize("op", ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">="])
def test_every_operator_on_every_pair(op: str) -> None:
    for one, other in PAIRS:
        agrees(Binary(op, Name("x"), Name("y")), one, other)
        agrees(Binary(op, Name("x"), Num(3)), one, other)
        agrees(Binary(op, Num(0.5), Name("y")), one, other)


FUNCTIONS = (
    "min(x, y)", "max(x, y, 1.0)", "cdiv(x, y)", "abs(x)", "-x", "!x", "x in [y, 1, 0.1, x / y]", "x && y", "x || y",
    "min(x, y) > 1", "x in [lost, y]",
)  # fmt: skip


@pytest.mark.parametrize("text", FUNCTIONS)
def test_every_function_on_every_pair(text: str) -> None:
    for one, other in PAIRS:
        agrees(parse_expr(text), one, other)


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("2 * x * y * 1000 / 0.5 > 3", "small", "half"),
        ("x / 40.0 < 0.5 && y > 2", "plain", "corners"),
        ("cdiv(x, 64) * y % 2 == 0", "half", "small"),
        ("x // y + x % y == x", "half", "small"),
        ("x in [1, 0.5] || !(y <= 0.1)", "small", "plain"),
        ("max(x, 3.0) - min(x, y) > abs(y)", "plain", "corners"),
        ("x < y", "exact", "corners"),
        ('x == "a" && y', "texts", "truths"),
        ("x * y", "half", "small"),
    ],
)
def test_what_specs_say_is_computed_in_columns(text: str, one: str, other: str) -> None:
    assert agrees(parse_expr(text), one, other)


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("x * x", "large", "small"),
        ("x + y", "large", "large"),
        ("x / y", "large", "small"),
        ("x < y", "large", "plain"),
        ("x == y", "large", "plain"),
        ("min(x, y)", "small", "plain"),
        ('x + "a" == y', "texts", "texts"),
        ("x < 9223372036854775808", "small", "small"),
    ],
)
def test_what_numpy_would_compute_otherwise_falls_back(text: str, one: str, other: str) -> None:
    assert not agrees(parse_expr(text), one, other)
    with pytest.raises(Fallback):
        rows_of_ints([2**62])
