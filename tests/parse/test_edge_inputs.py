"""Inputs that break parsers: each ends in diagnostics, in good time, and never in a traceback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import within
from spak.errors import Collector, SpakError
from spak.lang.source import decode
from spak.lang.syntax import parse_text
from spak.parse.load import load_unit
from spak.parse.targets import load_target
from spak.semantics.document import split

SPEC = "specs/gemv/SPEC.gemv.md"
FENCE = "---\nname: gemv\nedition: 1\nversion: 1\n---\n# T\n\nText.\n\n```spak\n{}\n```\n"

INPUTS: dict[str, tuple[str, str | bytes, str]] = {
    "ten megabytes": (SPEC, FENCE.format("// " + "x" * (10 << 20)), "SPK111"),
    "ten megabytes of tests": ("specs/gemv/tests.gemv.yaml", "shapes:\n" + "  - {M: 1, K: 1}\n" * (10 << 16), "SPK111"),
    "nested 10,000 deep": (SPEC, FENCE.format("kernel " + "a {" * 10_000 + "}" * 10_000), "SPK106"),
    "brackets 10,000 deep": (SPEC, FENCE.format("a: " + "[" * 10_000), "SPK106"),
    "lists 10,000 deep in prose": (SPEC, "> " * 10_000 + "x", "SPK220"),
    "YAML 10,000 deep": ("specs/gemv/tests.gemv.yaml", "shapes: " + "[" * 10_000 + "]" * 10_000, "SPK106"),
    "front matter 10,000 deep": (SPEC, "---\nname: " + "{a: " * 10_000 + "\n---\n", "SPK106"),
    "YAML bomb": ("specs/gemv/tests.gemv.yaml", "a: &a [1]\nb: &b [*a, *a]\nshapes: [*b, *b]\n", "SPK217"),
    "empty": (SPEC, "", "SPK220"),
    "only white space": (SPEC, "\n \t \n", "SPK220"),
    "binary": (SPEC, bytes(range(256)) * 10, "SPK112"),
    "UTF-16": (SPEC, "name: x".encode("utf-16"), "SPK112"),
    "NUL": (SPEC, b"a\0b", "SPK112"),
    "merge markers": (SPEC, "<<<<<<< a\n=======\n>>>>>>> b\n", "SPK113"),
    "minus signs": (
        SPEC,
        FENCE.format("kernel gemv(a: f32[N]) -> b: f32[N] {\n flops: " + "-" * 100_000 + "1\n}"),
        "SPK107",
    ),
    "operators only": (SPEC, FENCE.format("+ " * 50_000), "SPK104"),
    "closing braces": (SPEC, FENCE.format("}" * 3_000), "SPK103"),
    "quotes": (SPEC, FENCE.format('"' * 3_001), "SPK102"),
    "colons": (SPEC, FENCE.format(":" * 50_000), "SPK104"),
    "angle brackets": (SPEC, FENCE.format("a: b" + "<c" * 20_000), "SPK104"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_ends_in_a_diagnostic(project: Any, name: str) -> None:
    file, content, code = INPUTS[name]
    project.write(file, content)
    found: list[Any] = []

    def read() -> None:
        with pytest.raises(SpakError) as caught:
            load_unit(project.root, "specs/gemv")
        found[:] = caught.value.diagnostics

    assert within(20, read)
    assert code in {d.code for d in found}
    assert len(found) < 3_100
    assert all(d.span is not None for d in found)


def test_a_folder_in_place_of_a_spec(project: Any) -> None:
    (project.root / SPEC).unlink()
    (project.root / SPEC).mkdir()
    with pytest.raises(SpakError) as caught:
        load_unit(project.root, "specs/gemv")
    assert caught.value.diagnostics[0].code in {"SPK110", "SPK111"}


def test_no_spec_at_all(tmp_path: Path) -> None:
    (tmp_path / "specs/none").mkdir(parents=True)
    with pytest.raises(SpakError) as caught:
        load_unit(tmp_path, "specs/none")
    assert caught.value.diagnostics[0].code == "SPK225"


PIECES = st.lists(
    st.sampled_from(
        [
            "kernel",
            "variant",
            " ",
            "\n",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
            "<",
            ">",
            ":",
            "=",
            ",",
            ";",
            "->",
            "emit",
            "if",
            "else",
            "return",
            "perform",
            "in",
            "not",
            '"',
            '"""',
            "x",
            "1",
            "1e9",
            "..",
            ".",
            "//",
            "#",
            "/*",
            "*/",
            "-",
            "+",
            "|",
            "&&",
            "?",
            "é",
            "\t",
            "'",
            "@",
            "a.py:f",
            "procedure",
            "range",
            "    ",
        ]
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(PIECES)
def test_no_text_breaks_the_parser(pieces: list[str]) -> None:
    found = Collector()
    text = "".join(pieces)
    parse_text(text, "t.dsl", found)
    lines = text.split("\n")
    for diagnostic in found.found:
        span = diagnostic.span
        assert span is not None
        assert 1 <= span.line <= len(lines)
        assert 1 <= span.col <= len(lines[span.line - 1]) + 2


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(max_size=200))
def test_no_text_breaks_a_document(text: str) -> None:
    found = Collector()
    source = decode(text.encode("utf-8", "replace"), "specs/a/SPEC.a.md", found)
    if source is not None:
        split(source, found)


@settings(max_examples=100, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_a_target(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(data)
    with pytest.raises(SpakError):
        load_target(path)
