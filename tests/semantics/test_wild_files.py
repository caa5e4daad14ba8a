"""Files as people write them: all dialects, without an error, and none of it lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import within
from spak.errors import Collector
from spak.lang.printer import print_file
from spak.lang.syntax import parse_text
from spak.semantics.resolve import load_program, resolve_text

HERE = Path(__file__).parent / "corpus"
SYNTAX = Path(__file__).parent.parent / "lang" / "corpus"
FILES = sorted(HERE.iterdir())
TEXTS = [path.read_text() for path in [*FILES, *sorted(SYNTAX.glob("*.dsl"))]]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_there_is_no_error(path: Path) -> None:
    found = Collector()
    program = load_program(HERE, path.name, found)
    assert not found.errors
    assert program.procedures
    codes = {d.code for d in found.found}
    assert codes == ({"SPK203"} if path.name == "pseudocode_notes.dsl" else set())


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".dsl"], ids=lambda p: p.name)
def test_layout_means_nothing(path: Path) -> None:
    text = path.read_text()
    printed = print_file(parse_text(text, path.name, Collector()))
    one, other = Collector(), Collector()
    assert resolve_text(text, path.name, one) == resolve_text(printed, path.name, other)
    assert [d.message for d in one.found] == [d.message for d in other.found]


def test_what_the_second_dialect_means() -> None:
    program = load_program(HERE, "fmha_system_v2.dsl")
    assert program.name == "FMHA_Kernel_Engineering"
    assert program.facts["improved"].params == (("now", "TraceItem.Performance"), ("before", "TraceItem.Performance"))
    whens = {rule.name: rule.when is not None for rule in program.rules}
    assert whens == {
        "Fusion Strategy": True, "LoopFusion": False, "Tiling": False, "Keep what works": True, "Apply tiling": True,
    }  # fmt: skip
    fusion = next(rule for rule in program.rules if rule.name == "Fusion Strategy")
    assert (fusion.recommend[0].name, fusion.recommend[0].value) == ("fusion", "qk_pv")
    assert program.loops["Kernel_Tuner"].strategy == "cartesian"


def test_what_markdown_means() -> None:
    program = load_program(HERE, "coach.md")
    assert program.name == "coach"
    coach = program.procedures["Coach"]
    assert (coach.repeat, coach.limits.seconds, coach.limits.max_steps) == (4, 120.0, 20)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(TEXTS), st.data())
def test_a_broken_file_is_only_diagnosed(text: str, data: st.DataObject) -> None:
    """Cut, doubled or swapped pieces of real files give diagnostics, each with a place, and never a crash."""
    words = text.split(" ")
    at = data.draw(st.integers(0, len(words) - 1))
    size = data.draw(st.integers(1, 12))
    other = data.draw(st.integers(0, len(words) - 1))
    how = data.draw(st.sampled_from(["cut", "copy", "swap", "end"]))
    if how == "cut":
        words[at : at + size] = []
    elif how == "copy":
        words[other:other] = words[at : at + size]
    elif how == "swap":
        words[at], words[other] = words[other], words[at]
    else:
        words = words[:at]
    found = Collector()
    program = resolve_text(" ".join(words), "x.dsl", found)
    assert program.file == "x.dsl"
    for one in found.found:
        assert one.span is not None
        assert (one.span.file, one.span.line > 0) == ("x.dsl", True), one


DEEP = 3000


@pytest.mark.parametrize(
    "text",
    [
        "type T = int" + "?" * DEEP,
        "type T = " + " | ".join(f'"{number}"' for number in range(DEEP)),
        "\n".join(f"type T{number} = [T{number + 1}]" for number in range(DEEP)),
        "task T { step s { if 1 == 1 { return }" + " else if 1 == 2 { return }" * DEEP + " } }",
        "fact f(t: T.P) { return true }\nrule R { when: " + "!" * DEEP + "f }",
        "fact f(t: T.P) { return true }\nrule R { when: " + " && ".join(["f"] * DEEP) + " }",
        "task T { step s { x = " + " + ".join(["1"] * DEEP) + " } }",
        "task T { step s { x = f" + "()" * DEEP + " } }",
        "state x: int = " + "-" * DEEP + "1",
    ],
    ids=["optional", "union", "types", "else if", "not", "and", "sum", "calls", "minus"],
)
def test_a_deep_file_is_only_diagnosed(text: str) -> None:
    found = Collector()
    resolve_text(text, "x.dsl", found)
    assert {d.code for d in found.found} <= {"SPK107", "SPK108", "SPK205", "SPK241"}


def test_a_file_takes_no_time() -> None:
    """3 MB a minute and core is 60 ms for a file of 3 KB; it takes about a tenth of that."""
    text = (HERE / "fmha_system_v2.dsl").read_text()
    resolve_text(text, "x.dsl", Collector())
    assert within(0.060 * len(text) / 3000, lambda: resolve_text(text, "x.dsl", Collector()), tries=10)
