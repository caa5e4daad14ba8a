"""The spec reference names everything that a spec may say."""

from __future__ import annotations

from pathlib import Path

import pytest
from spak.errors import Collector
from spak.lang.expr import FUNCTIONS
from spak.lang.syntax import parse_text
from spak.model.target import Limits
from spak.parse.kernel import ATTRIBUTES, GRANTS
from spak.parse.meta import INFORMATION, KEYS
from spak.parse.signature import DTYPES
from spak.parse.vectors import NAMED, WITH_ARGUMENTS
from spak.semantics.markdown import read_markdown
from spak.semantics.spaces import PLAN_NAMES, PROPERTIES, TARGET_NAMES

PAGE = (Path(__file__).parent.parent.parent / "docs" / "spec-reference.md").read_text()
WORDS = {
    *ATTRIBUTES, *GRANTS, *KEYS, *INFORMATION, *DTYPES, *PROPERTIES, *PLAN_NAMES, *TARGET_NAMES, *FUNCTIONS, *NAMED,
    *(set(WITH_ARGUMENTS) - {"randint", "full"}), *(set(Limits.model_fields) - {"max_block", "max_grid"}),
}  # fmt: skip


@pytest.mark.parametrize("word", sorted(WORDS))
def test_is_mentioned(word: str) -> None:
    assert word in PAGE


def test_examples_parse() -> None:
    examples = [block.split("\n", 1) for block in PAGE.split("```")[1::2]]
    plain = [
        text
        for language, text in examples
        if not language and "KIND" not in text and "..." not in text.replace('"..."', "")
    ]
    assert len(plain) == 3
    for text in plain:
        found = Collector()
        assert parse_text(text, "example", found).items
        assert not found.found
    assert not read_markdown(PAGE).fences
