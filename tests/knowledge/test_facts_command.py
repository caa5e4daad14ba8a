"""`spak facts` on recorded runs: values with their numbers, rules that fired or why not, invariants, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from knowledge.sample import PERFORMANCE
from spak.knowledge.grounding import Grounding
from spak.knowledge.survey import Survey
from spak.knowledge.table import Table
from spak.knowledge.units import units_of
from spak.knowledge.values import FactValue, Fired
from spak.pipeline.runs.knowing import remember
from spak.semantics.resolve import load_program
from spak.traces.event import Event
from spak.traces.reading import items, read_events

SYSTEM = """\
system "Levels" {
  trace_schema {
    variant TraceItem {
      case Performance { level: string  gflops: float }
      case Correctness { passed: boolean  error: float }
    }
  }
  knowledge {
    fact slow(t: TraceItem.Performance) { return t.gflops / PEAK_GFLOPS < 0.5 }
    fact gained(now: TraceItem.Performance, before: TraceItem.Performance) { return now.gflops > before.gflops }
    fact on_gpu(t: TraceItem.Performance) {
      scope { target: sm_90a }
      return t.gflops > 100
    }
    fact seen {
      description: "Panels fit the cache"
      scope { target: cpu, samples: 12 }
    }
    rule "Tile" { when: "slow" apply: "Keep a block in registers" recommend: "level = tiled" }
    rule "Gpu" { when: "on_gpu" apply: "Nothing" }
    hint "Enough" { trigger: !slow && gained suggestion: "Stop here" }
    rule "Taste" { when: "The code looks slow to you" apply: "Look again" }
  }
  invariant Accurate { assert: "Errors stay small" check: trace.Correctness.error < 0.001 }
  model { state tries: int = 0 }
  invariant Patient { assert: "Two tries do" check: "tries <= 2 && metrics.best > 50" }
  invariant Readable { assert: "People can read it" }
  task Measure {
    step build: tool.build { unit: "matmul" variant: "tiled" target: "cpu" }
    step measure: tool.run { cmd: "./measure" }
    step again {
      if fact.slow { tool.verify { unit: "saxpy" variant: "flat" target: "cpu" } }
    }
  }
}
"""


def emitted(*made: tuple[str, dict[str, Any]]) -> bytes:
    rows = [Event(1, "run", "0001-aaaa", data={"program": "system.dsl"})]
    for seq, (case, fields) in enumerate(made, 2):
        rows.append(
            Event(seq, "emit", "0001-aaaa", "measure", data={"case": case, "fields": fields, "source": "stdout"})
        )
    return b"".join(one.to_line() for one in rows)


def performance(gflops: float, level: str = "naive") -> tuple[str, dict[str, Any]]:
    return PERFORMANCE, {"level": level, "gflops": gflops}


def correctness(error: float) -> tuple[str, dict[str, Any]]:
    return "TraceItem.Correctness", {"passed": error == 0.0, "error": error}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one run that is over; the working directory is its root."""
    (tmp_path / "dodo.py").touch()
    (tmp_path / "system.dsl").write_text(SYSTEM)
    folder = tmp_path / ".spak/runs/0001-aaaa"
    (folder / "program").mkdir(parents=True)
    (folder / "program/system.dsl").write_text(SYSTEM)
    start = {"program": "system.dsl", "target": "cpu", "constants": {"PEAK_GFLOPS": 96.0}}
    (folder / "start.json").write_text(json.dumps(start))
    (folder / "context.json").write_text(json.dumps({"tries": 2}))
    (folder / "metrics.json").write_text(json.dumps({"status": "succeeded", "metrics": {"best": 60.0}}))
    (folder / "trace.jsonl").write_bytes(emitted(performance(3.0), correctness(0.0), performance(60.0, "tiled")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def spak(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    from spak.cli.root import run

    monkeypatch.setattr("sys.argv", ["spak", *argv])
    code = run()
    said = capsys.readouterr()
    return code, said.out, said.err


PAGE = """\
0001-aaaa: 3 traces, target cpu

fact slow(t: TraceItem.Performance): t.gflops / PEAK_GFLOPS < 0.5
  #2       true     PEAK_GFLOPS = 96.0, t.gflops = 3.0
  #4       false    PEAK_GFLOPS = 96.0, t.gflops = 60.0

fact gained(now: TraceItem.Performance, before: TraceItem.Performance): now.gflops > before.gflops
  #2       unknown  there is no earlier trace of TraceItem.Performance
  #4 #2    true     before.gflops = 3.0, now.gflops = 60.0

fact on_gpu(t: TraceItem.Performance): t.gflops > 100  (on sm_90a)
  #2       unknown  out of scope: it holds on sm_90a, and this is cpu; t.gflops = 3.0
  #4       unknown  out of scope: it holds on sm_90a, and this is cpu; t.gflops = 60.0

fact seen: OBSERVED  Panels fit the cache  (on cpu, found on 12 samples)

rule "Tile": when slow
  fired on #2: slow is true
  stands no more: its condition is false: slow is false

rule "Gpu": when on_gpu
  not fired: its condition is unknown: on_gpu: out of scope: it holds on sm_90a, and this is cpu

hint "Enough": when !slow && gained
  fired on #2 #4: gained is true, slow is false
  Stop here.

rule "Taste": when The code looks slow to you
  not fired: its condition is prose: it is for readers, and never fires by itself

invariant Accurate: PASSED  trace.Correctness.error < 0.001  (trace.Correctness.error = 0.0)
invariant Patient: PASSED  tries <= 2 && metrics.best > 50  (metrics.best = 60.0, tries = 2)
invariant Readable: UNCHECKED  People can read it  (it has no check that can be executed)
"""


@pytest.mark.parametrize("run", ["", "0001", "0001-aaaa", ".spak/runs/0001-aaaa", ".spak/runs/0001-aaaa/trace.jsonl"])
def test_page(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: str) -> None:
    code, out, err = spak(monkeypatch, capsys, "facts", *([run] if run else []))
    assert out.splitlines() == PAGE.splitlines() and (code, err) == (0, "")


def test_json_has_all_of_it(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = spak(monkeypatch, capsys, "facts", "--json")
    found = json.loads(out)
    assert code == 0 and found["run"] == "0001-aaaa" and found["constants"] == {"PEAK_GFLOPS": 96.0}
    slow = found["facts"][0]
    assert (slow["true"], slow["false"], slow["unknown"]) == (1, 1, 0)
    assert slow["values"][0] == {
        "value": True, "on": [2], "numbers": {"PEAK_GFLOPS": 96.0, "t.gflops": 3.0}, "scope": "", "why": "",
    }  # fmt: skip
    assert [one["rule"] for one in found["rules"] if one["stands"]] == ["Enough"]
    assert [(one["invariant"], one["status"]) for one in found["invariants"]] == [
        ("Accurate", "PASSED"), ("Patient", "PASSED"), ("Readable", "UNCHECKED"),
    ]  # fmt: skip


def test_one_fact(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = spak(monkeypatch, capsys, "facts", "--fact", "slow")
    assert code == 0 and "#2       true" in out and "gained" not in out and "invariant" not in out
    code, out, _ = spak(monkeypatch, capsys, "facts", "--fact", "slow", "--json")
    assert [one["fact"] for one in json.loads(out)["facts"]] == ["slow"] and "rules" not in json.loads(out)


def test_failed_invariant_is_exit_code_1(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".spak/runs/0001-aaaa/trace.jsonl").write_bytes(emitted(correctness(0.0), correctness(0.5)))
    code, out, _ = spak(monkeypatch, capsys, "facts")
    assert code == 1 and "invariant Accurate: FAILED" in out and "(trace.Correctness.error = 0.5)" in out
    assert "no trace gave it a value" in out and "none of its facts got a value" in out


def test_another_program_and_other_constants(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A falsified fact, held against the traces that were recorded, shows what would have fired."""
    (project / "other.dsl").write_text(SYSTEM.replace("< 0.5", "< 0.01"))
    _, out, _ = spak(monkeypatch, capsys, "facts", "--program", "other.dsl")
    assert "#2       false" in out and 'rule "Tile": when slow\n  not fired: its condition is false' in out
    (project / "targets").mkdir()
    (project / "targets/tiny.toml").write_text(
        'dialect = "cpp"\ndevice = "cpu"\n[toolchain]\nengine = "host"\n[constants]\nPEAK_GFLOPS = 4.0\n'
    )
    _, out, _ = spak(monkeypatch, capsys, "facts", "--target", "tiny", "--fact", "slow")
    assert "#2       false    PEAK_GFLOPS = 4.0, t.gflops = 3.0" in out


def test_many_values_are_counted(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".spak/runs/0001-aaaa/trace.jsonl").write_bytes(emitted(*(performance(float(n)) for n in range(100))))
    _, out, _ = spak(monkeypatch, capsys, "facts")
    assert "  true 48, false 52, unknown 0; the last 20 of 100, all with --fact slow" in out
    assert "  fired 48 times; the last 20:" in out
    _, out, _ = spak(monkeypatch, capsys, "facts", "--fact", "slow")
    assert out.count("\n  #") == 100


def test_a_survey_is_what_arrived_one_by_one(project: Path) -> None:
    """The facts, rules and invariants of a run that is over are those that its events recorded."""
    rising = '  invariant Rising { assert: "It gets faster" check: "gained" }\n}\n'
    (project / "system.dsl").write_text(SYSTEM.rstrip().removesuffix("}") + rising)
    program = load_program(project, "system.dsl")
    path = project / ".spak/runs/0001-aaaa/trace.jsonl"
    path.write_bytes(emitted(*(performance(float(n * 37 % 96)) for n in range(60)), correctness(0.5)))
    made = items(read_events(path))
    grounding = Grounding(program, {"PEAK_GFLOPS": 96.0}, "cpu")
    found = [one for item in made for one in grounding.arrive(item)]
    survey = Survey(program, Table.of(made), {"PEAK_GFLOPS": 96.0}, "cpu")
    for name in ("slow", "gained", "on_gpu"):
        assert survey.values(name) == [one for one in found if isinstance(one, FactValue) and one.fact == name]
    for rule in ("Tile", "Gpu", "Enough"):
        assert [one.fired for one in survey.fired(rule)] == [
            one for one in found if isinstance(one, Fired) and one.rule == rule
        ]
        assert survey.last(rule) == grounding.looks[rule]
    assert survey.invariants() == grounding.check()


def test_fired_rules_are_remembered_beside_the_units_of_the_program(project: Path) -> None:
    program = load_program(project, "system.dsl")
    assert units_of(program) == ("matmul", "saxpy")
    grounding = Grounding(program, {"PEAK_GFLOPS": 96.0}, "cpu")
    made = items(read_events(project / ".spak/runs/0001-aaaa/trace.jsonl"))
    grounding.arrive(made[0])
    assert remember(project, grounding) == ["matmul", "saxpy"]
    record = json.loads((project / ".spak/fired/matmul.json").read_text())
    assert record["rules"] == [
        {"name": "Tile", "kind": "rule", "text": "- Tile: Keep a block in registers. use level = tiled."}
    ]
    for item in made[1:]:
        grounding.arrive(item)
    remember(project, grounding)
    assert [one["name"] for one in json.loads((project / ".spak/fired/matmul.json").read_text())["rules"]] == ["Enough"]
