"""Programs out of text: what each kind becomes."""

from __future__ import annotations

import pytest
from spak.errors import Collector, SpakError
from spak.lang.expr import parse_expr
from spak.semantics.program import (
    Emit,
    EngineeringLoop,
    Fields,
    If,
    Items,
    Leave,
    Limits,
    Loop,
    Perform,
    Program,
    Query,
    Recommendation,
    Require,
    Set,
    Statement,
    Template,
    ToolCall,
)
from spak.semantics.resolve import resolve_text
from spak.semantics.types import Type

SCHEMA = 'trace_schema { variant T { case P { gflops: float, level: "a" | "b", note?: string } } }\n'


def program(text: str) -> Program:
    return resolve_text(text, "x.dsl")


def body(text: str, before: str = "") -> tuple[Statement, ...]:
    return program(f"{before}\ntask T {{ step s {{ {text} }} }}").procedures["T"].steps[0].body


# ---- statements ----


@pytest.mark.parametrize(
    "text",
    [
        'x = tool.run { cmd: "date" }',
        'tool.run { cmd: "date"; output_var: x }',
        'tool.run { command: "date"; output_var: "x" }',
        'x = tool.run("date")',
        'x = tool.run(cmd="date")',
        'tool.run(cmd="date", output_var=x)',
        'let x = tool.run("date")',
    ],
)
def test_every_spelling_of_a_call(text: str) -> None:
    assert body(text) == (ToolCall("run", Fields((("cmd", Template("date")),)), "x"),)


@pytest.mark.parametrize(
    "text",
    [
        'step s: tool.run { cmd: "date", output_var: x } -> emit P',
        'step s { x = tool.run { cmd: "date" } -> emit T.P }',
        'step s { tool.run { cmd: "date", output_var: x }\n -> emit T.P }',
        'step "s" { x = tool.run { cmd: "date" } -> emit P }',
        'step s -> emit P { x: tool.run { cmd: "date" } }',
    ],
)
def test_every_spelling_of_a_step(text: str) -> None:
    (step,) = program(SCHEMA + f"task A {{ {text} }}").procedures["A"].steps
    assert (step.id, step.title) == ("s", "s")
    assert step.body == (ToolCall("run", Fields((("cmd", Template("date")),)), "x", "T.P"),)


def test_queries() -> None:
    before = "model { type Plan matches { level: string, why: string? } }"
    text = 'p = llm.query { role: "R", prompt: "Now {{args.n}}"; schema: Plan; attempts: 2 }'
    (query,) = program(f"{before}\ntask T(n: int = 3) {{ step s {{ {text} }} }}").procedures["T"].steps[0].body
    assert isinstance(query, Query)
    assert (query.prompt, query.role) == (Template("Now {{args.n}}", ("args.n",)), Template("R"))
    assert (query.output, query.attempts) == ("p", 2)
    assert query.schema is not None
    assert [field.name for field in query.schema.fields] == ["level", "why"]


def test_a_long_prompt_loses_its_indentation() -> None:
    (query,) = body('llm.query {\n    prompt: """\n      One\n        two\n      """\n}')
    assert isinstance(query, Query)
    assert query.prompt.text == "One\n  two"


def test_control_and_values() -> None:
    made = body(
        'n: int = 3\nxs = [1, "{{n}}", { a: n }]\n'
        "if n > 2 and len(xs) == 3 { emit done } else if n == 0 { return n } else { loop 7 { break } }"
    )
    assert made[0] == Set("n", parse_expr("3"))
    assert isinstance(made[1], Set)
    assert made[1].value == Items((parse_expr("1"), Template("{{n}}", ("n",)), Fields((("a", parse_expr("n")),))))
    assert made[2] == If(
        parse_expr("n > 2 && len(xs) == 3", statements=True),
        (Emit("done", Fields(()), checked=False),),
        (If(parse_expr("n == 0"), (Leave("return", parse_expr("n")),), (Loop((Leave("break"),), 7),)),),
    )


def test_emits_are_in_the_order_of_the_case() -> None:
    (emit,) = program(SCHEMA + 'task A { step s { emit P(level="a", gflops=1) } }').procedures["A"].steps[0].body
    assert emit == Emit("T.P", Fields((("gflops", parse_expr("1")), ("level", Template("a")))))


def test_states_keep_their_types() -> None:
    made = program(
        'state best: float = 0.5\nstate level: "a" | "b" = "a"\nstate rest = [1]\n'
        "task A { step s { state.best = state.best + 1 } }"
    )
    assert [(one.name, one.default) for one in made.states] == [("best", 0.5), ("level", "a"), ("rest", [1])]
    assert made.procedures["A"].steps[0].body == (Set("best", parse_expr("best + 1"), Type("float")),)


def test_operations_by_their_parameters() -> None:
    text = (
        "effect E { operation put(path: String, text: String) -> Int; }\n"
        'workflow W(p: String) { step s { n = perform E.put(p, text="x") } }'
    )
    made = program(text)
    (perform,) = made.procedures["W"].steps[0].body
    assert perform == Perform("E", "put", Fields((("path", parse_expr("p")), ("text", Template("x")))), "n")
    assert made.effects["E"].operations["put"].result == Type("int")


def test_steps_of_prose_are_manual() -> None:
    made = program(
        'state x: int = 1\nprotocol P {\n step a { action: "Look."; expected: "Fine." }\n step b: "Just look."\n'
        ' step c { check: x > 0 }\n step d { action: "Run."; check: tool.run { cmd: "date" } }\n}'
    ).procedures["P"]
    assert [step.manual for step in made.steps] == ['action: "Look."\nexpected: "Fine."', "Just look.", "", ""]
    assert made.steps[2].body == (Require(parse_expr("x > 0"), "x > 0"),)
    assert isinstance(made.steps[3].body[0], ToolCall)


@pytest.mark.parametrize(
    "text", ["step s when x > 1 { return }", "step s when: x > 1 { return }", "step s { when: x > 1; return }"]
)
def test_conditions_of_steps(text: str) -> None:
    (step,) = program(f"state x: int = 1\ntask A {{ {text} }}").procedures["A"].steps
    assert step.body == (If(parse_expr("x > 1"), (Leave("return"),)),)


def test_titles_make_ids() -> None:
    made = program('task A { step "Look, twice!" { return } step "look twice" { return } step 3_x { return } }')
    assert [step.id for step in made.procedures["A"].steps] == ["look_twice", "look_twice_2", "3_x"]


def test_evaluation() -> None:
    made = program(
        'task A { step s { x = 3 }\n evaluation { check score: tool.run { cmd: "echo 1" }\n check small: x < 4\n'
        ' check sense: llm.query { prompt: "ok?"; schema: boolean; output_var: sane } }\n'
        " success: score > 0 && small && sane && metrics.score < 9 }"
    ).procedures["A"]
    assert [(check.id, check.metric) for check in made.evaluation] == [
        ("score", "score"),
        ("small", "small"),
        ("sense", "sane"),
    ]
    assert made.evaluation[1].body == (Set("small", parse_expr("x < 4")),)
    assert made.evaluation[2].type == Type("boolean")
    assert made.success == parse_expr("score > 0 && small && sane && metrics.score < 9")


def test_loops_that_go_round() -> None:
    made = program(
        'agent_loop A { repeat: 4; until: x > 2; max_steps: 9; budget: { seconds: "2m", tokens: 10 }\n step s { x = 1 } }'
    ).procedures["A"]
    assert (made.kind, made.repeat, made.until) == ("agent_loop", 4, parse_expr("x > 2"))
    assert made.limits == Limits(max_steps=9, seconds=120.0, tokens=10)


# ---- knowledge ----


def test_knowledge() -> None:
    made = program(
        SCHEMA + "tuning_space { BM: range [8, 32] }\n"
        "fact slow(t: T.P) { r = t.gflops / PEAK_GFLOPS  \n return r < 0.5 }\nfact grew(a: P, b: P) = a.gflops > b.gflops\n"
        'fact seen { description: "Once."; runs: 3\n'
        ' scope { target: cpu, shapes: ["M >= 256"], date: "2026-01-02", samples: 3 } }\n'
        'rule "R" { when: ["slow", not grew]; apply: "A."; recommend: ["BM = 16", "BM in [8, 16]", "take care"]\n'
        ' evidence: ["r1#3"]; why: "x" }\n'
        'hint H { trigger: "rows become columns"; suggestion: "S." }\n'
        'system_model { axiom: "One."; axiom: "Two."; heuristic: "H." }\n'
    )
    assert made.facts["slow"].params == (("t", "T.P"),)
    assert made.facts["slow"].body == parse_expr("t.gflops / PEAK_GFLOPS < 0.5")
    assert made.facts["grew"].params == (("a", "T.P"), ("b", "T.P"))
    seen = made.facts["seen"]
    assert (seen.body, seen.description, seen.noted["runs"]) == (None, "Once.", 3)
    assert (seen.scope.target, seen.scope.samples, seen.scope.shapes) == ("cpu", 3, (parse_expr("M >= 256"),))
    rule, hint = made.rules
    assert rule.when == parse_expr("slow && !grew")
    assert rule.recommend == (Recommendation("BM", "=", 16), Recommendation("BM", "in", [8, 16]))
    assert (rule.apply, rule.evidence, rule.noted) == (("A.", "take care"), ("r1#3",), {"why": "x"})
    assert (hint.when, hint.prose, hint.apply) == (None, ("rows become columns",), ("S.",))
    assert [(one.kind, one.number, one.text) for one in made.sentences] == [
        ("axiom", 1, "One."),
        ("axiom", 2, "Two."),
        ("heuristic", 1, "H."),
    ]
    assert made.tuning_space[0].values == (8, 16, 32)


def test_branches_of_a_fact() -> None:
    made = program(
        SCHEMA
        + """fact f(t: P) {
          if t.level == "a" { return t.gflops > 1 } else if t.level == "b" { return t.gflops > 2 }
          return false
        }"""
    )
    rest = 't.level == "b" && t.gflops > 2 || !(t.level == "b") && false'
    assert made.facts["f"].body == parse_expr(f't.level == "a" && t.gflops > 1 || !(t.level == "a") && ({rest})')


def test_a_rule_with_a_sentence_never_fires_by_itself() -> None:
    made = program(
        SCHEMA + 'fact slow(t: P) { return t.gflops < 1 }\nrule R { when: [slow, "the tile is small"]; apply: "A." }'
    )
    assert (made.rules[0].when, made.rules[0].prose) == (None, ("the tile is small",))


def test_invariants() -> None:
    made = program(
        SCHEMA
        + 'invariant A { assert: "x" check: trace.P.gflops > 0 }\ninvariant B: "y"\ncomponent C { invariant: "z" }'
    )
    assert [(one.name, one.check is None) for one in made.invariants] == [("A", False), ("B", True), ("z", True)]


# ---- the rest ----


def test_engineering_loops() -> None:
    made = program(
        SCHEMA
        + 'engineering_loop L { parameter A: [1, 2]; parameter B: ["x"]; constraint: A > 1; search: random\n'
        "budget: { trials: 5 }; seed: 7; write_back: true\n"
        "measure { kernel: k; variant: v; target: cpu; shapes: [{ M: 3 }]; metric: gflops; repeats: 2\n"
        'timeout: "1m"; emits: P } }\n'
        'engineering_loop M { parameter A: [1]\n measure { cmd: ["x", "{{A}}"]; metric: gflops; objective: minimize } }'
    ).loops  # fmt: skip
    loop = made["L"]
    assert isinstance(loop, EngineeringLoop)
    assert ([one.name for one in loop.parameters], loop.constraints) == (["A", "B"], (parse_expr("A > 1"),))
    assert (loop.strategy, loop.trials, loop.seed, loop.write_back) == ("random", 5, 7, True)
    measure = loop.measure
    assert (measure.unit, measure.variant, measure.target, measure.shapes) == ("k", "v", "cpu", ({"M": 3},))
    assert (measure.repeats, measure.timeout, measure.emits, measure.objective) == (2, 60.0, "T.P", "maximize")
    assert made["M"].measure.cmd == Items((Template("x"), Template("{{A}}", ("A",))))


def test_contract() -> None:
    made = program(
        'contract C { supported_intents = ["a"]; autonomy { max_steps = 5; loop_interval = "500ms" }; roots: ["out"]\n'
        " programs: [python]; env: [LANG]; shell: true }"
    ).contract
    assert (made.name, made.intents, made.roots, made.programs, made.env, made.shell) == (
        "C",
        ("a",),
        ("out",),
        ("python",),
        ("LANG",),
        True,
    )
    assert made.limits == Limits(max_steps=5, interval=0.5)


def test_services_and_deliverables() -> None:
    made = program(
        SCHEMA + 'service_loop S { on e(x: int) { emit P { gflops: x, level: "a" } } }\n'
        'build { artifact "r.md" { generator: report; input: trace.P } artifact "l.jsonl" }'
    )
    (handler,) = made.services["S"].handlers
    assert (handler.event, handler.params[0].type) == ("e", Type("int"))
    assert [(one.file, one.builtin, one.input) for one in made.deliverables] == [
        ("r.md", "report", "trace.P"),
        ("l.jsonl", "", "trace.all"),
    ]


def test_names_of_programs() -> None:
    assert program("system S { }").name == "S"
    assert program('meta { name = "m" }\nsystem S { }').name == "m"
    assert program("---\nname: f\n---\nsystem S { }").name == "f"
    assert program("").name == "x"


def test_unknown_kinds_are_kept() -> None:
    found = Collector()
    made = resolve_text("recipe Cake { flour: 3 }\nsystem S { page Index { a: 1 } }", "x.dsl", found)
    assert made.kept == ("recipe Cake", "page Index")
    assert [(one.code, one.severity) for one in found.found] == [("SPK203", "warning")] * 2


def test_all_that_is_wrong_is_reported_at_once() -> None:
    with pytest.raises(SpakError) as caught:
        program("task A { step s { x = y } step t: tool.rnu { } }\nfact f(t: T.Q) { return 1 }\nstate s: int = 0.5")
    assert [(d.code, d.span.line) for d in caught.value.diagnostics if d.span] == [
        ("SPK204", 1), ("SPK230", 1), ("SPK232", 2), ("SPK235", 2), ("SPK238", 3),
    ]  # fmt: skip
