"""Requests: same input, same bytes; what changes them and what must not; templates of a project's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sample_project import Project, unit
from spak.codegen.facts import c_type, element
from spak.codegen.reply import extract
from spak.codegen.request import inputs, run
from spak.effects import Effects
from spak.errors import SpakError
from spak.model.ir import DIALECTS, Choice, Invariant, Rule, Tensor, Tolerance, Unit, Variant, Vector
from spak.model.request import Request


def render(project: Project, changed: Unit | None = None, **options: Any) -> Request:
    project.spec(changed or unit())
    assert run(project.request_options(**options), Effects()).ok
    return Request(**json.loads((project.root / "out.json").read_bytes()))


def text(request: Request) -> str:
    return "\n".join(message.content for message in request.messages)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_same_input_same_bytes(project: Project, dialect: str) -> None:
    render(project, dialect=dialect)
    first = (project.root / "out.json").read_bytes()
    options = project.request_options(dialect=dialect)
    run(options.model_copy(update={"targets": options.targets[::-1]}), Effects())
    assert (project.root / "out.json").read_bytes() == first
    assert str(project.root) not in first.decode() and "/compiler/spak" not in first.decode()


@pytest.mark.parametrize(
    "change",
    [
        {
            "variants": (
                unit().variants[0],
                Variant(name="fast", intent="Something else entirely."),
                Variant(name="third"),
            )
        },
        {"variants": unit().variants[::-1]},
        {"version": 9, "license": "MIT", "attempts": 7},
        {"tolerance": Tolerance(factor=2, rtol=1e-6)},
        {
            "vectors": (Vector(name="secret", shape={"n": 12345}),),
            "shapes": ({"n": 54321},),
            "large": ({"n": 1 << 32},),
        },
    ],
    ids=[
        "another variant's intent",
        "the order of variants",
        "version, license, attempts",
        "tolerance",
        "vectors and shapes",
    ],
)
def test_what_does_not_change_a_request(project: Project, change: dict[str, Any]) -> None:
    assert render(project, unit(**change)) == render(project)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"prose": "Every element is tripled."}, "tripled"),
        ({"variants": (Variant(name="plain", intent="Unroll by four."),)}, "Unroll by four."),
        (
            {"rules": (Rule(name="R", domain="d", kind="axiom", text="Bytes are dear."),)},
            "**R** (axiom, d): Bytes are dear.",
        ),
        ({"invariants": (Invariant(name="I", statement="Never twice."),)}, "**I**: Never twice."),
        ({"accumulate": "f64"}, "Accumulate in f64"),
        ({"deterministic": False}, "Bitwise repeatability is not required"),
        ({"openmp": True}, "OpenMP pragmas are allowed"),
        ({"grants": ("atomics",)}, "Atomics on global memory are granted"),
        ({"design_space": (Choice(name="staging", values=("none", "vector")),)}, "none, vector"),
    ],
)
def test_what_changes_a_request(project: Project, change: dict[str, Any], shown: str) -> None:
    before, after = render(project), render(project, unit(**change))
    assert shown in text(after) and shown not in text(before)


def test_configuration_belongs_to_the_request(project: Project) -> None:
    request = render(project, model="m", endpoint="http://e", sampling={"temperature": 0.2}, sample=3)
    assert (request.model, request.endpoint, request.sampling, request.sample) == (
        "m",
        "http://e",
        {"temperature": 0.2},
        3,
    )


def test_targets_are_those_of_the_dialect_that_the_variant_supports(project: Project) -> None:
    cuda = text(render(project, dialect="cuda"))
    assert "`sm_80`" in cuda and "`sm_90a`" in cuda and "`sim`" in cuda and "x86-64-v3 CPU" not in cuda
    only = text(render(project, unit(variants=(Variant(name="plain", targets=("sm_90a", "cpu")),)), dialect="cuda"))
    assert "`sm_90a`" in only and "`sm_80`" not in only
    assert "| max_shared_bytes | 232448 |" in only


def test_limit_of_a_target_changes_the_requests_of_its_dialect_only(project: Project) -> None:
    before = {dialect: render(project, dialect=dialect) for dialect in DIALECTS}
    path = project.root / "targets/sm_80.toml"
    path.write_text(path.read_text().replace("166912", "99328"))
    after = {dialect: render(project, dialect=dialect) for dialect in DIALECTS}
    assert after["cpp"] == before["cpp"] and "99328" in text(after["cuda"])


@pytest.mark.parametrize("options", [{"variant": "plan"}, {"targets": ("targets/sm_80.toml",)}])
def test_requests_for_what_does_not_exist(project: Project, options: dict[str, Any]) -> None:
    with pytest.raises(SpakError, match="SPK327"):
        render(project, **options)
    assert not (project.root / "out.json").exists()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_worked_example_is_a_well_formed_reply(project: Project, dialect: str) -> None:
    example = re.search(r"^````\n(.*)^````$", text(render(project, dialect=dialect)), re.M | re.S)
    assert example
    found = extract(example[1].encode(), dialect, "example")
    assert found.plan.launch[0].kernel == "cap_kernel" and "cap_kernel" in found.kernel


def test_template_of_the_project_replaces_the_shipped_one(project: Project) -> None:
    before = render(project, templates="templates")
    (project.root / "templates").mkdir()
    (project.root / "templates/system.md.j2").write_text("You write {{ dialect }} for {{ unit.name }}.\n")
    after = render(project, templates="templates")
    assert after.messages[0].content == "You write cpp for scale.\n" and after.messages[1] == before.messages[1]
    assert after.template != before.template
    assert "templates/system.md.j2" in inputs(project.request_options(templates="templates"))


def test_template_digest_covers_what_is_included(project: Project) -> None:
    before = render(project)
    (project.root / "templates").mkdir()
    for name, counts in (("example.cpp.md.j2", True), ("example.cuda.md.j2", False), ("repair.md.j2", False)):
        (project.root / "templates" / name).write_text("{# nothing #}")
        assert (render(project, templates="templates").template != before.template) is counts
        (project.root / "templates" / name).unlink()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("one\n{{ unit.nmae }}\n", r"system\.md\.j2:2:1: SPK326: the template cannot be rendered: .*nmae"),
        ("{% if %}", r"system\.md\.j2:1:1: SPK326: the template is broken"),
        ("{% include 'gone.md.j2' %}", r"SPK326: .*gone\.md\.j2"),
        ("{{ ''.__class__.__mro__ }}", "SPK326"),
        ("{% set _ = rules.append(1) %}", "SPK326"),
    ],
)
def test_broken_templates(project: Project, source: str, told: str) -> None:
    (project.root / "templates").mkdir()
    (project.root / "templates/system.md.j2").write_text(source)
    with pytest.raises(SpakError, match=told):
        render(project, templates="templates")


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (Tensor(name="a", dtype="f32", shape=("M", "K")), ("a[i, j]", "i * K + j")),
        (Tensor(name="a", dtype="f32", shape=("M", "K"), layout="col"), ("a[i, j]", "j * M + i")),
        (Tensor(name="a", dtype="f32", shape=("B", "M", "2 * K")), ("a[i, j, k]", "(i * M + j) * (2 * K) + k")),
        (
            Tensor(name="a", dtype="f32", shape=("M", "K"), layout="strided", strides=("ld", "1")),
            ("a[i, j]", "i * ld + j"),
        ),
        (Tensor(name="a", dtype="f32", shape=("i", "j")), ("a[i0, i1]", "i0 * j + i1")),
        (Tensor(name="a", dtype="f32", shape=("1",)), ("a[i]", "i")),
    ],
)
def test_where_an_element_lies(tensor: Tensor, expected: tuple[str, str]) -> None:
    assert element(tensor, ("i", "j") if "i" in tensor.shape else ("B", "M", "K")) == expected


def test_types() -> None:
    assert [c_type("bf16", dialect) for dialect in ("cuda", "cpp")] == ["__nv_bfloat16", "spak::bf16"]
    assert c_type("tf32", "cuda") == "float" and c_type("i8", "cpp") == "signed char"


def test_shipped_template_files_are_all_used() -> None:
    folder = Path(__file__).resolve().parents[2] / "compiler/spak/codegen/templates"
    sources = "".join(path.read_text() for path in folder.glob("*.j2"))
    entries = {"system.md.j2", "repair.md.j2", "observed.md.j2", "request.cuda.md.j2", "request.cpp.md.j2"}
    assert {path.name for path in folder.glob("*")} == entries | set(
        re.findall(r'(?:extends|include) "([^"]+)"', sources)
    )
