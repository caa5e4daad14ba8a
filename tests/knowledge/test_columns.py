"""Facts in bulk agree with facts one at a time: on random facts and traces, and on the corners of arithmetic."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge.sample import CORRECTNESS, PERFORMANCE, correctness, fact, performance
from spak.errors import SpakError
from spak.knowledge import columns, table
from spak.knowledge.columns import evaluate_all
from spak.knowledge.firing import fire_all
from spak.knowledge.grounding import Grounding
from spak.knowledge.item import Item
from spak.knowledge.table import Table
from spak.knowledge.values import FactValue, Fired
from spak.lang.expr import Binary, Call, Expr, ListLit, Name, Num, Str, Unary, print_expr
from spak.lang.tree import Index, Member
from spak.semantics.program import Fact, Program, Rule, Scope

CASES = ("T.A", "T.B")
FIELDS = ("x", "y", "s")
CONSTANTS: dict[str, Any] = {"PEAK": 40.0, "CORES": 2, "HUGE": 1 << 70, "NAN": math.nan}

numbers = st.one_of(
    st.integers(-4, 4),
    st.sampled_from([0, 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**62, 2**63, -(2**63), 10**30, 3 * 10**9]),
    st.floats(width=64),
    st.sampled_from([0.0, -0.0, 0.1, 1e308, 5e-324, 2.0**53, math.inf, -math.inf, math.nan]),
)
values = st.one_of(
    numbers, numbers, st.booleans(), st.sampled_from(["", "a", "b"]), st.none(), st.just([1, 2]), st.just({"z": 1})
)
names = st.sampled_from(
    ["t.x", "t.y", "t.s", "t.x.z", "t.gone", "u.x", "u.y", "PEAK", "CORES", "HUGE", "NAN", "lost", "t"]
)
leaves = st.one_of(
    names.map(Name),
    names.map(Name),
    st.one_of(st.integers(-3, 3), st.sampled_from([0.5, 2.0, 1e308, 2**53, 2**64]), st.booleans()).map(Num),
    st.sampled_from(["a", "b"]).map(Str),
)


def grown(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    arithmetic = st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner, inner)
    compared = st.builds(Binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner, inner)
    logic = st.builds(Binary, st.sampled_from(["&&", "||"]), inner, inner)
    contained = st.builds(Binary, st.just("in"), inner, st.lists(inner, max_size=3).map(lambda xs: ListLit(tuple(xs))))
    called = st.one_of(
        st.builds(lambda a, b: Call("cdiv", (a, b)), inner, inner),
        st.builds(lambda a: Call("abs", (a,)), inner),
        st.builds(
            lambda f, xs: Call(f, tuple(xs)), st.sampled_from(["min", "max"]), st.lists(inner, min_size=1, max_size=3)
        ),
    )
    texts = st.builds(Binary, st.just("in"), inner, inner)
    picked = st.one_of(
        st.builds(lambda t, i: Index(t, (i,)), names.map(Name), inner),
        st.builds(lambda t: Member(t, "z"), st.builds(lambda t: Index(t, (Num(0),)), names.map(Name))),
        st.builds(lambda a: Call("len", (a,)), inner),
    )
    negated = st.builds(Unary, st.sampled_from("-!"), inner)
    return st.one_of(arithmetic, compared, logic, contained, called, negated, texts, picked)


expressions = st.recursive(leaves, grown, max_leaves=10)
conditions = st.one_of(
    st.builds(Binary, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), expressions, expressions), expressions
)
items = st.builds(
    lambda case, fields, target: (case, fields, target),
    st.sampled_from(CASES),
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=3),
    st.sampled_from(["", "cpu", "sim"]),
)
params = st.sampled_from(
    [(("t", "T.A"),), (("t", "T.A"), ("u", "T.A")), (("t", "T.A"), ("u", "T.B")), (("t", "T.C"),), ()]
)


def one_by_one(facts: list[Fact], made: list[Item], constants: dict[str, Any]) -> dict[str, list[FactValue]]:
    """The values that arrive one after another: the reference."""
    grounding = Grounding(Program("f", "f", facts={one.name: one for one in facts}), constants)
    found: dict[str, list[FactValue]] = {one.name: [] for one in facts}
    for item in made:
        for value in grounding.arrive(item):
            assert isinstance(value, FactValue)
            found[value.fact].append(value)
    return found


def compared(facts: list[Fact], made: list[Item], constants: dict[str, Any]) -> None:
    bulk = evaluate_all(facts, made, constants)
    for name, expected in one_by_one(facts, made, constants).items():
        column = bulk[name]
        got = [{1: True, 0: False, -1: None}[int(one)] for one in column.values]
        assert got == [one.value for one in expected], print_expr(column.fact.body) if column.fact.body else name
        shown = Table.of(made)
        assert [repr(column.at(i, shown, constants)) for i in range(len(got))] == [repr(one) for one in expected]


@pytest.mark.parametrize("small", [1, columns.SMALL], ids=["numpy always", "as shipped"])
@settings(max_examples=400, deadline=None)
@given(
    bodies=st.lists(st.tuples(params, conditions, st.sampled_from(["", "", "cpu"])), min_size=1, max_size=3),
    rows=st.lists(items, max_size=8),
    copies=st.sampled_from([1, 2, 9]),
)
def test_bulk_agrees_with_one_at_a_time(small: int, bodies: list[Any], rows: list[Any], copies: int) -> None:
    facts = [Fact(f"f{i}", p, body, scope=Scope(target)) for i, (p, body, target) in enumerate(bodies)]
    made = [Item(case, fields, seq, target=target) for seq, (case, fields, target) in enumerate(rows * copies, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "SMALL", small)
        compared(facts, made, CONSTANTS)


def test_order_of_cases_and_earlier_traces() -> None:
    """The second parameter of a case is the trace before; of another case, its latest."""
    made = [performance(1, 1.0), correctness(2, True), performance(3, 2.0), performance(4, 1.5), correctness(5, False)]
    faster = fact("faster", "now.tflops > before.tflops", ("now", PERFORMANCE), ("before", PERFORMANCE))
    sound = fact("sound", "c.passed && p.tflops > 1", ("p", PERFORMANCE), ("c", CORRECTNESS))
    found = evaluate_all([faster, sound], made, {})
    assert (found["faster"].rows.tolist(), found["faster"].values.tolist()) == ([0, 2, 3], [-1, 1, 0])
    assert (found["sound"].rows.tolist(), found["sound"].values.tolist()) == ([0, 1, 2, 3, 4], [-1, 0, 1, 1, 0])
    compared([faster, sound], made, {})


def test_scope_by_shape_is_as_one_at_a_time() -> None:
    from spak.lang.expr import parse_expr

    wide = fact("wide", "t.tflops > 1", scope=Scope(shapes=(parse_expr("M >= 256"),)))
    made = [performance(seq, seq / 10, shape={"M": 64 << (seq % 4)}) for seq in range(1, 200)]
    found = evaluate_all([wide], made, {})["wide"].values.tolist()
    assert set(found) == {-1, 0, 1} and found.count(-1) == 99
    compared([wide], made, {})


def test_recorded_traces_are_read_and_others_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    rows = [
        {"seq": 1, "kind": "run", "data": {}},
        {"seq": 2, "kind": "emit", "data": {"case": PERFORMANCE, "fields": {"tflops": 1.5}, "target": "cpu"}},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"seq": 3, "kind": "em')
    read = table.read(path)
    assert (len(read), read.seqs, read.targets, read.fields[0]["tflops"]) == (1, [2], ["cpu"], 1.5)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b'{"seq": 2, "kind": "emit", "data"', "not the JSON of an event"),
        (b"\xff\xfe", "byte 0xff is not UTF-8"),
        (b"[1]", "no event"),
        (b'{"seq": 2}', "lacks 'kind'"),
        (b'{"kind": "emit", "seq": "2", "data": {"case": "C", "fields": {}}}', "no event"),
        (b'{"kind": "emit", "seq": 2, "data": {"case": "C", "fields": [1]}}', "no event"),
        (b"[" * 100_000, "no event of a trace"),
        (
            b'{"kind": "emit", "seq": 2, "data": {"case": "C", "fields": {"x": "' + b"y" * (5 << 20) + b'"}}}',
            "5242950 bytes",
        ),
        (b'{"kind": "emit", "seq": ' + b"9" * 5000 + b"}", "no event"),
        (b"", "not the JSON"),
    ],
    ids=["cut", "bytes", "list", "bare", "seq", "fields", "deep", "huge", "digits", "empty"],
)
def test_damage_names_its_line(tmp_path: Path, line: bytes, what: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b'{"seq":1,"kind":"run","data":{}}\n' + line + b'\n{"seq":3,"kind":"end","data":{}}\n')
    with pytest.raises(SpakError) as caught:
        table.read(path)
    (found,) = caught.value.diagnostics
    assert found.code == "SPK278" and found.span is not None and found.hint
    assert (found.span.file, found.span.line) == ("trace.jsonl", 2) and what in found.message
    assert len(found.message) < 300


def test_every_damaged_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_bytes(b"x\ny\n")
    with pytest.raises(SpakError) as caught:
        table.read(path, ".spak/runs/a/trace.jsonl")
    assert [str(one.span) for one in caught.value.diagnostics] == [
        ".spak/runs/a/trace.jsonl:1:1", ".spak/runs/a/trace.jsonl:2:1",
    ]  # fmt: skip
    with pytest.raises(SpakError, match="SPK282"):
        table.read(tmp_path / "none.jsonl")


rules = st.recursive(
    st.one_of(
        st.sampled_from(["f0", "f1", "f2", "fact.f0", "fact.f1", "none", "CORES", "fact.CORES"]).map(Name),
        st.booleans().map(Num),
    ),
    lambda inner: st.one_of(
        st.builds(Binary, st.sampled_from(["&&", "||", "==", "<"]), inner, inner),
        st.builds(Unary, st.just("!"), inner),
        st.builds(lambda a: Call("len", (a,)), inner),
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(
    whens=st.lists(st.tuples(rules, st.sampled_from(["", "cpu"])), min_size=1, max_size=3),
    levels=st.lists(
        st.tuples(st.sampled_from(CASES), st.sampled_from([0, 1, 2, None]), st.sampled_from(["", "cpu", "sim"])),
        max_size=8,
    ),
)
def test_rules_in_bulk_fire_where_they_fire_one_by_one(whens: list[Any], levels: list[Any]) -> None:
    one = Binary(">", Name("t.x"), Num(1))
    facts = {
        "f0": Fact("f0", (("t", "T.A"),), one),
        "f1": Fact("f1", (("t", "T.B"),), one, scope=Scope("cpu")),
        "f2": Fact("f2", (("t", "T.A"), ("u", "T.A")), Binary(">", Name("t.x"), Name("u.x"))),
    }
    made_rules = tuple(Rule("rule", f"R{i}", when, scope=Scope(target)) for i, (when, target) in enumerate(whens))
    made = [
        Item(case, {} if x is None else {"x": x}, seq, target=target) for seq, (case, x, target) in enumerate(levels, 1)
    ]
    grounding = Grounding(Program("f", "f", facts=facts, rules=made_rules), CONSTANTS)
    expected = [found for item in made for found in grounding.arrive(item) if isinstance(found, Fired)]
    table_ = Table.of(made)
    columns_ = evaluate_all(facts.values(), table_, CONSTANTS)
    fired = fire_all(made_rules, columns_, table_, CONSTANTS)
    for rule in made_rules:
        column = fired[rule.name]
        looks = [column.at(i, columns_, table_, CONSTANTS) for i in range(len(column.rows))]
        assert [one.fired for one in looks if one.fired] == [found for found in expected if found.rule == rule.name]
        assert [one.fired is not None for one in looks] == column.fired.tolist()
        assert (looks[-1] if looks else None) == grounding.looks.get(rule.name)
