"""Sweeps of commands: holes, metrics, failures, the cache, narrowing, simulation; and a sweep that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import spak
from spak.errors import SpakError
from spak.lang.expr import parse_expr
from spak.optimize.record import Record, read
from spak.optimize.trial import Trial
from spak.pipeline.measuring.command_trials import metrics
from spak.pipeline.measuring.sweeping import sweep
from spak.semantics.program import EngineeringLoop, Items, Measure, Parameter, Recommendation, Template

SCRIPT = """\
import json, sys

a, kind = int(sys.argv[1]), sys.argv[2]
with open("calls.txt", "a") as log:
    log.write(f"{a} {kind}\\n")
if kind == "bad":
    sys.exit("there is no such kind")
fields = {"score": 100 - (a - 4) ** 2, "kind": kind}
print("working")
print("__SPAK_TRACE__ " + json.dumps({"case": "TraceItem.Performance", "fields": fields}))
"""


def command(*words: str) -> Items:
    holes = {"{{A}}": ("A",), "{{KIND}}": ("KIND",)}
    return Items(tuple(Template(word, holes.get(word, ())) for word in words))


def loop(**changes: Any) -> EngineeringLoop:
    measure = Measure("score", "maximize", command(sys.executable, "measure.py", "{{A}}", "{{KIND}}"), timeout=60.0)
    base: dict[str, Any] = {
        "name": "tune",
        "parameters": (Parameter("A", (1, 2, 3, 4)), Parameter("KIND", ("good", "bad"))),
        "constraints": (parse_expr("A != 2"),),
        "measure": measure,
    }
    return EngineeringLoop(**{**base, **changes})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "measure.py").write_text(SCRIPT)
    (tmp_path / "dodo.py").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def calls(root: Path) -> list[str]:
    path = root / "calls.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_a_command_is_swept(root: Path) -> None:
    seen: list[dict[str, Any]] = []
    found = sweep(root, loop(), seen.append)
    assert found["best"]["params"] == {"A": 4, "KIND": "good"}
    assert (found["trials"], found["measured"], found["failed"]) == (6, 3, 3)
    assert [one["status"] for one in seen] == ["ok", "failed"] * 3
    assert seen[1]["why"] == "exit status 1: there is no such kind"
    assert seen[0]["metrics"]["score"] == 91
    assert {"loop", "params", "key", "status", "metrics", "cached"} <= seen[0].keys()
    assert json.dumps(found)


def test_a_repeated_sweep_runs_nothing_and_an_edited_script_everything(root: Path) -> None:
    first = sweep(root, loop())
    made = len(calls(root))
    again = sweep(root, loop())
    assert len(calls(root)) == made == 6
    assert again["cached"] == 6
    assert again["best"]["params"] == first["best"]["params"]
    (root / "measure.py").write_text(SCRIPT.replace("100 -", "200 -"))
    assert sweep(root, loop())["best"]["value"] == 200
    assert len(calls(root)) == 2 * made


def test_every_file_that_a_configuration_names_is_part_of_what_was_measured(root: Path) -> None:
    """The script is a parameter, and so is the program itself: editing either measures it again, and nothing else."""
    for name, score in (("one.sh", 1), ("two.sh", 2)):
        (root / name).write_text(f"#!/bin/sh\necho {name} >> calls.txt\necho '{{\"score\": {score}}}'\n")
        (root / name).chmod(0o755)
    scripts = (Parameter("SCRIPT", ("one.sh", "two.sh")),)
    for words, cached in ((("sh", "{{SCRIPT}}"), 1), (("./two.sh", "{{SCRIPT}}"), 0)):
        cmd = Items(tuple(Template(word, ("SCRIPT",) if "{{" in word else ()) for word in words))
        mine = loop(measure=Measure("score", "maximize", cmd), parameters=scripts, constraints=())
        assert sweep(root, mine)["best"]["value"] == 2
        assert sweep(root, mine)["cached"] == 2
        (root / "two.sh").write_text((root / "two.sh").read_text().replace(": 2}", ": 3}"))
        again = sweep(root, mine)
        assert (again["best"]["value"], again["cached"]) == (3, cached)
        (root / "two.sh").write_text((root / "two.sh").read_text().replace(": 3}", ": 2}"))
    assert calls(root) == ["one.sh", *["two.sh"] * 6]


def test_what_has_no_figure_is_measured_anew_on_demand(root: Path) -> None:
    (root / "measure.py").write_text(
        SCRIPT.replace("if kind ==", "import os\nif not os.path.exists('well') and kind ==", 1)
    )
    assert sweep(root, loop())["failed"] == 3
    (root / "well").touch()
    found = sweep(root, loop())
    assert (found["failed"], found["cached"]) == (3, 6)
    found = sweep(root, loop(), again=True)
    assert (found["failed"], found["cached"]) == (0, 3)
    found = sweep(root, loop(), again=True)
    assert (found["failed"], found["cached"]) == (0, 6)


def test_the_median_of_repeats(root: Path) -> None:
    (root / "measure.py").write_text(
        'import pathlib\np = pathlib.Path("n"); n = len(p.read_text()) if p.exists() else 0\np.write_text("x" * (n + 1))\n'
        "print(f'{{\"score\": {[7, 1, 4][n % 3]}}}')\n"
    )
    measure = Measure("score", "maximize", command(sys.executable, "measure.py"), repeats=3)
    found = sweep(root, loop(measure=measure, parameters=(Parameter("A", (1,)),), constraints=()))
    assert found["best"]["value"] == 4


def test_rules_narrow_the_search(root: Path) -> None:
    found = sweep(root, loop(), recommendations=[Recommendation("A", "<=", 3), Recommendation("KIND", "=", "good")])
    assert [one.split() for one in calls(root)] == [["1", "good"], ["3", "good"]]
    assert found["space"] == {"A": [1, 2, 3], "KIND": ["good"]}
    ignored = sweep(root, loop(), recommendations=[Recommendation("A", "=", 99)])
    assert ignored["diagnostics"][0]["code"] == "SPK280"


def test_a_record_replays_the_sweep_and_starts_nothing(root: Path) -> None:
    found = sweep(root, loop())
    made = len(calls(root))
    record = read(root / found["record"])
    again = sweep(root, loop(strategy="random", seed=4), simulate=record)
    assert len(calls(root)) == made
    assert again["best"]["params"] == found["best"]["params"]
    assert (again["simulated"], again.get("record")) == (record.path, None)
    with pytest.raises(SpakError, match="SPK667"):
        sweep(root, loop(), simulate=record, apply=True)
    with pytest.raises(SpakError, match=r"SPK653.*'speed'"):
        sweep(root, loop(measure=Measure("speed", "maximize")), simulate=record)
    with pytest.raises(SpakError, match=r"SPK653.*not of B"):
        sweep(root, loop(parameters=(Parameter("B", (1,)),), constraints=()), simulate=record)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"unit": "other"}, "of unit 'work', the loop of 'other'"),
        ({"unit": ""}, "of unit 'work', the loop of ''"),
        ({"variant": "second"}, "of variant 'first', the loop of 'second'"),
        ({"target": "sim"}, "of target 'cpu', the loop of 'sim'"),
        ({"shapes": ({"N": 9},)}, r"of shapes \[\{'N': 8\}\], the loop of \[\{'N': 9\}\]"),
        ({"objective": "minimize"}, "of maximize 'score', the loop of minimize 'score'"),
    ],
)
def test_figures_of_one_kernel_are_not_replayed_as_those_of_another(changes: dict[str, Any], what: str) -> None:
    measure = Measure("score", "maximize", None, "work", "first", "cpu", ({"N": 8},))
    about = {"metric": "score", "unit": "work", "variant": "first", "target": "cpu", "shapes": [{"N": 8}]}
    trial = Trial({"A": 1, "KIND": "good"}, "measured", 7.0)
    record = Record(about, (trial,), "record.json")
    assert sweep(Path(), loop(measure=measure), simulate=record)["best"]["value"] == 7.0
    with pytest.raises(SpakError, match="SPK653.*" + what):
        sweep(Path(), loop(measure=replace(measure, **changes)), simulate=record)


def test_a_command_that_takes_too_long_fails_its_trial(root: Path) -> None:
    (root / "measure.py").write_text("import time; time.sleep(60)")
    measure = Measure("score", "maximize", command(sys.executable, "measure.py"), timeout=0.3)
    found = sweep(root, loop(measure=measure, parameters=(Parameter("A", (1,)),), constraints=()))
    assert not found["ok"]
    assert "timed out" in found["why"]


def test_what_fills_a_hole_is_one_argument(root: Path) -> None:
    (root / "measure.py").write_text('import json, sys; print(json.dumps({"score": 1, "argv": sys.argv[1:]}))')
    kinds = (Parameter("KIND", ("x; touch pwned", "$(touch pwned)")),)
    measure = Measure("score", "maximize", Template(f"{sys.executable} measure.py '{{{{KIND}}}}'", ("KIND",)))
    found = sweep(root, loop(measure=measure, parameters=kinds, constraints=()))
    assert found["measured"] == 2
    assert found["best"]["argv"] in (["x; touch pwned"], ["$(touch pwned)"])
    assert not (root / "pwned").exists()


@pytest.mark.parametrize(
    ("stdout", "why"),
    [
        ("", "no trace line"),
        ("__SPAK_TRACE__ {", "line 1 of the output is no trace"),
        ("__SPAK_TRACE__ [1]", "line 1 of the output is no trace"),
        ('ok\n__SPAK_TRACE__ {"case": "P", "fields": {"score": "fast"}}', "score is 'fast'"),
        ('{"score": NaN}', "score is nan"),
        ('{"score": true}', "score is True"),
        ('{"other": 1}', "no last line of JSON"),
        ('{"score": 1}\nmore', "no last line of JSON"),
    ],
)
def test_outputs_without_a_metric(stdout: str, why: str) -> None:
    fields, said = metrics(stdout, "score", "")
    assert not fields or said
    assert why in said


@pytest.mark.parametrize(
    ("stdout", "emits", "value"),
    [
        ('{"score": 3}\n\n', "", 3),
        ('__SPAK_TRACE__ {"type": "P", "score": 1}\n__SPAK_TRACE__ {"type": "P", "score": 2}', "", 2),
        (
            '__SPAK_TRACE__ {"case": "T.P", "fields": {"score": 1}}\n__SPAK_TRACE__ {"case": "T.Q", "fields": {"score": 2}}',
            "T.P",
            1,
        ),
    ],
)
def test_outputs_with_a_metric(stdout: str, emits: str, value: int) -> None:
    assert metrics(stdout, "score", emits)[0]["score"] == value


DRIVER = """\
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_commands import loop
from spak.pipeline.measuring.sweeping import sweep
sweep(Path.cwd(), loop(), lambda trial: print(trial["number"], flush=True))
"""


def drive(root: Path) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(spak.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    code = DRIVER.format(tests=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


WAITING = """\
import pathlib, time
while len(pathlib.Path("calls.txt").read_text().splitlines()) == {after} + 1 and not pathlib.Path("go").exists():
    pathlib.Path("stuck").touch()
    time.sleep(0.01)
"""


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_sweep_goes_on_where_it_was(root: Path, after: int) -> None:
    """Killed without warning in the midst of a trial: what had ended is not run again, and the result is the same."""
    (root / "measure.py").write_text(SCRIPT.replace("if kind ==", WAITING.format(after=after) + "if kind ==", 1))
    victim = drive(root)
    assert victim.stdout is not None
    while not (root / "stuck").exists():
        assert victim.poll() is None
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    assert victim.stdout.read().split() == [str(number + 1) for number in range(after)]
    victim.stdout.close()
    (root / "go").touch()
    found = sweep(root, loop())
    assert (found["trials"], found["best"]["params"]) == (6, {"A": 4, "KIND": "good"})
    assert found["cached"] == after
    assert len(calls(root)) == 7, "the one in flight was made again, and no other"
    assert len(set(calls(root))) == 6


def test_two_sweeps_at_once_measure_one_after_the_other(root: Path) -> None:
    (root / "measure.py").write_text(
        "import os, sys, time\nt = time.monotonic_ns()\n"
        'handle = os.open("busy", os.O_CREAT | os.O_EXCL)\ntime.sleep(0.05)\nos.close(handle)\nos.unlink("busy")\n'
        "print('{\"score\": 1}')\n"
    )
    pair = [drive(root), drive(root)]
    for one in pair:
        assert one.stdout is not None
        assert len(one.stdout.read().split()) == 6
        assert one.wait() == 0
        one.stdout.close()
    found = sweep(root, loop())
    assert (found["measured"], found["failed"]) == (6, 0)
