"""Every error of a program says what to do, also where there is nothing, or too much, to choose from."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.errors import Collector
from spak.semantics.resolve import resolve_text


@pytest.mark.parametrize(
    "text",
    [
        "task t { design_space { a: [1] } }",
        "model { effect Mail { } }\ntask t { step a { perform Mail.send() } }",
        "trace_schema { variant I { case Empty { } } }\ntask t { step a { emit Empty { x: 1 } } }",
        'task t { step a: llm.query { prompt: "?" schema: Advice output_var: x } }',
        "task t { step a { x = A } }",
    ],
)
def test_an_error_has_a_place_and_a_hint(tmp_path: Path, text: str) -> None:
    found = Collector()
    resolve_text(text, "t.dsl", found, tmp_path)
    assert found.errors
    assert [one for one in found.errors if not one.hint or one.span is None] == []
