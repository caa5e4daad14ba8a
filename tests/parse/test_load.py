"""What a unit's files become, and that layout, comments and order of keys change no byte of it, while words do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from spak.effects import Effects
from spak.errors import SpakError
from spak.model.base import canonical_json
from spak.parse import Options, run
from spak.parse.load import load_unit

SPEC = "specs/gemv/SPEC.gemv.md"
TESTS = "specs/gemv/tests.gemv.yaml"
DOMAIN = "specs/domains/memory.dsl"


def test_the_whole_unit(project: Any) -> None:
    loaded = load_unit(project.root, "specs/gemv")
    unit = loaded.unit
    assert (unit.name, unit.family, unit.edition, unit.version, unit.license) == (
        "gemv",
        "products",
        1,
        3,
        "Apache-2.0",
    )
    assert unit.summary == "Multiplies a matrix by a vector."
    assert "- first point, which runs over two lines\n- second point" in unit.prose
    assert unit.signature.axes == ("M", "K")
    assert [p.name for p in unit.signature.params] == ["a", "x", "alpha", "ld"]
    assert [(r.name, r.shape) for r in unit.signature.results] == [("y", ("M",)), ("s", ("1",))]
    assert [(r.expr, r.words) for r in unit.require] == [
        ("M >= 1 && K >= 1", "M >= 1 && K >= 1"),
        ("ld >= K", "ld >= K"),
        ("K // 2 * 2 == K || M < 1024", "K // 2 * 2 == K || M < 1024"),
        ("alpha != 0", "alpha is not zero"),
    ]
    assert (unit.reference.kind, unit.reference.file, unit.reference.function) == (
        "python",
        "specs/gemv/reference.py",
        "gemv",
    )
    assert unit.reference.sha256.startswith("sha256:")
    assert (unit.tolerance.factor, unit.tolerance.rtol, unit.tolerance.atol) == (4.0, 1e-5, None)
    assert unit.bytes == "4 * (M * K + K + M)"
    assert [(v.name, v.design, v.targets) for v in unit.variants] == [
        ("naive", {"staging": "none"}, ()),
        ("tiled", {"staging": "shared"}, ("sim",)),
    ]
    assert unit.variants[1].intent == "Stage x once for a block of rows."
    assert unit.variants[1].require[0].expr == "M >= 64"
    assert [(p.name, p.values) for p in unit.tuning_space.parameters] == [("BK", (8, 16, 32, 64)), ("BM", (32, 64))]
    assert unit.tuning_space.constraints == ("BM * BK <= 2048",)
    assert [(i.name, i.check) for i in unit.invariants] == [
        ("Linear", "linear(x)"),
        ("NoScratch", "workspace_bytes <= 4 * M"),
    ]
    assert [(r.domain, r.kind, r.name) for r in unit.rules] == [
        ("", "rule", "Read once"),
        ("cache", "hint", "Reuse"),
        ("memory", "axiom", "axiom.1"),
        ("memory", "rule", "Coalesce"),
    ]
    assert unit.rules[3].text == "when: a warp reads\napply: neighbours read neighbours"
    assert unit.vectors[0].inputs["x"] == [3, "inf"]
    assert unit.vectors[0].expect == {"y": ["nan"]}
    assert unit.large == ({"M": 2000000000, "K": 2},)
    assert loaded.files == (
        "specs/domains/cache.dsl",
        "specs/domains/memory.dsl",
        "specs/gemv/SPEC.gemv.md",
        "specs/gemv/reference.py",
        "specs/gemv/tests.gemv.yaml",
    )
    assert not loaded.diagnostics


def test_spans_point_at_what_they_name(project: Any) -> None:
    spans = load_unit(project.root, "specs/gemv").spans
    lines = {name: (project.root / name).read_text().split("\n") for name in (SPEC, TESTS, DOMAIN)}

    def text(pointer: str) -> str:
        span = spans[pointer]
        line = lines[span.file][span.line - 1]
        return line[span.col - 1 :]

    assert text("/require/0").startswith("M >= 1 && K >= 1")
    assert text("/require/2").startswith('"K // 2')
    assert text("/flops").startswith("flops:")
    assert text("/variants/1").startswith("variant tiled")
    assert text("/tuning_space/parameters/0").startswith("BK:")
    assert text("/invariants/0").startswith("invariant Linear")
    assert text("/rules/3").startswith('"Coalesce"')
    assert text("/signature/params/1").startswith("x: f32[K]")
    assert text("/version").startswith("version: 3")
    assert text("/vectors/0").startswith("name: by_hand")


SAME: dict[str, tuple[str, Callable[[str], str]]] = {
    "comment in code": (
        SPEC,
        lambda s: s.replace("  accumulate: f32", "  // why\n  # and why not\n  accumulate: f32 /* f32 */"),
    ),
    "comment inside a require": (SPEC, lambda s: s.replace("linear: [x]", "linear: [x // only x\n  ]")),
    "comment in prose": (SPEC, lambda s: s.replace("It is bound", "<!-- todo --> It is bound")),
    "wrapping": (SPEC, lambda s: s.replace("memory; wrapping\nof lines means", "memory;\nwrapping of lines\nmeans")),
    "blank lines": (SPEC, lambda s: s.replace("\n- first", "\n\n\n- first").replace("\n```spak", "\n\n\n```spak")),
    "another bullet": (SPEC, lambda s: s.replace("- first", "* first").replace("- second", "* second")),
    "indentation": (SPEC, lambda s: s.replace("  flops", "\t\tflops").replace("  bytes", "bytes")),
    "separators": (
        SPEC,
        lambda s: s.replace("accumulate: f32\n", "accumulate: f32;\n").replace("attempts: 2", "attempts = 2,"),
    ),
    "trailing spaces": (
        SPEC,
        lambda s: s.replace("vector. It is", "vector.   It is").replace("linear: [x]", "linear: [x]   "),
    ),
    "order of attributes": (
        SPEC,
        lambda s: s.replace("  attempts: 2\n", "").replace("  accumulate", "  attempts: 2\n  accumulate"),
    ),
    "order of front matter": (
        SPEC,
        lambda s: s.replace("version: 3\n", "").replace("name: gemv", "version: 3\nname: gemv"),
    ),
    "comment in front matter": (SPEC, lambda s: s.replace("version: 3", "version: 3   # the third")),
    "order of blocks": (
        SPEC,
        lambda s: s.replace("invariant Linear { check: linear(x) }\n", "").replace(
            "design_space", "invariant Linear { check: linear(x) }\ndesign_space"
        ),
    ),
    "order of parameters": (
        SPEC,
        lambda s: s.replace("BM: [32, 64]  BK: range [8, 64]", "BK: range [8, 64]  BM: [32, 64]"),
    ),
    "order of axes": (
        SPEC,
        lambda s: s.replace("staging: [none, shared]  width: [1, 2]", "width: [1, 2]  staging: [none, shared]"),
    ),
    "two fences": (SPEC, lambda s: s.replace("design_space", "```\n\n```spak\ndesign_space")),
    "intent rewrapped": (SPEC, lambda s: s.replace("Stage x once\n      for", "Stage x\n      once for")),
    "parentheses": (SPEC, lambda s: s.replace("2 * M * K", "((2 * M) * K)")),
    "CRLF": (SPEC, lambda s: s.replace("\n", "\r\n")),
    "byte order mark": (SPEC, lambda s: "\ufeff" + s),
    "CRLF in tests": (TESTS, lambda s: s.replace("\n", "\r\n")),
    "comment in tests": (TESTS, lambda s: s.replace("shapes:", "# small ones\nshapes:")),
    "order in tests": (TESTS, lambda s: s.replace("{M: 1, K: 2}\n    inputs", "{K: 2, M: 1}\n    inputs")),
    "another YAML style": (TESTS, lambda s: s.replace("  - {M: 2000000000, K: 2}", "  - M: 2_000_000_000\n    K: 2")),
    "comment in a domain": (DOMAIN, lambda s: "// about memory\n" + s),
    "order in a rule": (
        DOMAIN,
        lambda s: s.replace(
            'when: "a warp reads"  apply: "neighbours read neighbours"',
            'apply: "neighbours read neighbours"  when: "a warp reads"',
        ),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_means_the_same(project: Any, name: str) -> None:
    before = project.ir()
    file, change = SAME[name]
    project.edit(file, change)
    assert project.ir() == before


DIFFERENT: dict[str, tuple[str, Callable[[str], str]]] = {
    "a word of prose": (SPEC, lambda s: s.replace("bound by memory", "bound by bandwidth")),
    "a word of intent": (SPEC, lambda s: s.replace("One thread a row", "Two threads a row")),
    "a heading": (SPEC, lambda s: s.replace("# Matrix times", "# A matrix times")),
    "a list made text": (SPEC, lambda s: s.replace("- second point", "second point")),
    "tolerance": (SPEC, lambda s: s.replace("rtol: 1e-5", "rtol: 1e-6")),
    "require": (SPEC, lambda s: s.replace("M >= 1 && K >= 1", "M >= 1 && K >= 2")),
    "order of variants": (
        SPEC,
        lambda s: s.replace('variant naive { intent: "One thread a row." staging: none }\n', "").replace(
            "}\ndesign_space", '  variant naive { intent: "One thread a row." staging: none }\n}\ndesign_space'
        ),
    ),
    "a rule": (DOMAIN, lambda s: s.replace("neighbours read", "neighbours write")),
    "a vector": (TESTS, lambda s: s.replace("[3, .inf]", "[3, -.inf]")),
    "the reference": ("specs/gemv/reference.py", lambda s: s.replace("a @ x", "a.dot(x)")),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_means_something_else(project: Any, name: str) -> None:
    before = project.ir()
    file, change = DIFFERENT[name]
    project.edit(file, change)
    assert project.ir() != before


def test_the_stage_writes_canonical_files(project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    options = Options(
        unit="gemv",
        folder="specs/gemv",
        out_ir="b/i.json",
        out_interface="b/f.json",
        out_behaviour="b/b.json",
        out_spans="b/s.json",
    )
    outcome = run(options, Effects())
    assert outcome.ok
    assert outcome.summary == {"variants": 2, "rules": 4, "vectors": 1}
    assert (project.root / "b/i.json").read_bytes() == project.ir()
    interface = json.loads((project.root / "b/f.json").read_text())
    assert "prose" not in interface
    assert interface["summary"] == "Multiplies a matrix by a vector."
    assert json.loads((project.root / "b/b.json").read_text())["prose"] == ""
    spans = json.loads((project.root / "b/s.json").read_text())
    assert spans["/version"] == [SPEC, 4, 1, 4, 8]


def test_all_errors_of_all_files_at_once(project: Any) -> None:
    project.edit(SPEC, lambda s: s.replace("accumulate", "acumulate").replace("BM * BK", "BM * BJ"))
    project.edit(TESTS, lambda s: s.replace("shapes:", "shape:"))
    project.edit(DOMAIN, lambda s: s.replace("use cache", "use cach"))
    with pytest.raises(SpakError) as caught:
        load_unit(project.root, "specs/gemv")
    assert {(d.span.file, d.code) for d in caught.value.diagnostics if d.span} == {
        (SPEC, "SPK201"),
        (SPEC, "SPK204"),
        (TESTS, "SPK201"),
        (DOMAIN, "SPK210"),
    }


def test_unknown_kinds_are_kept_with_a_warning(project: Any) -> None:
    project.edit(SPEC, lambda s: s.replace('rule "Read', 'recipe cake { flour: 3 }\nrule "Read'))
    loaded = load_unit(project.root, "specs/gemv")
    assert [d.severity for d in loaded.diagnostics] == ["warning"]
    assert ("recipe", "cake", "flour: 3") in [(r.kind, r.name, r.text) for r in loaded.unit.rules]
    with pytest.raises(SpakError) as caught:
        load_unit(project.root, "specs/gemv", strict=True)
    assert [d.code for d in caught.value.diagnostics] == ["SPK203"]


def test_a_unit_without_prose(project: Any) -> None:
    text = (project.root / SPEC).read_text()
    code = text.split("```spak\n")[1].split("```")[0]
    (project.root / SPEC).unlink()
    head = 'meta { name = "gemv"; edition = 1; version = 3 }\n'
    project.write("specs/gemv/gemv.dsl", head + code.replace("attempts: 2", 'intent: "Multiplies. Fast."'))
    unit = load_unit(project.root, "specs/gemv").unit
    assert (unit.prose, unit.summary) == ("Multiplies. Fast.", "Multiplies.")


def test_import_brings_in_a_file_beside(project: Any) -> None:
    project.edit(SPEC, lambda s: s.replace("use memory", 'import "../shared/tips.dsl"\nuse memory'))
    project.write("specs/shared/tips.dsl", 'domain tips { axiom: "Measure." }\nrule loose { apply: "x" }\n')
    loaded = load_unit(project.root, "specs/gemv")
    assert "specs/shared/tips.dsl" in loaded.files
    assert {("tips", "axiom.1"), ("", "loose")} <= {(r.domain, r.name) for r in loaded.unit.rules}


def test_layouts_and_strides(project: Any) -> None:
    project.edit(
        SPEC, lambda s: s.replace("a: f32[M, K]", "a: f32[M, K] strides(ld, 1)").replace("x: f32[K]", "x: f32[K] col")
    )
    a, x = load_unit(project.root, "specs/gemv").unit.signature.params[:2]
    assert (a.layout, a.strides, x.layout) == ("strided", ("ld", "1"), "col")  # type: ignore[union-attr]


def test_same_bytes_every_time(project: Any) -> None:
    assert len({canonical_json(load_unit(project.root, "specs/gemv").unit) for _ in range(3)}) == 1
