"""Proofs about plans agree with brute force over small domains, and say when they do not know."""

from __future__ import annotations

import itertools
from pathlib import Path

from checkbench import judge, tensor, unit
from hypothesis import given, settings
from hypothesis import strategies as st
from spak.check.bounds import Interval, interval
from spak.check.domain import Domain
from spak.check.prove import _z3, prove
from spak.lang.expr import UNKNOWN, Expr, evaluate, parse_expr

SIZE = 9


def domain(conditions: list[Expr], constants: dict[str, int] | None = None) -> Domain:
    bounds = {"M": Interval(0, SIZE), "N": Interval(1, SIZE)}
    return Domain(("M", "N"), bounds, constants or {"T": 4}, tuple(conditions), (), 2**38)


numbers = st.recursive(
    st.sampled_from(["M", "N", "T"]) | st.integers(0, 12).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, st.sampled_from(["//", "%"]), st.sampled_from(["1", "2", "3", "4", "T"])).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, st.sampled_from(["1", "3", "T"])).map(lambda t: f"cdiv({t[0]}, {t[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=6,
)
comparisons = st.tuples(numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers).map(
    lambda t: f"({t[0]} {t[1]} {t[2]})"
)
claims = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"!{t}"),
    ),
    max_leaves=3,
)


def holds_everywhere(claim: Expr, assumed: list[Expr]) -> bool:
    shapes = [{"M": m, "N": n, "T": 4} for m, n in itertools.product(range(SIZE + 1), range(1, SIZE + 1))]
    return all(evaluate(claim, s) is True for s in shapes if all(evaluate(a, s) is True for a in assumed))


@settings(max_examples=150, deadline=None)
@given(claims, st.lists(comparisons, max_size=2), st.lists(comparisons, max_size=1))
def test_a_proof_agrees_with_brute_force(claim: str, require: list[str], reached: list[str]) -> None:
    goal, conditions, given_ = parse_expr(claim), [parse_expr(r) for r in require], [parse_expr(r) for r in reached]
    proof = prove(domain(conditions), goal, given_)
    truth = holds_everywhere(goal, conditions + given_)
    if proof.verdict == "proved":
        assert truth
    elif proof.verdict == "refuted":
        assert not truth
        assert proof.shape is not None
        env = {**proof.shape, "T": 4}
        assert evaluate(goal, env) is not True
        assert all(evaluate(condition, env) is True for condition in conditions + given_)


@settings(max_examples=150, deadline=None)
@given(claims, st.lists(comparisons, max_size=2))
def test_z3_alone_agrees_with_brute_force(claim: str, require: list[str]) -> None:
    """Samples cover a domain this small; here z3 has to find out by itself."""
    goal, conditions = parse_expr(claim), [parse_expr(r) for r in require]
    verdict, shape = _z3(domain(conditions), goal, [], 2000)
    if verdict == "proved":
        assert holds_everywhere(goal, conditions)
    if shape is not None:
        assert evaluate(goal, {**shape, "T": 4}) is not True
        assert all(evaluate(condition, {**shape, "T": 4}) is True for condition in conditions)


@settings(max_examples=100, deadline=None)
@given(numbers)
def test_intervals_contain_every_value(text: str) -> None:
    expr = parse_expr(text)
    bounds = interval(expr, {"M": Interval(0, SIZE), "N": Interval(1, SIZE), "T": Interval(4, 4)})
    for m, n in itertools.product(range(SIZE + 1), range(1, SIZE + 1)):
        value = evaluate(expr, {"M": m, "N": n, "T": 4})
        assert value is UNKNOWN or bounds.low <= value <= bounds.high


def test_contradicting_conditions_leave_nothing_to_prove() -> None:
    conditions = [parse_expr("N >= 3"), parse_expr("N < 1 + cdiv(M, N - 2) * 0")]
    assert prove(domain(conditions), parse_expr("M // N == 77"), [parse_expr("N < 1")]).verdict == "proved"


def test_small_claims_are_decided_and_not_only_sampled() -> None:
    proved = prove(domain([]), parse_expr("M * N + T > M * N - N"))
    assert (proved.verdict, proved.how) == ("proved", "z3")


def test_what_z3_cannot_decide_is_unproved_with_the_number_of_samples() -> None:
    wide = Domain(("M", "N"), {"M": Interval(1, 2**38), "N": Interval(1, 2**38)}, {}, (), (), 2**38)
    hard = parse_expr("M * M * M + N * N * N != 3 * M * N * 1234567891 + 7")
    proof = prove(wide, hard, (), z3_ms=1)
    assert proof.verdict == "unproved"
    assert proof.samples > 1000


def test_without_z3_sampling_still_finds_counterexamples() -> None:
    proof = prove(domain([]), parse_expr("M * N != 63"), (), z3_ms=0)
    assert proof.verdict == "refuted"
    assert proof.shape in ({"M": 7, "N": 9}, {"M": 9, "N": 7})


def test_require_is_used(tmp_path: Path) -> None:
    plan = '[[launch]]\nkernel = "k"\ngrid = ["N // 128", "cdiv(M, 8)"]\nblock = [128]\nargs = ["x", "y", "M", "N"]\n'
    source = 'extern "C" __global__ void k(const float* x, float* y, long long M, long long N) {}\n'
    x, y = tensor("x", "f32", "M", "N"), tensor("y", "f32", "M", "N")
    free = unit((x,), (y,), "M N", "M >= 1; N >= 1")
    assert judge(tmp_path, free, source, plan).errors == ["SPK470 plan.toml:3", "SPK461 plan.toml:3"]
    tied = unit((x,), (y,), "M N", "N % 128 == 0; N >= 128; M == N; M <= 65536")
    assert judge(tmp_path, tied, source, plan).errors == []
    assert judge(tmp_path, tied, source, plan).warnings == []


def test_a_later_alternative_is_judged_where_the_earlier_ones_do_not_hold(tmp_path: Path) -> None:
    plan = (
        '[[launch]]\nkernel = "k"\nwhen = "n <= 1048576"\ngrid = [1]\nblock = [1024]\nargs = ["x", "y", "n"]\n'
        '[[launch]]\nkernel = "k"\ngrid = ["n // 1048576"]\nblock = [1024]\nargs = ["x", "y", "n"]\n'
    )
    source = 'extern "C" __global__ void k(const float* x, float* y, long long n) { for (;;) y[gridDim.x] = x[n]; }\n'
    of = unit((tensor("x", "f32", "n"),), (tensor("y", "f32", "n"),), "n", "n >= 1")
    assert judge(tmp_path, of, source, plan).errors == []
    assert judge(
        tmp_path, of, source, plan.replace('1048576"\n', '1048575"\n', 1).replace("// 1048576", "// 1048577")
    ).errors == ["SPK470 plan.toml:9"]
    wide = plan.replace("block = [1024]", 'block = ["n"]')
    assert judge(tmp_path, of, source, wide).errors == ["SPK462 plan.toml:5", "SPK462 plan.toml:10"]
