"""What stands in a header and means nothing there is an error, never lost."""

from __future__ import annotations

import pytest
from spak.errors import Collector
from spak.semantics.program import If
from spak.semantics.resolve import resolve_text

BEFORE = """trace_schema { variant T { case P { gflops: float } } }
fact slow(t: T.P) { return t.gflops < 1 }
state n: int = 0
"""


def said(text: str) -> list[str]:
    """Errors of the text's own lines: place and message."""
    found = Collector()
    resolve_text(BEFORE + text, "x.dsl", found)
    return [f"{d.span}: {d.code}: {d.message}" for d in found.errors]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ('rule "R" when slow { apply: "x" }', "when slow"),
        ('rule R: slow { apply: "x" }', "slow"),
        ('rule R(slow) { apply: "x" }', "(slow)"),
        ('hint H on slow { suggestion: "x" }', "on slow"),
        ('invariant I(n > 0) { assert: "x" }', "(n > 0)"),
        ("fact f(t: T.P) when n > 1 { return t.gflops < 1 }", "when n > 1"),
        ("task X extra words { step a { emit done } }", "extra words"),
        ("agent_loop L repeat 3 { step a { emit done } }", "repeat 3"),
        ('service_loop S every "2s" { on e { emit done } }', 'every "2s"'),
        ("service_loop S { on e when n > 1 { emit done } }", "when n > 1"),
        ("system S: Base { axiom: \"a\" }", ": Base"),
        ("contract C strict { max_steps: 3 }", "strict"),
        ("trace_schema { variant V { case A(x: int) } }", "(x: int)"),
        ("task X { step a { loop 3 times { break } } }", "times"),
        ("task X { step a(x: int) { emit done } }", "(x: int)"),
        ('task X { step a -> x { tool.run { cmd: "a" } } }', "-> x"),
        ('task X { step a { if n > 1 { tool.run { cmd: "a" } -> x } } }', "-> x"),
        ('task X { step a { tool.run("a") "b" } }', '"b"'),
        ('task X { step a { 1. tool.run("a") "b" } }', '"b"'),
        ('task X { evaluation { check z weight 3: n > 1 }\n step a { emit done } }', "weight 3"),
    ],
)  # fmt: skip
def test_a_part_of_a_header_that_nobody_reads(text: str, lost: str) -> None:
    (error,) = said(text)
    assert error.startswith("x.dsl:4:")
    assert f"SPK231: `{lost}` means nothing" in error


def test_what_is_no_argument_of_a_call_is_not_dropped() -> None:
    lines = 'task X { step a: tool.run {\n cmd: "a"\n env { A: "1" }\n } }'
    assert said(lines) == ["x.dsl:6:2: SPK231: this is no argument of tool.run"]
    assert said('task X { step a: tool.run { cmd: "a" y = tool.run { cmd: "b" } } }') == [
        "x.dsl:4:38: SPK231: this is no argument of tool.run"
    ]


def test_a_fact_says_true_or_false() -> None:
    assert said("fact f(t: T.P) -> bool { return t.gflops < 1 }") == []
    (error,) = said("fact f(t: T.P) -> float { return t.gflops < 1 }")
    assert "SPK231: fact f is true or false" in error


@pytest.mark.parametrize("text", ["domain D", 'system_model "Words."', "system S"])
def test_a_container_without_braces_holds_nothing(text: str) -> None:
    assert "SPK206" in said(text)[0]


def test_what_is_read_is_no_error() -> None:
    text = """
workflow W(a: String) -> String { step one when n > 0: tool.run { cmd: "echo {{a}}" } }
task A(name: String) {
  step b when n > 0 { let x = tool.run("echo") -> emit T.P }
  step c: tool.run("echo") { timeout: 3 } -> emit T.P
  evaluation { check z -> float { z = n } }
}
effect E { operation get(a: String) -> String }
state m: int = 3
design_space { axis: [x, y] }
rule "R": "words for readers"
"""
    assert "SPK231" not in " ".join(said(text))


def test_a_step_on_a_condition_keeps_its_call() -> None:
    (step,) = resolve_text('task A { step b when 1 > 0: tool.run { cmd: "date" } }', "x.dsl").procedures["A"].steps
    assert [type(one) for one in step.body] == [If]
    assert not step.manual


def test_a_condition_as_an_invariant_is_checked() -> None:
    program = resolve_text('state n: int = 0\ninvariant I: n >= 0\ninvariant J: "Nobody waits."', "x.dsl")
    assert [law.check is not None for law in program.invariants] == [True, False]
    assert said("invariant I: m >= 0") == ["x.dsl:4:14: SPK204: 'm' is not defined here"]


def test_what_a_system_says_to_nobody_is_warned_about() -> None:
    found = Collector()
    resolve_text('system S { max_steps: 3 }\ndomain D { tone: "dry" }', "x.dsl", found)
    assert [(d.code, d.severity, d.span.line) for d in found.found if d.span] == [("SPK203", "warning", 1)]


def test_null_and_void_are_types() -> None:
    text = "trace_schema { variant V { case A { x: float | null } } }\neffect E { operation w(a: String) -> Void }\n"
    found = Collector()
    resolve_text(text + 'task X { step a { emit V.A { x: "1" } } }', "x.dsl", found)
    assert [d.code for d in found.found] == ["SPK233"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("rule R { when: slow; apply: \"x\"\nscope { target: cpu }\nscope { target: sim } }", "scope"),
        ('rule R { when: slow; apply: "x"; evidence: ["a#1"]\n\nevidence: ["b#1"] }', "evidence"),
        ('fact o { description: "a"; scope { target: cpu }\n\ndescription: "b" }', "description"),
        ('build { artifact "a.md" { generator: "x"; input: trace.all\n\ninput: metrics } }', "input"),
        ("service_loop S { on e { emit done }; max_steps: 1\n\nmax_steps: 2 }", "max_steps"),
        ("task X { step a { emit done\nwhen: n > 1\nwhen: n > 2 } }", "when"),
    ],
)  # fmt: skip
def test_what_stands_twice_is_not_dropped(text: str, key: str) -> None:
    (error,) = said(text)
    assert error.startswith("x.dsl:6:")
    assert f"SPK202: {key!r} stands twice" in error


def test_what_may_be_said_again() -> None:
    text = 'rule R { when: slow; when: slow; apply: "x"; apply: "y"; effect: "a"; effect: "b" }'
    assert said(text) == []
