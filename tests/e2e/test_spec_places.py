"""What the simulator finds in a reply leads to the spec's lines: in text, JSON and SARIF, in requests and in `explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from built import REPO
from realproject import Project

pytestmark = pytest.mark.xdist_group("project")

NAME, MODULE, SPEC = "vector_add.flat.cuda", "vector_add.flat@sim", "specs/vector_add/SPEC.vector_add.md"
FOLDER = "generated/vector_add/flat/cuda"
REPLY = (REPO / FOLDER / "reply.md").read_text()
READS_TOO_FAR = REPLY.replace("c[j] = a[j] + b[j]", "c[j] = a[j + 1] + b[j]")

#: As a build says it, and the message to whoever repairs the reply.
SAID = f"""\
{FOLDER}/kernel.cu:21:9: SPK530: an access of 4 bytes lies outside every buffer; the nearest: byte 52 of `a`, 0 bytes past its \
end (52 bytes). hint: check the index against the size of the buffer, and the grid against the problem
    {FOLDER}/kernel.cu:21:9: reads 4 bytes at byte 52 of `a`, 0 bytes past its end: block (0,0,0), thread (3,0,0)
    allocated `a`, 52 bytes
    {SPEC}:DECLARED:19: `a` is declared here
    {SPEC}:STATED:3: variant `flat` is stated here
    in kernel `vector_add`, schedule forward order, lazy completion
"""


def lines(project: Project) -> tuple[int, int]:
    """Where the spec declares `a`, and where it states the variant."""
    text = project.path(SPEC).read_text()
    return tuple(text[: text.index(what)].count("\n") + 1 for what in ("kernel vector_add(", "variant flat {"))  # type: ignore[return-value]


def said(project: Project, indent: str = "") -> str:
    declared, stated = lines(project)
    text = SAID.replace("DECLARED", str(declared)).replace("STATED", str(stated))
    return "".join(f"{indent}{line}\n" for line in text.splitlines())


def places(diagnostic: dict[str, Any]) -> list[tuple[str, int]]:
    return [(one["span"][0], one["span"][1]) for one in diagnostic["related"] if one["subject"]]


@pytest.fixture(scope="module")
def rejected(base: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after a build in which a reply with a defect was rejected."""
    project = base.copy(tmp_path_factory.mktemp("rejected") / "project")
    project.forget(NAME)
    project.build("vector_add", "--targets", "sim", expect=3)
    project.spak("answer", NAME, "-", stdin=READS_TOO_FAR)
    assert said(project, "    ") in project.build("vector_add", "--targets", "sim", expect=3).err
    return project


def found_in(project: Project) -> dict[str, Any]:
    """The finding, as the events of the last build have it: a verification that fails is blocked by its codegen in the end."""
    rows = map(json.loads, (project.root.parent / f"{project.root.name}.events").read_text().splitlines())
    verified = next(row for row in rows if row["event"] == "finish" and row["name"] == f"verify:{MODULE}")
    (found,) = (one for one in verified["diagnostics"] if one["code"] == "SPK530")
    return dict(found)


def test_a_finding_leads_into_the_spec(rejected: Project) -> None:
    assert places(found_in(rejected)) == [(SPEC, line) for line in lines(rejected)]
    page = rejected.spak("answer", NAME).stdout
    assert f"1. {said(rejected)}" in page and "The line: `c[j] = a[j + 1] + b[j];`" in page

    evidence = rejected.path("build/evidence/vector_add/flat/sim/verify.json")
    before = evidence.read_bytes()
    recorded = json.loads(before)["diagnostics"][0]
    assert {one["subject"] for one in recorded["related"] if one["subject"]} == {
        "/signature/params/a",
        "/variants/flat",
    }
    assert SPEC.encode() not in before and str(rejected.root).encode() not in before

    # Lines that move ask nobody anew and verify nothing again, and what is shown has moved with them.
    request = rejected.path(f".spak/pending/{NAME}/request.json").read_bytes()
    rejected.edit(SPEC, "```spak\n", "```spak\n\n\n")
    again = rejected.build("vector_add", "--targets", "sim", expect=3)
    assert again.ran == {"parse:vector_add"} and evidence.read_bytes() == before
    assert rejected.path(f".spak/pending/{NAME}/request.json").read_bytes() == request
    assert said(rejected, "  ") in rejected.spak("explain", f"verify:{MODULE}").stdout
    assert said(rejected, "  ") in rejected.spak("explain", f"{FOLDER}/kernel.cu").stdout
    explained = json.loads(rejected.spak("explain", "--json", str(evidence.relative_to(rejected.root))).stdout)
    assert places(explained["found"][0]["diagnostics"][0]) == [(SPEC, line) for line in lines(rejected)]


def test_a_module_that_is_verified_directly_leads_there_too(rejected: Project) -> None:
    """`spak verify` reads what lies in the tree: the source is laid there anew, as a candidate that failed leaves nothing."""
    _lay_out(rejected)
    words = ("verify", MODULE, "--round", "check-primes")
    assert said(rejected) in rejected.spak(*words, expect=1).stderr
    there = [(SPEC, line) for line in lines(rejected)]
    assert places(json.loads(rejected.spak(*words, "--json", expect=1).stdout)["diagnostics"][0]) == there
    (run,) = json.loads(rejected.spak(*words, "--sarif", expect=1).stdout)["runs"]
    (result,) = run["results"]
    related = [one["physicalLocation"] for one in result["relatedLocations"]]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in related] == there
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == f"{FOLDER}/kernel.cu"


def _lay_out(project: Project) -> None:
    folder: Path = project.path(FOLDER)
    attempt = next((folder / "attempts").glob("*.md")).read_text()
    (folder / "kernel.cu").write_text(attempt.split("```cuda\n")[1].split("```")[0])
    (folder / "plan.toml").write_text(attempt.split("```toml\n")[1].split("```")[0])
