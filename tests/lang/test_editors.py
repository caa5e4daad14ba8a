"""What editors get: valid JSON, a grammar that knows every kind of the language, and the commands of the documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from spak.lsp.kinds import KINDS, tools
from spak.semantics.outline import KINDS as TOP
from spak.semantics.outline import PARTS
from spak.semantics.toolbox import TOOLS

ROOT = Path(__file__).parent.parent.parent
VSCODE = ROOT / "editors" / "vscode"
GRAMMAR = json.loads((VSCODE / "syntaxes" / "spak.tmLanguage.json").read_text())
STATEMENTS = {"emit", "if", "loop", "return", "perform"}


def part(name: str) -> list[dict[str, Any]]:
    found = GRAMMAR["repository"][name]
    return list(found.get("patterns", [found]))


def scopes(name: str, text: str, wanted: str) -> set[str]:
    """The words of a text that a part of the grammar gives a scope."""
    words = set()
    for pattern in part(name):
        if "match" not in pattern:
            continue
        for match in re.finditer(pattern["match"], text, re.MULTILINE):
            if wanted in pattern.get("name", ""):
                words.add(match.group())
            for group, capture in pattern.get("captures", {}).items():
                if wanted in capture["name"]:
                    words.add(match.group(int(group)) or "")
    return words


@pytest.mark.parametrize("path", sorted(VSCODE.rglob("*.json")), ids=lambda p: p.name)
def test_json_is_valid(path: Path) -> None:
    assert json.loads(path.read_text())


def test_files_that_the_extension_names_are_there() -> None:
    package = json.loads((VSCODE / "package.json").read_text())
    contributes = package["contributes"]
    files = [one["path"] for one in contributes["grammars"]] + [
        one["configuration"] for one in contributes["languages"]
    ]
    for file in [*files, package["main"]]:
        assert (VSCODE / file).is_file()
    assert contributes["grammars"][0]["scopeName"] == GRAMMAR["scopeName"]


def test_the_table_of_kinds_is_complete() -> None:
    assert (TOP | set(PARTS)) - set(KINDS) == set()
    assert set(tools()) == {f"tool.{name}" for name in TOOLS}
    for name, kind in KINDS.items():
        assert kind.about.endswith((".", "`.")), name


@pytest.mark.parametrize("kind", sorted((TOP | set(PARTS) | {k for k in KINDS if "." not in k}) - {"llm.query"}))
def test_the_grammar_knows_every_kind(kind: str) -> None:
    if kind in STATEMENTS:
        assert scopes("control", f"  {kind} x {{", "keyword.control") == {kind}
        return
    assert kind in scopes("kinds", f"  {kind} Name {{", "keyword.declaration")
    assert not scopes("kinds", f"  {kind}x: 1", "keyword.declaration")


def test_the_grammar_knows_calls_keys_and_texts() -> None:
    assert scopes("calls", "tool.run { }  llm.query { }", "support.function") == {"run", "query"}
    assert scopes("keys", 'a: 1, b = 2\n"c d": 3\nx == y', "variable") == {"a", "b", '"c d"'}
    assert scopes("strings", "", "string") == set()
    assert re.fullmatch(GRAMMAR["repository"]["holes"]["match"], "{{ a.b }}")


def test_every_include_exists() -> None:
    text = json.dumps(GRAMMAR)
    assert set(re.findall(r'"include": "#(\w+)"', text)) <= set(GRAMMAR["repository"])


def test_the_documentation_names_what_there_is() -> None:
    page = (ROOT / "docs" / "editors.md").read_text()
    for word in ("spak lsp", "spak fmt", "spak check", "spak migrate", "editors/vscode", "pip install 'spak[lsp]'"):
        assert word in page
