"""The lines of a spec are looked up by what stands there, in what parsing left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spak.errors import Diagnostic, Related, Span
from spak.pipeline.places import Places, led

UNIT = {"variants": [{"name": "plain"}, {"name": "tiled"}], "signature": {"params": [{"name": "a"}, {"name": "b"}]}}
SPANS = {"": ["s.md", 1, 1, 9, 2], "/variants/1": ["s.md", 7, 3, 8, 4], "/signature/params/1": ["s.md", 1, 14, 1, 20]}


@pytest.fixture(autouse=True)
def parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("build/ir").mkdir(parents=True)
    Path("build/ir/u.json").write_text(json.dumps(UNIT))
    Path("build/ir/u.spans.json").write_text(json.dumps(SPANS))


@pytest.mark.parametrize(
    ("subject", "line"),
    [
        ("/variants/tiled", 7),
        ("/signature/params/b", 1),
        ("/variants/plain", 1),  # implied: its kernel
        ("/variants/gone", 1),
        ("", 1),
    ],
)
def test_what_is_named_has_a_place_or_else_its_kernel(subject: str, line: int) -> None:
    span = Places.of("u").find(subject)
    assert span and span.line == line


def test_a_diagnostic_gets_the_lines_of_now_and_keeps_its_other_places() -> None:
    here = Related("writes", Span("kernel.cu", 3))
    found = Diagnostic("SPK530", "too far", related=(here, Related("stated", Span("s.md", 99), "/variants/tiled")))
    (said,) = led([found], "u")
    assert said.related == (here, Related("stated", Span("s.md", 7, 3, 8, 4), "/variants/tiled"))
    assert Diagnostic.from_json(said.to_json()) == said
    assert str(said).splitlines()[1:] == ["    kernel.cu:3:1: writes", "    s.md:7:3: stated"]
    (lost,) = led([found], "nobody")
    assert str(lost).splitlines()[2] == "    stated"
