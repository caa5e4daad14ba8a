"""Every example of the language's page means what the page says: it resolves, or gives exactly the messages below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from spak.errors import Collector
from spak.semantics.outline import CONTAINERS, KINDS
from spak.semantics.resolve import load_program
from spak.semantics.scope import ROOTS
from spak.semantics.statements import STATEMENTS

PAGE = Path(__file__).parent.parent.parent / "docs" / "language.md"
EXAMPLE = re.compile(
    r"^```spak(?: (?P<file>\S+))?\n(?P<text>.*?)^```\n(?:\n```text\n(?P<says>.*?)^```\n)?", re.M | re.S
)
EXAMPLES = list(EXAMPLE.finditer(PAGE.read_text()))


def messages(root: Path, match: re.Match[str]) -> str:
    """What checking one example says; files with names stay for the examples below them."""
    file = match["file"] or "example.dsl"
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(match["text"])
    found = Collector()
    load_program(root, file, found)
    return "".join(f"{one}\n" for one in sorted(found.found, key=lambda d: (d.span, d.code)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("page")
    for match in EXAMPLES:
        if match["file"]:
            messages(root, match)
    return root


@pytest.mark.parametrize("match", EXAMPLES, ids=lambda m: f"line {PAGE.read_text()[: m.start()].count(chr(10)) + 1}")
def test_example(project: Path, match: re.Match[str], update_golden: bool) -> None:
    said = messages(project, match)
    if update_golden and match["says"] is not None:
        PAGE.write_text(
            PAGE.read_text().replace(match[0], match[0].replace(f"```text\n{match['says']}", f"```text\n{said}"))
        )
        return
    assert said == (match["says"] or "")


@pytest.mark.parametrize("kind", sorted(KINDS - CONTAINERS - {"artifact", "enum", "axiom", "heuristic", "prediction"}))
def test_every_kind_has_an_example(kind: str) -> None:
    assert any(re.search(rf"^\s*{kind}\b", match["text"], re.M) for match in EXAMPLES)


@pytest.mark.parametrize("word", sorted({*KINDS - {"enum", "system"}, *ROOTS, *STATEMENTS}))
def test_is_mentioned(word: str) -> None:
    assert word in PAGE.read_text()
