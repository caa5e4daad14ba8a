"""`tool.engineering_loop` and `tool.bench` from a run: trials as events, rules that narrow, the policy of the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spak.agents import tools
from spak.agents.tools import Context
from spak.errors import SpakError
from spak.pipeline.measuring.services import Services
from spak.semantics.program import Fields, Template

from tests.agents.runs import Project
from tests.agents.toolcalls import policy

MEASURE = """
import json, sys
level = int(sys.argv[1])
if level == 4: sys.exit("four does not work")
print("__SPAK_TRACE__ " + json.dumps({"case": "TraceItem.Speed", "fields": {"level": level, "rate": 10.0 - (level - 2) ** 2}}))
"""
PROGRAM = """
trace_schema { variant TraceItem { case Speed { level: int, rate: float } } }
fact slow(t: TraceItem.Speed) { return t.rate < 9.5 }
rule "Not the first" { when: slow  recommend: "level in [2, 3, 4]" }
CONTRACT
engineering_loop Levels {
  parameter level: [1, 2, 3, 4]
  measure { cmd: ["python", "measure.py", "{{level}}"] metric: rate objective: maximize emits: TraceItem.Speed }
}
agent_loop Climb {
  step first { tool.run { cmd: ["python", "measure.py", "1"] } }
  step search { found = tool.engineering_loop { name: Levels } }
  step tell { best = found.best.params.level }
}
"""


def test_a_search_is_narrowed_and_told(project: Project) -> None:
    (project.root / "measure.py").write_text(MEASURE)
    project.run(PROGRAM.replace("CONTRACT", ""), "Climb")
    assert project.data("end")[0]["status"] == "succeeded"
    trials = project.data("trial")
    assert sorted(one["params"]["level"] for one in trials) == [2, 3, 4]  # the rule that fired keeps the first away
    assert {one["params"]["level"]: one["status"] for one in trials} == {2: "ok", 3: "ok", 4: "failed"}
    assert [one["value"] for one in project.data("set") if one["name"] == "best"] == [2]
    (done,) = [one for one in project.data("tool") if one["tool"] == "engineering_loop"]
    assert done["result"]["value"]["best"]["value"] == 10.0
    assert done["result"]["value"]["failed"] == 1


def test_a_search_obeys_the_policy_of_its_run(project: Project) -> None:
    (project.root / "measure.py").write_text(MEASURE)
    text = PROGRAM.replace("CONTRACT", 'contract { programs: ["cat"] }').replace(
        "step first {", "step first when false {"
    )
    project.run(text, "Climb")
    assert project.data("end")[0]["status"] == "failed"
    (done,) = [one for one in project.data("tool") if one["tool"] == "engineering_loop"]
    assert "'python' is not among the programs of this run" in json.dumps(done["result"])


def test_a_search_that_is_not_declared_is_refused_at_run_time_too(tmp_path: Path) -> None:
    args = Fields((("name", Template("Levls")),))
    planned = tools.plan("engineering_loop", args, {}, policy(tmp_path))
    with pytest.raises(SpakError) as error:
        tools.perform(planned, Context(tmp_path, policy(tmp_path), Services(tmp_path)))
    assert error.value.diagnostics[0].code == "SPK963"


@pytest.mark.parametrize("repeats", [-1, 1.5, 10**6])
def test_repeats_of_a_bench(tmp_path: Path, repeats: float) -> None:
    from tests.agents.toolcalls import plan

    with pytest.raises(SpakError) as error:
        plan(tmp_path, "tool.bench { unit: u variant: v repeats: n }", n=repeats)
    assert error.value.diagnostics[0].code == "SPK941"
