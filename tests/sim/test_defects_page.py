"""What a page of defects says is read as it is meant, and judged strictly."""

from __future__ import annotations

from pathlib import Path

import pytest
from defects import page, verdict
from defects.drive import Run
from spak.errors import Span
from spak.sim.findings import Finding, Party, Place

HEAD = "// Title.\n//@ arch sm_80\n#include <a.h>\n\nusing X = int;\n\n"
SMALL = """//@ defect late: race-shared
//@   Too late
//@   by one.
//@ also deadlock
//@ run block=32
//@ run[broken] block=64
//@ in n = 3
extern "C" __global__ void __launch_bounds__(64, 1) late(const float* x,
                                                          const __grid_constant__ CUtensorMap m, int n) {
  s[0] = 1;         //@ writes
  __syncthreads();  //@ fixed
  y[0] = s[1];      //@ broken; reads
  y[0] = s[0];      //@ fixed
}
"""
BIG = """//@ kernel k
//@   Two ways.
//@ defect a: deadlock
//@   One.
//@ also[a] missing-wait
//@ defect b: arithmetic
//@   Other.
//@ run block=1
extern "C" __global__ void k(int* y) {
  one();    //@ not a
  two();    //@ only a, b
  three();  //@ only b; a, b: waits
}
"""


def write(tmp_path: Path, text: str) -> page.Page:
    path = tmp_path / "p.cu"
    path.write_text(text)
    return page.read(path)


def test_an_exhibit_of_one_defect(tmp_path: Path) -> None:
    read = write(tmp_path, HEAD + SMALL)
    (one,) = read.exhibits
    (form,) = one.forms
    assert (read.title, read.arch, one.name, one.line) == ("Title.", "sm_80", "late", 7)
    assert (form.rule, form.sentence, form.also) == ("race-shared", "Too late by one.", ("deadlock",))
    assert form.places == ((16, "writes"), (18, "reads"))
    assert one.parameters == (("const float*", "x"), ("CUtensorMap", "m"), ("int", "n"))
    assert [d.rest for d in one.directives_of("run", page.FIXED)] == ["block=32"]
    assert [d.rest for d in one.directives_of("run", "late")] == ["block=64"]


def test_each_version_has_its_lines_where_they_are_on_the_page(tmp_path: Path) -> None:
    (one,) = write(tmp_path, HEAD + SMALL).exhibits
    fixed, broken = one.source(page.FIXED).split("\n"), one.source("late").split("\n")
    assert fixed[0] == "namespace in_late__fixed {" and fixed[1] == '#line 14 "tests/sim/defects/p.cu"'
    assert [line.strip() for line in fixed[4:8]] == ["s[0] = 1;", "__syncthreads();", "", "y[0] = s[0];"]
    assert [line.strip() for line in broken[4:8]] == ["s[0] = 1;", "", "y[0] = s[1];", ""]
    assert "late__broken(const float* x," in broken[2]


def test_an_exhibit_of_several_defects(tmp_path: Path) -> None:
    (one,) = write(tmp_path, HEAD + BIG).exhibits
    assert one.prose == "Two ways." and one.versions() == ("fixed", "a", "b")
    assert [form.also for form in one.forms] == [("missing-wait",), ()]
    assert [form.places for form in one.forms] == [((18, "waits"),), ((18, "waits"),)]
    kept = {version: [w for w in ("one", "two", "three") if w in one.source(version)] for version in one.versions()}
    assert kept == {"fixed": ["one"], "a": ["two"], "b": ["one", "two", "three"]}
    assert "k__a(int* y)" in one.source("a")


def test_a_page_is_one_source_of_all_versions(tmp_path: Path) -> None:
    text = write(tmp_path, HEAD + SMALL + BIG).source()
    assert (
        text.index("#include") < text.index("namespace page_p {") < text.index("using X") < text.index("in_late__fixed")
    )
    assert text.count("__global__") == 5
    assert "using page_p::in_k__b::k__b;" in text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("int x;\n", "a page begins with a title"),
        ("// T\n#include <a>\n" + SMALL, "a page begins with a title"),
        (HEAD + SMALL.replace("//@ also", "//@ allso"), "p.cu:10: unknown directive: allso deadlock"),
        (HEAD + SMALL.replace(" late(", " later("), 'p.cu:7: no `extern "C" __global__ void late(...)` follows'),
        (HEAD + SMALL.replace("//@ fixed\n  y", "//@ repaired: x y\n  y"), "p.cu:17: `repaired` is no form of `late`"),
        (HEAD + BIG.replace("only a, b", "only a, c"), "p.cu:17: `c` is no form of `k`"),
        (HEAD + BIG.replace("also[a]", "also[c]"), "p.cu:11: `c` is no form of `k`"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(
        page.PageError,
        match=what.replace("(", r"\(")
        .replace(")", r"\)")
        .replace("[", r"\[")
        .replace("...", r"\.\.\.")
        .replace("*", r"\*"),
    ):
        write(tmp_path, text)


def finding(rule: str, *places: tuple[int, str], file: str = "tests/sim/defects/p.cu") -> Finding:
    parties = tuple(Party(role, Place(Span(file, line, 1, line, 1))) for line, role in places)
    return Finding(rule, "It is so.", parties=parties)


BOTH = finding("race-shared", (18, "reads"), (16, "writes"))


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ([BOTH], ""),
        ([finding("deadlock", (3, "waits")), BOTH], ""),
        ([finding("race-warp", (3, "reads")), BOTH], ""),
        ([], "not found: race-shared (writes 16, reads 18); found nothing"),
        ([finding("race-warp", (18, "reads"), (16, "writes"))], "not found: race-shared"),
        ([finding("race-shared", (18, "reads"), (17, "writes"))], "not found: race-shared"),
        ([finding("race-shared", (18, "reads"), (16, "reads"))], "not found: race-shared"),
        ([finding("race-shared", (18, "reads")), finding("race-shared", (16, "writes"))], "not found: race-shared"),
        ([finding("race-shared", (18, "reads"), (16, "writes"), file="q.cu")], "not found: race-shared"),
        ([BOTH, finding("missing-wait", (3, "issued"))], "also found missing-wait"),
    ],
)
def test_a_defect_is_found_only_with_its_rule_and_both_lines(tmp_path: Path, found: list[Finding], what: str) -> None:
    (one,) = write(tmp_path, HEAD + SMALL).exhibits
    said = verdict.missed(one, one.forms[0], Run("late__broken", findings=found))
    assert said.startswith(what) and bool(said) == bool(what)


def test_wrong_values_need_a_wrong_output(tmp_path: Path) -> None:
    (one,) = write(tmp_path, HEAD + SMALL.replace("race-shared", "wrong-values")).exhibits
    assert verdict.missed(one, one.forms[0], Run("late__broken")) == "the results are right; found nothing"
    assert verdict.missed(one, one.forms[0], Run("late__broken", wrong=["y"])) == ""


def test_a_twin_is_clean_without_findings_and_with_right_values(tmp_path: Path) -> None:
    (one,) = write(tmp_path, HEAD + SMALL).exhibits
    assert verdict.unclean(one, Run("late__fixed")) == ""
    assert "race-shared" in verdict.unclean(one, Run("late__fixed", findings=[BOTH]))
    assert verdict.unclean(one, Run("late__fixed", wrong=["y"])) == "`y` is wrong"


def test_what_costs_is_counted_in_both_forms_and_at_its_lines(tmp_path: Path) -> None:
    (one,) = write(tmp_path, HEAD + SMALL.replace("race-shared", "counter sectors 9 -> 3")).exhibits
    costs = [(16, {"writes_requests": 1}), (18, {"reads_requests": 1})]
    assert verdict.missed(one, one.forms[0], Run("late__broken", counters={"sectors": 9}, costs=costs)) == ""
    assert "is 8, not 9" in verdict.missed(one, one.forms[0], Run("late__broken", counters={"sectors": 8}, costs=costs))
    assert "[18]" in verdict.missed(one, one.forms[0], Run("late__broken", counters={"sectors": 9}, costs=costs[:1]))
    assert verdict.unclean(one, Run("late__fixed", counters={"sectors": 3})) == ""
    assert verdict.unclean(one, Run("late__fixed", counters={"sectors": 4})) == "sectors is 4, not 3"
