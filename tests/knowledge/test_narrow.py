"""Recommendations narrow the axes of a search, and never empty one or leave its space."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spak.errors import Diagnostic
from spak.knowledge.narrow import admits, narrow
from spak.semantics.program import Parameter, Recommendation

AXES = (Parameter("BM", (32, 64, 128)), Parameter("level", ("naive", "tiled")), Parameter("fast", (True, False)))


def narrowed(*made: tuple[str, str, Any]) -> tuple[dict[str, tuple[Any, ...]], list[Diagnostic]]:
    told: list[Diagnostic] = []
    found = narrow(AXES, [Recommendation(*one) for one in made], told.append)
    assert [one.name for one in found] == ["BM", "level", "fast"]
    return {one.name: one.values for one in found}, told


@pytest.mark.parametrize(
    ("made", "name", "left"),
    [
        (("BM", "=", 64), "BM", (64,)),
        (("BM", "==", 64.0), "BM", (64,)),
        (("BM", "<=", 64), "BM", (32, 64)),
        (("BM", "<", 64), "BM", (32,)),
        (("BM", ">", 32), "BM", (64, 128)),
        (("BM", "!=", 64), "BM", (32, 128)),
        (("BM", "in", [128, 32, 7]), "BM", (32, 128)),
        (("level", "=", "tiled"), "level", ("tiled",)),
        (("level", "in", ("tiled",)), "level", ("tiled",)),
        (("fast", "=", True), "fast", (True,)),
    ],
)
def test_operators(made: tuple[str, str, Any], name: str, left: tuple[Any, ...]) -> None:
    found, told = narrowed(made)
    assert found[name] == left and not told
    assert all(found[one.name] == one.values for one in AXES if one.name != name)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (("BM", "=", 96), "leaves no value"),
        (("fast", "=", 1), "leaves no value"),
        (("BM", "~", 64), "leaves no value"),
        (("BM", "in", 64), "leaves no value"),
        (("level", "<", 3), "leaves no value"),
    ],
)
def test_what_cannot_be_followed_is_passed_over_and_told(made: tuple[str, str, Any], why: str) -> None:
    found, (told,) = narrowed(made)
    assert found == {one.name: one.values for one in AXES}
    assert (told.code, told.severity) == ("SPK280", "warning") and why in told.message and told.hint


def test_what_is_about_another_space_is_nothing_to_tell() -> None:
    found, told = narrowed(("BN", "=", 64))
    assert found == {one.name: one.values for one in AXES} and not told


def test_the_latest_of_two_that_contradict_counts() -> None:
    found, told = narrowed(("BM", "=", 32), ("BM", ">=", 64))
    assert found["BM"] == (64, 128) and "BM = 32" in told[0].message
    assert narrowed(("BM", ">=", 64), ("BM", "<=", 64))[0]["BM"] == (64,)


@given(
    st.lists(
        st.builds(
            Recommendation,
            st.sampled_from(["BM", "level", "fast", "gone"]),
            st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "?"]),
            st.one_of(
                st.integers(0, 200), st.booleans(), st.sampled_from(["naive", "x"]), st.lists(st.integers(0, 99))
            ),
        )
    )
)
def test_a_search_never_ends_and_never_leaves_its_space(made: list[Recommendation]) -> None:
    for before, after in zip(AXES, narrow(AXES, made), strict=True):
        assert after.values and [one for one in before.values if one in after.values] == list(after.values)
    if made and admits(made[-1], 64) and made[-1].name == "BM":
        assert all(admits(made[-1], one) for one in narrow(AXES, made)[0].values)
