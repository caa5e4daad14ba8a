"""Numbered statements are steps, in whatever words."""

from __future__ import annotations

from spak.errors import Collector
from spak.semantics.program import Emit, If, Loop, Set, ToolCall
from spak.semantics.resolve import resolve_text

TEXT = """
task T {
  1. step build: tool.run { cmd: "make" }
  2. x = tool.run { cmd: "date" }
  3. "Do this"
  4) Look at the logs
  5. if x == "3" { emit done }
  6. pack { tool.run { cmd: "tar {{x}}" } }
  7. loop 3 { break }
  8. "Sign it" { emit done }
  9. y = 3 + 4
}
"""


def test_each_number_is_a_step() -> None:
    steps = resolve_text(TEXT, "x.dsl").procedures["T"].steps
    names = ["build", "step_2", "do_this", "look_at_the_logs", "step_5", "pack", "step_7", "sign_it", "step_9"]
    assert [step.id for step in steps] == names
    assert [step.manual for step in steps if step.manual] == ["Do this", "Look at the logs"]
    kinds = [type(step.body[0]) for step in steps if step.body]
    assert kinds == [ToolCall, ToolCall, If, ToolCall, Loop, Emit, Set]


def test_numbers_inside_a_step() -> None:
    text = 'task T { step a {\n 1. x = 3\n 2. emit done\n }\n step b {\n 1. Look at it\n 2. "Sign it"\n } }'
    one, two = resolve_text(text, "x.dsl").procedures["T"].steps
    assert [type(statement) for statement in one.body] == [Set, Emit]
    assert not two.body
    assert two.manual == '1. Look at it\n2. "Sign it"'


def test_a_numbered_mistake_is_still_one() -> None:
    found = Collector()
    resolve_text('task T { 1. tool.rum { cmd: "a" }\n 2. tol.run { cmd: "b" } }', "x.dsl", found)
    assert [(d.code, d.span.line) for d in found.errors if d.span] == [("SPK230", 1), ("SPK231", 2)]
