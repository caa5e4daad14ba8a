"""The page on tools names every tool with its arguments, and its programs resolve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spak.agents.policy import SECRETS
from spak.agents.tools import paths
from spak.errors import Collector
from spak.semantics.resolve import resolve_text
from spak.semantics.toolbox import TOOLS

PAGE = (Path(__file__).parent.parent.parent / "docs/tools.md").read_text()


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_has_its_row(name: str) -> None:
    tool = TOOLS[name]
    row = f"| `tool.{name} {{ {' '.join(f'{one}:' for one in tool.args)} }}` | {tool.about} |"
    assert row in PAGE


@pytest.mark.parametrize("text", re.findall(r"^```spak\n(.*?)^```$", PAGE, re.M | re.S))
def test_programs_resolve(text: str) -> None:
    found = Collector()
    resolve_text(text, "example.dsl", found)
    assert not found.found


def test_every_protected_name_is_named() -> None:
    for name in paths.HIDDEN | paths.KEPT:
        assert f"`{name}`" in PAGE
    assert len([one for one in SECRETS if one in PAGE]) >= 7
