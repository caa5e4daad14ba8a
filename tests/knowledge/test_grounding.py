"""Knowledge as traces arrive: facts, what fires and what does not, invariants, and what a prompt and a sweep are told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from knowledge.sample import CORRECTNESS, PERFORMANCE, correctness, fact, invariant, performance, program, rule
from spak.knowledge.grounding import Grounding
from spak.knowledge.invariants import gate
from spak.knowledge.values import FactValue, Fired, InvariantValue, plain
from spak.lang.expr import parse_expr
from spak.semantics.program import Parameter, Scope
from spak.traces.event import Event

PEAK = {"PEAK": 10.0}
SLOW = fact("slow", "t.tflops / PEAK < 0.5")
TILE = rule("Tile", "slow", ("level", "=", "tiled"), apply=("Tile the loops",), effect="Halves the reads")


def facts_of(found: list[Any]) -> dict[str, bool | None]:
    return {one.fact: one.value for one in found if isinstance(one, FactValue)}


def fired(found: list[Any]) -> list[str]:
    return [one.rule for one in found if isinstance(one, Fired)]


def test_fact_rule_and_what_follows() -> None:
    """A trace makes a fact true, the rule on it fires, and prompt, recommendation and record say so."""
    grounding = Grounding(program(SLOW, TILE), PEAK)
    value, rule_ = grounding.arrive(performance(3, 2.5))
    assert isinstance(value, FactValue) and isinstance(rule_, Fired)
    assert value.data() == {
        "fact": "slow", "value": True, "on": [3], "numbers": {"PEAK": 10.0, "t.tflops": 2.5}, "scope": "", "why": "",
    }  # fmt: skip
    assert rule_.data() == {
        "rule": "Tile", "kind": "rule", "on": [3], "facts": {"slow": True}, "apply": ["Tile the loops"],
        "recommend": [["level", "=", "tiled"]],
    }  # fmt: skip
    assert grounding.text() == "- Tile: Tile the loops. use level = tiled. Effect: Halves the reads."
    assert grounding.recommended == {"level": "tiled"}
    assert grounding.view()["fact"] == {"slow": True} and grounding.view()["traces"] == 1


def test_falsified_fact_takes_the_advice_back_and_keeps_the_record() -> None:
    grounding = Grounding(program(SLOW, TILE), PEAK)
    grounding.arrive(performance(1, 2.5))
    assert fired(grounding.arrive(performance(2, 9.0))) == []
    assert grounding.text() == "" and grounding.standing == [] and grounding.recommendations() == []
    assert [one.rule for one in grounding.fired] == ["Tile"]
    assert grounding.looks["Tile"].why == "its condition is false: slow is false"


def test_each_firing_is_an_event_of_its_own() -> None:
    grounding = Grounding(program(SLOW, TILE), PEAK)
    found = [grounding.arrive(performance(seq, 1.0)) for seq in (1, 2)]
    assert [fired(one) for one in found] == [["Tile"], ["Tile"]]
    assert [one.on for one in grounding.fired] == [(1,), (2,)]
    assert grounding.text().count("Tile:") == 1


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("t.tflops / ZERO > 1", "division by zero"),
        ("t.note == 1 && t.gone > 1", "t.gone, t.note are not there"),
        ("t.tflops > MAX_BW", "MAX_BW is not there"),
        ("t.tflops + 1", "neither true nor false"),
        ("t.level > 1", "no number"),
    ],
)
def test_unknown_never_fires_and_says_why(body: str, why: str) -> None:
    grounding = Grounding(program(fact("f", body), rule("R", "f"), rule("Not", "!f")), {"ZERO": 0})
    found = grounding.arrive(performance(1, 1.0))
    assert facts_of(found) == {"f": None} and fired(found) == []
    assert why in grounding.facts["f"].why and why in grounding.looks["Not"].why
    assert grounding.view()["fact"] == {"f": "unknown"}


def test_rule_over_facts_of_two_cases_waits_for_both_and_cites_both() -> None:
    sound = fact("sound", "c.passed", ("c", CORRECTNESS))
    both = rule("Both", "slow && sound")
    grounding = Grounding(program(SLOW, sound, both), PEAK)
    assert fired(grounding.arrive(performance(1, 1.0))) == []
    assert grounding.looks["Both"].why == "its condition is unknown: sound: no trace gave it a value"
    assert fired(grounding.arrive(correctness(2, True))) == ["Both"]
    assert grounding.fired[0].on == (1, 2) and grounding.fired[0].facts == {"slow": True, "sound": True}
    assert fired(grounding.arrive(correctness(3, False))) == []


def test_true_or_unknown_is_true() -> None:
    grounding = Grounding(program(SLOW, fact("lost", "t.gone"), rule("Any", "slow || lost")), PEAK)
    assert fired(grounding.arrive(performance(1, 1.0))) == ["Any"]
    assert grounding.fired[0].facts == {"lost": None, "slow": True}


def test_latest_two_traces() -> None:
    gained = fact("gained", "now.tflops > before.tflops", ("now", PERFORMANCE), ("before", PERFORMANCE))
    grounding = Grounding(program(gained))
    (first,) = grounding.arrive(performance(1, 1.0))
    assert isinstance(first, FactValue) and (first.value, first.why) == (
        None,
        f"there is no earlier trace of {PERFORMANCE}",
    )
    (second,) = grounding.arrive(performance(2, 2.0))
    assert isinstance(second, FactValue) and (second.value, second.on) == (True, (2, 1))
    assert second.numbers == {"before.tflops": 1.0, "now.tflops": 2.0}
    assert facts_of(grounding.arrive(performance(3, 1.0))) == {"gained": False}


@pytest.mark.parametrize(
    ("scope", "where", "why"),
    [
        (Scope(target="sm_90a"), {"target": "cpu"}, "it holds on sm_90a, and this is cpu"),
        (Scope(target="sm_90a"), {}, "it holds on sm_90a, and this is on no target that the trace names"),
        (Scope(target="cpu"), {"target": "cpu"}, ""),
        (Scope(shapes=(parse_expr("M >= 256"),)), {"shape": {"M": 64}}, "it holds where M >= 256, and here M = 64"),
        (Scope(shapes=(parse_expr("M >= 256"),)), {}, "it holds where M >= 256, and here the trace names no shape"),
        (Scope(shapes=(parse_expr("M >= 256"),)), {"shape": {"M": 256}}, ""),
        (Scope(date="2020-01-01", samples=9), {}, ""),
    ],
)
def test_out_of_scope_is_unknown_with_the_reason(scope: Scope, where: dict[str, Any], why: str) -> None:
    scoped = fact("scoped", "t.tflops > 1", scope=scope)
    grounding = Grounding(program(scoped, SLOW, rule("R", "scoped"), rule("S", "slow", scope=scope)), PEAK)
    found = grounding.arrive(performance(1, 2.0, **where))
    value = grounding.facts["scoped"]
    assert (value.value, value.scope) == ((None, why) if why else (True, ""))
    assert fired(found) == ([] if why else ["R", "S"])
    if why:
        assert grounding.looks["R"].why == f"its condition is unknown: scoped: out of scope: {why}"
        assert grounding.looks["S"].why == f"out of scope: {why}"


def test_scope_takes_the_target_of_the_run() -> None:
    grounding = Grounding(program(fact("f", "t.tflops > 1", scope=Scope(target="cpu"))), target="cpu")
    assert facts_of(grounding.arrive(performance(1, 2.0))) == {"f": True}


def test_observation_and_prose_never_fire() -> None:
    seen = fact("seen", None)
    grounding = Grounding(program(seen, SLOW, rule("Prose", None), rule("OnSeen", "seen && slow")), PEAK)
    assert fired(grounding.arrive(performance(1, 1.0))) == []
    assert "observation" in grounding.looks["OnSeen"].why and "Prose" not in grounding.looks


def test_fact_over_no_trace_is_judged_once() -> None:
    whole = program(fact("many", "CORES > 1"))
    lone = replace(whole, facts={"many": replace(whole.facts["many"], params=())})
    grounding = Grounding(lone, {"CORES": 2})
    assert facts_of(grounding.arrive(performance(1, 1.0))) == {"many": True}
    assert facts_of(grounding.arrive(performance(2, 1.0))) == {}


def test_order_is_that_of_the_file_and_the_same_every_time() -> None:
    parts = [fact(f"f{i}", "t.tflops > 0") for i in (3, 1, 2)] + [rule(f"R{i}", f"f{i}") for i in (2, 3, 1)]
    parts += [invariant("Z", "trace.Performance.tflops > 0"), invariant("A", "trace.Performance.tflops > 5")]
    runs = [[one.data() for one in Grounding(program(*parts)).arrive(performance(1, 1.0))] for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]
    named = [one.get("fact") or one.get("rule") or one.get("invariant") for one in runs[0]]
    assert named == ["f3", "f1", "f2", "R2", "R3", "R1", "Z", "A"]


def test_latest_recommendation_counts_and_parameters_are_one() -> None:
    sizes = (Parameter("BM", (32, 64)),)
    first, then = (
        rule("First", "slow", ("level", "=", "tiled")),
        rule("Then", "!slow", ("level", "=", "packed"), parameters=sizes),
    )
    grounding = Grounding(program(SLOW, first, then), PEAK)
    grounding.arrive(performance(1, 1.0))
    grounding.arrive(performance(2, 9.0))
    assert grounding.recommended == {"level": "packed", "BM": [32, 64]}
    assert [(one.name, one.op, one.value) for one in grounding.recommendations()] == [
        ("level", "=", "packed"), ("BM", "in", [32, 64]),
    ]  # fmt: skip


def test_invariants_pass_fail_or_are_unchecked_and_the_failed_gate() -> None:
    kept = [
        invariant("Accurate", "trace.Correctness.error < 0.01", "Errors stay small."),
        invariant("Whole", "trace.last.TraceItem.Correctness.passed && metrics.runs >= 1"),
        invariant("Prose", None),
        invariant("Blind", "trace.Performance.tflops > 1"),
        invariant("Stated", "count <= 3 && slow"),
    ]
    grounding = Grounding(program(SLOW, *kept), PEAK, outside={"metrics": {"runs": 1}, "count": 2})
    found = [one for one in grounding.arrive(correctness(1, True, 0.5)) if isinstance(one, InvariantValue)]
    assert [(one.invariant, one.status) for one in found] == [("Accurate", "FAILED"), ("Whole", "PASSED")]
    assert found[0].data() == {
        "invariant": "Accurate", "value": False, "numbers": {"trace.Correctness.error": 0.5}, "why": "",
    }  # fmt: skip
    (told,) = gate(found)
    assert (
        told.code == "SPK279" and "trace.Correctness.error = 0.5" in told.message and "Errors stay small" in told.hint
    )
    every = {one.invariant: one for one in grounding.check()}
    assert {name: one.status for name, one in every.items()} == {
        "Accurate": "FAILED", "Whole": "PASSED", "Prose": "UNCHECKED", "Blind": "UNCHECKED", "Stated": "UNCHECKED",
    }  # fmt: skip
    assert "no check" in every["Prose"].why and every["Blind"].why == "trace.Performance.tflops is not there"
    grounding.arrive(performance(2, 1.0))
    assert {one.invariant: one.status for one in grounding.check()}["Stated"] == "PASSED"


def test_everything_found_can_be_written_as_an_event() -> None:
    constants = {"PEAK": float("inf"), "ODD": float("nan")}
    parts = [
        fact("f", "t.tflops < PEAK && ODD != 1"),
        rule("R", "f"),
        invariant("I", "trace.Performance.tflops < PEAK"),
    ]
    for seq, one in enumerate(Grounding(program(*parts), constants).arrive(performance(1, 1.0)), 2):
        line = Event(seq, one.kind, "run", data=one.data()).to_line()
        assert json.loads(line)["data"] == one.data()
    assert plain({"x": (1.0, float("-inf"))}) == {"x": [1.0, "-inf"]}
