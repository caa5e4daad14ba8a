"""Real kernels, really timed: a ladder, a sweep with everything that can go wrong in it, and what is written back.

Nothing here asserts how fast anything is, only that sixty-four passes take longer than one.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from spak.errors import SpakError
from spak.lang.expr import parse_expr
from spak.measure.peaks import Peaks
from spak.pipeline.measuring import benching
from spak.pipeline.measuring.benching import bench
from spak.pipeline.measuring.sweeping import sweep
from spak.semantics.program import EngineeringLoop, Measure, Parameter
from tuneproject import SHAPE, spak_run

pytestmark = pytest.mark.xdist_group("measure")

TUNED = "generated/work/passes/cpp/tuned.cpu.toml"
LOOP = EngineeringLoop(
    "passes",
    (Parameter("PASSES", (1, 64)), Parameter("MODE", (0, 1, 2, 3, 4))),
    (parse_expr("MODE == 0 || PASSES == 1"),),
    Measure("gflops", "maximize", None, "work", "passes", "cpu", (SHAPE,)),
)


@dataclass(frozen=True)
class Done:
    """A project in which the sweep was made and written back."""

    root: Path
    trials: list[dict[str, Any]]
    found: dict[str, Any]

    def trial(self, **params: int) -> dict[str, Any]:
        return next(one for one in self.trials if one["params"] == params)


@pytest.fixture(scope="module")
def done(built: Path) -> Done:
    """Made once for all processes of a test session, beside the built project; nobody changes it."""
    root = built.parent / "swept"
    kept = built.parent / "swept.json"
    with (built.parent / "swept.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(built, root, symlinks=True)
            trials: list[dict[str, Any]] = []
            with pytest.MonkeyPatch.context() as patch:
                patch.chdir(root)
                patch.delenv("SPAK_CACHE", raising=False)
                found = sweep(root, LOOP, trials.append, apply=True)
            kept.write_text(json.dumps([trials, found]))
    return Done(root, *json.loads(kept.read_text()))


@pytest.fixture
def swept(done: Done, monkeypatch: pytest.MonkeyPatch) -> Done:
    monkeypatch.chdir(done.root)
    monkeypatch.delenv("SPAK_CACHE", raising=False)
    return done


def copied(done: Done, tmp_path: Path) -> Path:
    root = tmp_path / "copy"
    shutil.copytree(done.root, root, symlinks=True)
    return root


def test_failed_configurations_are_data(swept: Done) -> None:
    assert "its result is wrong" in swept.trial(PASSES=1, MODE=1)["why"]
    assert "does not exist" in swept.trial(PASSES=1, MODE=3)["why"]
    assert "SIGSEGV" in swept.trial(PASSES=1, MODE=4)["why"]
    assert [swept.trial(PASSES=1, MODE=mode)["status"] for mode in (1, 3, 4)] == ["failed"] * 3
    assert swept.found["failed"] == 3


def test_the_faster_configuration_wins(swept: Done) -> None:
    assert swept.trial(PASSES=1, MODE=0)["metrics"]["ratio"] > 1.5
    assert swept.trial(PASSES=1, MODE=0)["metrics"]["verdict"] == "faster"
    assert swept.trial(PASSES=64, MODE=0)["metrics"]["ratio"] < swept.trial(PASSES=1, MODE=0)["metrics"]["ratio"]
    assert (swept.root / TUNED).is_file()


def test_what_does_not_verify_is_not_written_back(swept: Done) -> None:
    """Mode 2 is right on the shape that is timed, and as fast: only verification finds that it skips tails."""
    refused = swept.found["rejected"]
    assert swept.trial(PASSES=1, MODE=2)["status"] == "ok"
    assert all(one["params"] == {"PASSES": 1, "MODE": 2} and "verify fails" in one["why"] for one in refused)
    assert swept.found["written"] == TUNED
    assert "MODE = 0\nPASSES = 1\n" in (swept.root / TUNED).read_text()


def test_every_figure_has_its_percentage_of_the_peak(swept: Done) -> None:
    for trial in swept.trials:
        if trial["status"] == "ok":
            assert 0 < trial["metrics"]["percent_of_peak"] <= 110
            assert {"seconds", "gflops", "gbytes", "noise", "low", "high"} <= trial["metrics"].keys()


def test_exactly_what_it_concerns_is_rebuilt(swept: Done) -> None:
    concerned = ["check:work.passes@cpu", "compile:work.passes@cpu", "verify:work.passes@cpu", "artifact:work@cpu"]
    assert swept.found["rebuilt"] == concerned
    again = spak_run(swept.root, "build", "--json")
    body = json.loads(again.stdout)
    assert {one["status"] for one in body["actions"]} == {"up-to-date"}


def test_the_module_is_the_one_that_was_measured(swept: Done) -> None:
    from spak.digest import sha256_file

    manifest = json.loads((swept.root / "build/kernels/work.cpu.json").read_bytes())
    tuned = manifest["provenance"]["passes"]["tuned"]
    assert tuned["params"] == {"MODE": 0, "PASSES": 1}
    assert tuned["evidence"]["module"] == manifest["provenance"]["passes"]["module"]
    assert sha256_file(swept.root / "build/native/cpu/work/passes/work_cpu.so") == tuned["evidence"]["module"]
    assert tuned["evidence"]["environment"]["compiler"].startswith("g++")
    assert "tuned" not in manifest["provenance"]["first"]


def test_explain_and_plan_show_it(swept: Done) -> None:
    said = spak_run(swept.root, "explain", "compile:work.passes@cpu").stdout
    assert f"input    {TUNED} = sha256:" in said
    assert "tuned" not in spak_run(swept.root, "explain", "compile:work.first@cpu").stdout
    planned = spak_run(swept.root, "plan")
    assert planned.returncode == 0, planned.stdout


def test_a_repeated_sweep_times_nothing(swept: Done, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was timed")

    monkeypatch.setattr("spak.pipeline.measuring.kernel_trials.timed", forbidden)
    monkeypatch.setattr("spak.pipeline.measuring.kernel_trials.pose", forbidden)
    root = copied(swept, tmp_path)
    before = (root / TUNED).read_bytes()
    again = sweep(root, LOOP, apply=True)
    assert again["cached"] == again["trials"] == 6
    assert again["best"]["params"]["PASSES"] == 1
    assert (root / TUNED).read_bytes() == before
    assert again["record"] == swept.found["record"]


def plan_of(root: Path) -> set[str]:
    steps = json.loads(spak_run(root, "plan", "--json").stdout)
    return {one["name"] for one in steps["steps"] if one["what"] != "up to date"}


def test_removing_it_concerns_the_same_and_nothing_else(swept: Done, tmp_path: Path) -> None:
    root = copied(swept, tmp_path)
    (root / TUNED).unlink()
    assert plan_of(root) == set(swept.found["rebuilt"])


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ('source = "sha256:', 'source = "sha256:0', "SPK642: warning", ":1:1"),
        ("PASSES = 1", "PASSES = 7", "SPK643: warning", ":1:1"),
        ("PASSES = 1", "PASSES = one", "SPK640", ":6:10"),
        ("PASSES = 1", "PASSES = true", "SPK640", ":6:1"),
        ("PASSES = 1", "PASES = 1", "SPK641", ":6:1"),
        ("[subject]", "[subjects]", "SPK640", ":1:1"),
    ],
)
def test_an_edited_file_is_named_and_no_reply_is_blamed(
    swept: Done, tmp_path: Path, old: str, new: str, code: str, where: str
) -> None:
    root = copied(swept, tmp_path)
    path = root / TUNED
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    built = spak_run(root, "build", "--frozen")
    assert f"{TUNED}{where}: {code}" in built.stderr
    assert built.returncode == (0 if "warning" in code else 1)
    assert not (root / "generated/work/passes/cpp/attempts").exists()


def test_a_file_that_fails_verification_is_named_and_no_reply_is_blamed(swept: Done, tmp_path: Path) -> None:
    root = copied(swept, tmp_path)
    path = root / TUNED
    path.write_text(path.read_text().replace("MODE = 0", "MODE = 2"))
    built = spak_run(root, "build", "--frozen")
    assert built.returncode == 1
    assert f"{TUNED}:1:1: SPK644: verify:work.passes@cpu fails with these parameters in force" in built.stderr
    assert not (root / "generated/work/passes/cpp/attempts").exists()


def test_a_ladder(project: Path) -> None:
    found = bench(project, "work", shapes=[SHAPE, {"N": 100}], repeats=5)
    first, second = found["rungs"]
    assert [first["variant"], second["variant"]] == ["first", "passes"]
    assert "ratio" not in first
    assert second["ratio"] < 1
    assert second["low"] <= second["high"]
    assert [row["shape"] for row in second["shapes"]] == [SHAPE, {"N": 100}]
    assert found["variant"] == "passes"
    assert json.loads(json.dumps(found)) == found
    with pytest.raises(SpakError, match="SPK655"):
        benching.against(found, {**found, "environment": {**found["environment"], "cpu": "another"}}, "then.json")
    assert [one["ratio"] for one in benching.against(found, found, "then.json")] == [1.0] * 4


def test_without_a_stated_cost_there_is_no_figure_of_it(project: Path) -> None:
    """Not even 0: the time is all that was measured."""
    spec = project / "specs/work/SPEC.work.md"
    spec.write_text(spec.read_text().replace("  flops: N\n  bytes: 8 * N\n", ""))
    done = spak_run(project, "bench", "work", "--shape", "N=64", "--repeats", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("not stated  not stated  not stated") == 2
    found = bench(project, "work", shapes=[{"N": 64}], repeats=3)
    assert not {"gflops", "gbytes", "percent_of_peak", "limit"} & {*found, *found["rungs"][0]["shapes"][0]}
    loop = replace(LOOP, parameters=(Parameter("PASSES", (1,)),), constraints=())
    with pytest.raises(SpakError, match=r"SPK668.*no cost that gflops.*add `flops:`"):
        sweep(project, loop)
    with pytest.raises(SpakError, match=r"SPK668.*add `bytes:`"):
        sweep(project, replace(loop, measure=replace(loop.measure, metric="gbytes")))
    assert sweep(project, replace(loop, measure=replace(loop.measure, metric="seconds", objective="minimize")))[
        "trials"
    ]


def test_what_is_above_the_peak_is_rejected(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine whose measured peak were a millionth, every figure of this kernel would be impossible."""
    true = benching.measured_peaks

    def low(*args: Any, **kwargs: Any) -> Peaks:
        peaks = true(*args, **kwargs)
        return replace(
            peaks, f32=peaks.f32 / 1e6, bandwidth=tuple((size, rate / 1e6) for size, rate in peaks.bandwidth)
        )

    monkeypatch.setattr(benching, "measured_peaks", low)
    found = bench(project, "work", shapes=[SHAPE], repeats=3)
    assert not found["ok"]
    assert "a result above the peak is none" in found["why"]
    assert "gflops" not in found


def test_peaks_that_were_measured_too_low_are_corrected(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that was busy then: the first figure above them has them measured again."""
    from spak.measure import peaks
    from spak.parse.targets import load_target

    true = benching.constants(project, load_target(project / "targets" / "cpu.toml"))["PEAK_GFLOPS"]
    (kept,) = (project / ".spak" / "measure" / "peaks").iterdir()
    low = json.loads(kept.read_bytes())
    low = {**low, "f32": low["f32"] / 1e6, "bandwidth": [[size, rate / 1e6] for size, rate in low["bandwidth"]]}
    kept.write_text(json.dumps(low))
    looked: list[object] = []
    build = peaks._build

    def counted(*args: Any) -> Path:
        looked.append(args)
        return build(*args)

    monkeypatch.setattr(peaks, "_build", counted)
    found = bench(project, "work", shapes=[SHAPE, {"N": 4096}], repeats=3)
    assert found["ok"]
    assert len(looked) in (1, 2), "not once a figure; a second time where the machine was busy during the first"
    assert all(0 < row["percent_of_peak"] <= 110 for rung in found["rungs"] for row in rung["shapes"])
    assert found["peaks"] == json.loads(kept.read_bytes())
    assert found["peaks"]["f32"] > true * 1e9 / 100


def test_peaks_are_the_highest_of_several_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe that finds the core busy on its first look, and its memory on the second."""
    from spak.effects import Effects
    from spak.measure import peaks
    from spak.measure.environment import Environment
    from spak.parse.targets import load_target
    from tuneproject import DOMAIN_TARGET

    said = [(10, 5, 90), (80, 50, 30), (79, 51, 88)]
    for number, (f32, f64, rate) in enumerate(said, 1):
        (tmp_path / f"{number}.json").write_text(json.dumps({"f32": f32, "f64": f64, "bandwidth": [[64, rate]]}))
    probe = tmp_path / "probe"
    probe.write_text(f"#!/bin/sh\ncd {tmp_path}; echo >> looks; cat $(wc -l < looks).json\n")
    probe.chmod(0o755)
    monkeypatch.setattr(peaks, "_build", lambda *args: probe)
    monkeypatch.setattr(peaks, "RUN_SECONDS", 0.0)
    found = peaks.measured(tmp_path / "kept", load_target(DOMAIN_TARGET), "g++", Environment.of({}), Effects())
    assert found == Peaks(80.0, 51.0, ((64, 90.0),))


def test_peaks_are_measured_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from spak.measure import peaks
    from spak.parse.targets import load_target

    target = load_target(project / "targets" / "cpu.toml")
    first = benching.constants(project, target)
    assert first["PEAK_GFLOPS"] > first["PEAK_GFLOPS_F64"] > 0
    assert first["MAX_BW"] > 0

    def forbidden(*args: object) -> None:
        raise AssertionError("the probe ran again")

    monkeypatch.setattr(peaks, "_build", forbidden)
    assert benching.constants(project, target) == first
    assert benching.constants(project, target.model_copy(update={"device": "cuda"})) == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"parameters": (Parameter("PASES", (1,)),)}, "SPK654"),
        ({"parameters": (Parameter("PASSES", ("one",)),)}, "SPK654"),
        ({"parameters": (Parameter("PASSES", (1, 7)),)}, "SPK665"),
        ({"strategy": "tpee"}, "SPK652"),
        ({"measure": replace(LOOP.measure, metric="tflops")}, "SPK668"),
        ({"measure": replace(LOOP.measure, unit="wark")}, "SPK662"),
        ({"measure": replace(LOOP.measure, variant="pases")}, "SPK662"),
        ({"measure": replace(LOOP.measure, shapes=({"M": 4},))}, "SPK663"),
        ({"measure": replace(LOOP.measure, shapes=({"N": 0},))}, "SPK663"),
    ],
)
def test_what_cannot_be_swept(swept: Done, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(SpakError, match=code):
        sweep(swept.root, replace(LOOP, constraints=(), **changes))
