"""`tool.build` and `tool.verify` on a real project: verdicts and digests as data, failures as values, waiting for replies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from e2e.built import CACHE
from e2e.realproject import PLAIN, lay_out
from spak.digest import sha256_file
from spak.errors import SpakError, Waiting

from tests.agents.runs import Project
from tests.agents.toolcalls import do, plan

WAITS = ".spak/pending/vector_add.plain.cpp"


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two shipped units on `cpu`; one has a variant without a reply."""
    root = tmp_path / "project"
    lay_out(root)
    for name in ("sim", "sm_80"):
        (root / f"targets/{name}.toml").unlink()
    shutil.rmtree(root / "generated/vector_add/plain")
    monkeypatch.setenv("SPAK_CACHE", str(CACHE))
    monkeypatch.chdir(tmp_path)
    return root


def test_evidence_and_digests_come_back(real: Path) -> None:
    result = do(real, "tool.verify { unit: saxpy target: cpu }")
    assert result.ok, result
    (row,) = result.value["evidence"]
    assert (row["unit"], row["variant"], row["target"], row["verdict"]) == ("saxpy", "flat", "cpu", "passed")
    assert json.loads((real / row["evidence"]).read_text())["verdict"] == "passed"
    for path, digest in result.value["digests"].items():
        assert sha256_file(real / path) == digest
    assert row["evidence"] in result.value["digests"]
    assert json.loads(json.dumps(result.to_json())) == result.to_json()
    assert Path.cwd() == real.parent
    assert do(real, "tool.build { unit: saxpy }").value["digests"].keys() > result.value["digests"].keys()


def test_a_failure_is_a_value(real: Path) -> None:
    spec = real / "specs/saxpy/SPEC.saxpy.md"
    spec.write_text(spec.read_text().replace("tolerance", "tolerence"))
    result = do(real, "tool.build { unit: saxpy allow_failure: true }")
    assert plan(real, "tool.build { unit: saxpy allow_failure: true }").allow_failure
    assert not result.ok
    assert "parse:saxpy failed" in result.why
    assert "did you mean 'tolerance'?" in result.value["diagnostics"][0]
    assert result.diagnostics[0].span is not None
    assert result.diagnostics[0].span.file == "specs/saxpy/SPEC.saxpy.md"


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        ("tool.build { unit: saxpi }", "did you mean 'saxpy'?"),
        ("tool.build { unit: saxpy variant: flatt }", "did you mean 'flat'?"),
        ("tool.verify { unit: saxpy target: cpus }", "did you mean 'cpu'?"),
        ("tool.verify { unit: build }", "units: saxpy, vector_add"),
        ('tool.build { unit: "../saxpy" }', "use letters, digits and _"),
        ('tool.build { unit: saxpy variant: "a;b" }', "use letters, digits and _"),
    ],
)
def test_what_is_not_there(real: Path, call: str, hint: str) -> None:
    with pytest.raises(SpakError) as error:
        do(real, call)
    (one,) = error.value.diagnostics
    assert one.hint == hint
    assert one.span and one.span.file == "t.dsl"


def test_waiting_for_a_reply_is_no_result(real: Path) -> None:
    with pytest.raises(Waiting) as error:
        do(real, "tool.build { unit: vector_add variant: plain target: cpu }")
    assert [one.code for one in error.value.diagnostics] == ["SPK330"]
    assert (real / WAITS / "request.md").is_file()


def test_a_run_waits_and_goes_on(real: Path) -> None:
    """The run suspends where a reply is missing, and its resume builds: nothing of the first try is on record."""
    project = Project(real)
    project.write(
        "task Build {\n"
        "  step say { tool.write { path: \"out/began\" content: 1 } }\n"
        "  step build { b = tool.build { unit: vector_add variant: plain target: cpu } }\n"
        "  step tell { verdict = b.evidence[0].verdict }\n"
        "}\n"
    )  # fmt: skip
    began = project.spak("run", "t.dsl")
    assert began.returncode == 3, began.stderr
    assert "SPK330" in began.stderr
    assert [one.step for one in project.events("tool")] == ["say"]
    again = project.spak("step", "--resume")
    assert again.returncode == 3, again.stderr
    (real / "reply.md").write_text(PLAIN)
    assert project.spak("answer", "vector_add.plain.cpp", "reply.md").returncode == 0
    ended = project.spak("step", "--resume")
    assert ended.returncode == 0, ended.stderr
    assert [one.step for one in project.events("tool")] == ["say", "build"]
    assert [one["value"] for one in project.data("set") if one["name"] == "verdict"] == ["passed"]
