"""What tells a kernel unit from a program: the head of a kernel, and not the word in a measurement."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.parse.programs import program_file

LOOP = "engineering_loop T {\n  parameter a: [1, 2]\n  measure {\n    METHOD\n    metric: gflops\n  }\n}\n"


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (LOOP.replace("METHOD", "kernel: saxpy"), True),
        (LOOP.replace("METHOD", "kernel saxpy variant flat target cpu"), True),
        ("kernel f(a: f32[N]) -> c: f32[N] {\n}\nrule R {\n}\n", False),
        ("  kernel f (a: f32[N]) -> c: f32[N] {\n}\nrule R {\n}\n", False),
        ("kernel f {\n}\nrule R {\n}\n", False),  # malformed, and to be told so as the unit that it means to be
    ],
)
def test_kernels_are_told_by_their_heads(tmp_path: Path, text: str, program: bool) -> None:
    folder = tmp_path / "specs" / "one"
    folder.mkdir(parents=True)
    (folder / "one.dsl").write_text(text)
    assert bool(program_file(tmp_path, "specs/one")) is program
