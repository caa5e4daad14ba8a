"""The step machine: what each statement does, what fails a step, what a failed step means."""

from __future__ import annotations

import json
import time

import pytest
from spak.errors import SpakError

from tests.agents.runs import Project

SCHEMA = """
trace_schema { variant TraceItem {
  case Performance { gflops: float  name: string }
  case Exit { exit_code: int  stdout: string }
} }
"""


def codes(project: Project) -> list[str]:
    return [why["code"] for step in project.data("step") for why in step.get("why", [])]


def test_steps_run_in_order_and_leave_their_events(project: Project) -> None:
    ended = project.run("""
        task T {
          step one { tool.write { path: "a.txt", content: "1" } }
          step two { text = tool.read { path: "a.txt" }
            n = len(text) + 1 }
        }""")
    assert ended.verdict.succeeded
    assert [(one.kind, one.step) for one in project.events()] == [
        ("run", ""), ("tool", "one"), ("step", "one"), ("tool", "two"), ("set", "two"), ("step", "two"), ("end", ""),
    ]  # fmt: skip
    assert project.data("set") == [{"name": "n", "value": 2}]
    assert [one.seq for one in project.events()] == list(range(1, 8))


def test_what_is_left_behind(project: Project) -> None:
    project.run("""
        task T {
          step s { n = 3 }
          evaluation { check double: n * 2 }
          success: double == 6
        }""")
    assert json.loads(project.folder.metrics.read_text()) == {"double": 6}
    assert json.loads(project.folder.context.read_text()) == {"n": 3, "double": 6}
    assert (project.folder.program / "t.dsl").read_text() == (project.root / "t.dsl").read_text()
    assert json.loads(project.folder.start.read_text())["program"] == "t.dsl"


def test_a_failing_command_fails_its_step_and_the_run(project: Project) -> None:
    ended = project.run("""
        task T {
          step one { tool.run { cmd: "sh -c 'echo no >&2; exit 3'" } }
          step two { tool.write { path: "a.txt", content: "1" } }
        }""")
    assert not ended.verdict.succeeded
    assert [(one["title"], one["status"]) for one in project.data("step")] == [("one", "failed"), ("two", "skipped")]
    assert project.events("tool")[0].exit_code == 3
    (why,) = ended.verdict.why
    assert (why.code, why.span and why.span.line, why.notes) == ("SPK930", 3, ("| no",))
    assert not (project.root / "a.txt").exists()


def test_a_failure_that_is_allowed_is_data(project: Project) -> None:
    ended = project.run("""
        task T {
          step one { got = tool.run { cmd: "sh -c 'exit 3'", allow_failure: true } }
          step two { code_of = steps.one.exit_code
            fine = steps.one.ok }
        }""")
    assert ended.verdict.succeeded
    assert project.data("set") == [{"name": "code_of", "value": 3}, {"name": "fine", "value": False}]


def test_a_refusal_is_not_a_failure_that_can_be_allowed(project: Project) -> None:
    ended = project.run(
        """
        task T(x: string) { step one { tool.run { cmd: "{{x}} 1", allow_failure: true } } }
        """,
        args={"x": "rm"},
    )
    assert not ended.verdict.succeeded
    assert project.data("tool")[0]["result"]["ok"] is False


def test_if_takes_one_side_and_the_unknown_side_is_the_other(project: Project) -> None:
    project.run(
        SCHEMA
        + """
        fact fast(t: TraceItem.Performance) { return t.gflops > 10 }
        task T { step s {
          if fact.fast { a = 1 } else { a = 2 }
          emit TraceItem.Performance { gflops: 20.0, name: "x" }
          if fact.fast { b = 1 } else { b = 2 }
        } }"""
    )
    assert [one["value"] for one in project.data("set")] == [2, 1]


def test_loops_are_left_continued_and_limited(project: Project) -> None:
    ended = project.run("""
        task T {
          step s { n = 0
            odd = 0
            loop 10 {
              n = n + 1
              if n >= 6 { break }
              if n % 2 == 0 { continue }
              odd = odd + 1
            }
            return
            n = 100 }
          step t { loop 3 { n = n + 1 } }
        }""")
    assert [one["value"] for one in project.data("set") if one["name"] == "odd"] == [0, 1, 2, 3]
    assert json.loads(project.folder.context.read_text())["n"] == 9
    assert ended.verdict.why[0].code == "SPK931"


def test_state_keeps_its_type(project: Project) -> None:
    project.run("""
        model { state level: int = 1 }
        task T {
          step a { level = level + 1 }
          step b { text = tool.run { cmd: "echo high" }
            level = text }
        }""")
    assert project.data("set") == [{"name": "level", "value": 2}]
    assert codes(project) == ["SPK932"]


def test_an_unknown_value_is_not_assigned(project: Project) -> None:
    ended = project.run("task T { step a { n = 0\n x = 1 / n } }")
    assert "x would be unknown" in ended.verdict.why[0].message


def test_an_infinite_value_cannot_be_recorded_and_says_so(project: Project) -> None:
    ended = project.run("task T { step a { n = 1e308 * 10 } }")
    assert ended.verdict.why[0].code == "SPK932"


def test_an_agent_loop_goes_round_until(project: Project) -> None:
    project.run("model { state n: int = 0 }\nagent_loop A { repeat: 5\n until: n >= 3\n step grow { n = n + 1 } }")
    assert [(one["round"], one["status"]) for one in project.data("step")] == [(1, "done"), (2, "done"), (3, "done")]


def test_the_interval_is_kept_between_rounds_and_not_again_by_a_replay(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spak.pipeline.runs.running import replay

    began = time.monotonic()
    project.run('agent_loop A { repeat: 3\n loop_interval: "500ms"\n step s { n = 1 } }')
    assert time.monotonic() - began >= 1
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    assert replay(project.folder)[1] == ""
    assert not pauses


def test_emits_are_recorded_with_what_follows_from_them(project: Project) -> None:
    project.run(
        SCHEMA
        + """
        fact slow(t: TraceItem.Performance) { return t.gflops < 10 }
        rule "Tile it" { when: slow  apply: "Use tiles." }
        task T { step s { emit TraceItem.Performance { gflops: 3.0, name: "naive" } } }"""
    )
    assert [one.kind for one in project.events()] == ["run", "emit", "fact", "rule", "step", "end"]
    fact, rule = project.data("fact", "rule")
    assert (fact["fact"], fact["value"], fact["numbers"], fact["on"]) == ("slow", True, {"t.gflops": 3.0}, [2])
    assert (rule["rule"], rule["apply"]) == ("Tile it", ["Use tiles."])


def test_lines_of_a_child_become_emits_and_a_malformed_one_fails_the_step(project: Project) -> None:
    project.write("""print('__SPAK_TRACE__ {"type": "Performance", "gflops": 3.5, "name": "a"}')""", "good.py")
    project.write("""print('__SPAK_TRACE__ {"type": "Performance", "gflops": "fast", "name": "a"}')""", "bad.py")
    project.run(
        SCHEMA
        + """
        task T {
          step good { tool.run { cmd: "python good.py" } }
          step bad { tool.run { cmd: "python bad.py", allow_failure: true } }
        }"""
    )
    assert project.data("emit") == [
        {"case": "TraceItem.Performance", "fields": {"gflops": 3.5, "name": "a"}, "source": "stdout", "line": 1}
    ]
    assert codes(project) == ["SPK275"]


def test_the_value_of_a_command_is_what_it_said_beside_its_traces(project: Project) -> None:
    from spak.pipeline.runs.running import replay

    project.write("""print('__SPAK_TRACE__ {"type": "Performance", "gflops": 3.5, "name": "a"}\\n42')""", "both.py")
    project.run(SCHEMA + 'task T { step s { n = tool.run { cmd: "python both.py" } m = n + 1 } }')
    assert project.data("set") == [{"name": "m", "value": 43}]
    (tool,) = project.data("tool")
    assert tool["result"]["stdout"].startswith("__SPAK_TRACE__"), "the event holds all of it"
    assert len(project.data("emit")) == 1
    assert replay(project.folder) == (len(project.events()), "")


@pytest.mark.parametrize(
    ("cmd", "case", "fields"),
    [
        ("""echo {\\"gflops\\":1.5,\\"name\\":\\"n\\",\\"more\\":1}""", "Performance", {"gflops": 1.5, "name": "n"}),
        ("echo hello", "Exit", {"exit_code": 0, "stdout": "hello\n"}),
    ],
)
def test_a_result_becomes_a_trace(project: Project, cmd: str, case: str, fields: dict[str, object]) -> None:
    project.run(
        SCHEMA
        + f"task T {{ step s {{ tool.run {{ cmd: '''{cmd}''' }}\n-> emit TraceItem.{case} }} }}".replace("'''", '"""')
    )
    assert project.data("emit") == [{"case": f"TraceItem.{case}", "fields": fields, "source": "result"}]


def test_a_result_that_lacks_a_field_is_no_trace(project: Project) -> None:
    ended = project.run(SCHEMA + 'task T { step s { tool.run { cmd: "echo 1" }\n-> emit TraceItem.Performance } }')
    assert (ended.verdict.why[0].code, "gflops is missing" in ended.verdict.why[0].message) == ("SPK933", True)


def test_an_invariant_gates(project: Project) -> None:
    ended = project.run(
        SCHEMA
        + """
        invariant Positive { assert: "Speed is positive."  check: trace.Performance.gflops > 0 }
        invariant Prose { assert: "Nobody checks this." }
        task T {
          step s { emit TraceItem.Performance { gflops: -1.0, name: "x" } }
          step t { n = 1 }
        }"""
    )
    assert [one["status"] for one in project.data("step")] == ["failed", "skipped"]
    assert "SPK279" in [one.code for one in ended.verdict.why]
    assert {one["invariant"]: one["value"] for one in project.data("invariant")} == {"Positive": False, "Prose": None}


def test_a_protocol_goes_through_its_whole_list(project: Project) -> None:
    ended = project.run("""
        protocol P {
          step one { tool.run { cmd: "false" } }
          step two { description: "Look at it." }
          step three { check: 1 + 1 == 2 }
          step four { check: 1 + 1 == 3 }
        }""")
    assert [one["status"] for one in project.data("step")] == ["failed", "manual", "done", "failed"]
    assert [one.code for one in ended.verdict.why] == ["SPK930", "SPK930"]


def test_success_decides_and_an_unknown_one_does_not_count(project: Project) -> None:
    lost = project.run("task T { step s { n = 1 }\n success: n > 1 }").verdict
    assert (lost.succeeded, lost.success, lost.why[0].code) == (False, False, "SPK937")
    blind = project.run("task T { step s { n = 0 }\n success: 1 / n > 1 }").verdict
    assert (blind.succeeded, blind.success) == (False, None)
    assert "cannot be told" in blind.why[0].message


def test_a_failed_step_is_a_failed_run_whatever_success_says(project: Project) -> None:
    ended = project.run('task T { step s { tool.run { cmd: "false" } }\n success: 1 == 1 }')
    assert (ended.verdict.succeeded, ended.verdict.success) == (False, True)


def test_a_metric_has_its_declared_type(project: Project) -> None:
    ended = project.run("""
        task T {
          step s { n = 1 }
          evaluation { check words: tool.run -> int { cmd: "echo many" } }
        }""")
    assert [one.code for one in ended.verdict.why] == ["SPK932"]
    assert project.data("metric") == [{"metric": "words", "value": None}]


def test_limits_fail_the_run(project: Project) -> None:
    text = "task T { step a { n = 1 }\n step b { n = 2 }\n step c { n = 3 } }"
    ended = project.run(text, max_steps=2)
    assert [one.code for one in ended.verdict.why] == ["SPK931"]
    assert [one.step for one in project.events("step")] == ["a", "b"]
    assert not project.run("contract C { max_steps: 1 }\n" + text).verdict.succeeded
    assert project.run(text, max_steps=3).verdict.succeeded


def test_the_last_step_that_is_allowed_may_do_its_work(project: Project) -> None:
    text = 'task T { step a { tool.run { cmd: "true" } } step b { tool.run { cmd: "true" } } }'
    assert project.run(text, max_steps=2).verdict.succeeded
    assert not project.run(text, max_steps=1).verdict.succeeded
    assert [one["status"] for one in project.data("step")] == ["done"]


def test_seconds_of_work_are_limited(project: Project) -> None:
    ended = project.run("""
        task T { seconds: 0.05
          step a { tool.run { cmd: "sleep 0.1" } }
          step b { tool.run { cmd: "true" } } }""")
    assert ended.verdict.why[0].code == "SPK931"
    assert len(project.events("tool")) == 1


def test_operations_are_performed_by_the_tools_they_are_bound_to(project: Project) -> None:
    project.write("three words here\n", "notes.txt")
    ended = project.run("""
        effect Files { operation load(path: String) -> String { tool: read }
                       operation count(path: String) -> int { tool: read } }
        workflow W {
          step a { text = perform Files.load("notes.txt")
                   n = len(text) }
          step b { m = perform Files.count("notes.txt") }
        }""")
    assert project.data("set")[0]["value"] == 17
    assert [one.code for one in ended.verdict.why] == ["SPK932"]


def test_nothing_performs_an_operation_that_is_bound_to_no_tool(project: Project) -> None:
    ended = project.run("effect E { operation go(x: int) -> int; }\nworkflow W { step a { y = perform E.go(1) } }")
    assert [one.code for one in ended.verdict.why] == ["SPK938"]


def test_arguments_have_their_parameters_types(project: Project) -> None:
    text = 'task T(n: int, who: string) { step s { m = n + 1\n tool.write { path: "a.txt", content: "{{who}} {{args.n}}" } } }'
    project.run(text, args={"n": "2", "who": "7"})
    assert (project.root / "a.txt").read_text() == "7 2"
    with pytest.raises(SpakError) as caught:
        project.run(text, args={"n": "two", "whom": "x"})
    assert sorted(one.message for one in caught.value.diagnostics) == [
        "T has no parameter 'whom'", "T needs 'who', a string", "T: n is the string 'two', where an integer is needed",
    ]  # fmt: skip


def test_what_is_run_is_named_where_there_are_several(project: Project) -> None:
    text = "task A { step s { n = 1 } }\ntask B { step s { n = 2 } }"
    with pytest.raises(SpakError, match="which of A, B is to run"):
        project.run(text)
    with pytest.raises(SpakError, match="there is no 'C' to run"):
        project.run(text, "C")
    project.run(text, "B")
    assert project.data("set") == [{"name": "n", "value": 2}]
    project.run(text + "\nagent_loop L { step s { n = 3 } }")
    assert project.data("set") == [{"name": "n", "value": 3}]


def test_a_program_may_use_others_and_targets(project: Project) -> None:
    project.write("domain D { fact big(t: TraceItem.Exit) { return t.exit_code > PEAK } }", "specs/domains/D.dsl")
    project.write("[constants]\nPEAK = 4\n", "targets/box.toml")
    ended = project.run(
        "use D\n" + SCHEMA + 'task T { step s { emit TraceItem.Exit { exit_code: 5, stdout: "" } } }', target="box"
    )
    assert ended.verdict.succeeded
    assert project.data("fact")[0]["numbers"] == {"PEAK": 4, "t.exit_code": 5}
