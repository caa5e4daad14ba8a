"""parse(print(parse(x))) == parse(x), printing is idempotent, comments survive; on the corpus and generated trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spak.errors import Collector
from spak.lang import tree
from spak.lang.expr import FUNCTIONS, OPERATORS, Expr, parse_expr, print_expr
from spak.lang.printer import print_file
from spak.lang.syntax import parse_text

ROOT = Path(__file__).parent.parent.parent
CORPUS = sorted([*(Path(__file__).parent / "corpus").glob("*.dsl"), *(ROOT / "specs").glob("**/*.dsl")])
PROFILE = settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def parse(text: str) -> tree.File:
    found = Collector()
    file = parse_text(text, "t.dsl", found)
    assert not found.found, (text, [str(d) for d in found.found])
    return file


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_corpus_round_trips(path: Path) -> None:
    first = parse(path.read_text())
    assert first.items
    printed = print_file(first)
    second = parse(printed)
    assert second == first
    assert print_file(second) == printed


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_comments_survive_printing(path: Path) -> None:
    first = parse(path.read_text())
    again = parse(print_file(first))

    def words(file: tree.File) -> list[str]:
        return sorted(" ".join(comment.text.split()) for comment in file.comments)

    assert words(again) == words(first)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True).filter(
    lambda w: (
        w
        not in {
            "in",
            "and",
            "or",
            "not",
            "if",
            "else",
            "emit",
            "return",
            "break",
            "continue",
            "perform",
            "true",
            "false",
            *FUNCTIONS,
        }
        and w not in {"procedure", "pseudocode", "template", "code", "range"}
    )
)
numbers = st.one_of(
    st.integers(0, 10**20), st.booleans(), st.floats(0, 1e300, allow_nan=False, allow_infinity=False)
).map(tree.Num)
strings = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12).map(tree.Str)


def expressions() -> st.SearchStrategy[Expr]:
    leaves = st.one_of(numbers, strings, names.map(tree.Name))

    def grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        return st.one_of(
            st.builds(tree.Binary, st.sampled_from(sorted(OPERATORS)), inner, inner),
            st.builds(tree.Unary, st.sampled_from("-!"), inner),
            st.builds(lambda a, b: tree.Call("cdiv", (a, b)), inner, inner),
            st.builds(lambda a: tree.Call("abs", (a,)), inner),
            st.builds(lambda a: tree.ListLit(tuple(a)), st.lists(inner, max_size=3)),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@PROFILE
@given(expressions())
def test_expressions_round_trip(expr: Expr) -> None:
    assert parse_expr(print_expr(expr)) == expr


def test_every_two_operators_round_trip() -> None:
    """Precedence and parentheses, exhaustively: each operator inside each, on either side."""
    a, b, c = (tree.Name(n) for n in "abc")
    unary = [tree.Unary(op, a) for op in "-!"]
    inner: list[Expr] = [*unary, *(tree.Binary(op, a, b) for op in sorted(OPERATORS))]
    for part in inner:
        outer: list[Expr] = [tree.Unary(op, part) for op in "-!"]
        for op in sorted(OPERATORS):
            outer += [tree.Binary(op, part, c), tree.Binary(op, c, part), tree.Binary(op, part, part)]
        for expr in outer:
            assert parse_expr(print_expr(expr)) == expr, print_expr(expr)


plain = expressions().filter(lambda e: "//" not in print_expr(e))
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.builds(lambda a: tree.ListLit(tuple(a)), st.lists(inner, max_size=3)),
        st.builds(lambda n, a: tree.Index(tree.Name(n), tuple(a)), names, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda n, v: tree.MapLit((tree.Attr(n, v),)), names, inner),
        st.builds(lambda n, a, d: tree.Call(n, (tree.Arg(n, tree.Name(a), d),)), names, names, inner),
        st.builds(lambda a, b: tree.Binary("|", tree.Name(a), tree.Name(b)), names, names),
        st.builds(lambda a, b: tree.Binary("=>", a, b), inner, inner),
        st.builds(lambda n, a, b: tree.Index(tree.Name(n), (tree.Slice(a, b), tree.Slice())), names, inner, inner),
        st.builds(lambda n, a: tree.Index(tree.Name(n), (tree.Slice(None, a, a),)), names, inner),
        st.builds(lambda n, m: tree.Generic(n, (tree.Name(m), tree.Generic(n, (tree.Name(m),)))), names, names),
    ),
    max_leaves=6,
)
attributes = st.builds(tree.Attr, names, values, st.sampled_from(":="))


def blocks(inner: st.SearchStrategy[tree.Item]) -> st.SearchStrategy[tree.Item]:
    bodies = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(lambda k, n, q, b: tree.Block(k, n, q, body=b), names, names, st.booleans(), bodies),
        st.builds(lambda k, v, b: tree.Block(k, annotation=v, body=b), names, names.map(tree.Name), bodies),
        st.builds(
            lambda k, n, p, r: tree.Block(k, n, params=(tree.Arg(p, tree.Name(p)),), result=tree.Name(r)),
            names,
            names,
            names,
            names,
        ),
        st.builds(lambda c, t, o: tree.If(c, t, o or None), names.map(tree.Name), bodies, bodies),
        st.builds(lambda n: tree.Block(n, n, annotation=tree.Verbatim("x ← y\n  √ z")), names),
    )


items = st.recursive(
    st.one_of(attributes, st.builds(tree.Return, values), st.builds(tree.Emit, names.map(tree.Name))),
    blocks,
    max_leaves=6,
)


@PROFILE
@given(st.lists(items, max_size=4).map(lambda i: tree.File(tuple(i))))
def test_trees_round_trip(file: tree.File) -> None:
    printed = print_file(file)
    again = parse(printed)
    assert again == file
    assert print_file(again) == printed


DIALECTS = [
    ("case A => b", 'case A => b'), ("m { y = x[0:T, :] }", "m { y = x[0:T, :] }"), ("x: q[1:]", "x: q[1:]"),
    ("1. do this thing", "1. do this thing"), ('2) "then that"', '2) "then that"'), ("n += 1", "n = n + 1"),
    ("h[0] *= 2", "h[0] = h[0] * 2"), ("a: List<String> b: List[Int]", "a: List<String>\nb: List[Int]"),
    ("p: |\n  some\n   text\n", 'p: """some\n text"""'), ("a: 50%\nb: 5%", "a: 50%\nb: 5%"),
    ("css { a: #fff; .b { c: d } }", "css {\n  a: #fff; .b { c: d }\n}"), ("style { a: b }", "style { a: b }"),
    ("a: #fff\nb: 1", "a: #fff\nb: 1"), ("a. b", "a.b"), ("f { x: 1, y: 2 }", "f { x: 1, y: 2 }"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "printed"), DIALECTS, ids=[text.split("\n")[0] for text, _ in DIALECTS])
def test_what_real_files_contain(text: str, printed: str) -> None:
    first = parse(text)
    assert print_file(first).strip() == printed
    assert parse(print_file(first)) == first
