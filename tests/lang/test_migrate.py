"""`spak migrate`: older spellings become today's, nothing else changes, comments stay where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from spak.errors import Collector
from spak.parse import meta
from spak.parse.migrate import migrate_bytes, migrate_text
from spak.semantics.resolve import resolve_text

ROOT = Path(__file__).parent.parent.parent

OLD = """meta {
    name = "Library"   // its name
    version   =   "1.0"
}
contract Scope { autonomy { max_steps = 50 } }
task t {
  step ask: llm.query { prompt_template: "{{a}}" /* said */ output_var: answer }
  answer = llm.query { prompt_template: "again" }
  x = 3
  step run { tool.run { command: "ls" } }
}
engineering_loop e {
  strategy: random
  measure { command: "bench"; metric: m }
}
rule "R" { when: "is_slow"  apply: "is_slow" }
rule "S" { when: "it is slow" }
hint "H" { trigger: "is_slow" }
"""

NEW = """meta {
    name: "Library"   // its name
    version: "1.0"
}
contract Scope { autonomy { max_steps: 50 } }
task t {
  step ask: llm.query { prompt: "{{a}}" /* said */ output_var: answer }
  answer = llm.query { prompt: "again" }
  x = 3
  step run { tool.run { cmd: "ls" } }
}
engineering_loop e {
  search: random
  measure { cmd: "bench"; metric: m }
}
rule "R" { when: is_slow  apply: "is_slow" }
rule "S" { when: "it is slow" }
hint "H" { trigger: is_slow }
"""


def test_the_dialects_of_old() -> None:
    done, edits = migrate_text(OLD, "x.dsl")
    assert done == NEW
    assert len(edits) == 10
    assert migrate_text(NEW, "x.dsl") == (NEW, [])


def test_fences_and_front_matter_of_markdown() -> None:
    old = '---\nname: x\n---\n`when: "is_slow"` in prose\n\n```spak\nrule R { when: "is_slow" }\n```\n'
    assert migrate_text(old, "SPEC.x.md")[0] == old.replace('R { when: "is_slow"', "R { when: is_slow")


def test_a_key_that_is_taken_stays() -> None:
    text = 'task t { step a: llm.query { prompt: "a", prompt_template: "b" } }\n'
    assert migrate_text(text, "x.dsl") == (text, [])


def test_editions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "---\nname: x\nedition: 1  # the first\n---\n\n```spak\na: 1\n```\n"
    assert migrate_text(text, "SPEC.x.md") == (text, [])
    monkeypatch.setattr(meta, "EDITIONS", (1, 2))
    assert migrate_text(text, "SPEC.x.md")[0] == text.replace("edition: 1 ", "edition: 2 ")


def test_line_ends_stay() -> None:
    data, edits = migrate_bytes(b'\xef\xbb\xbfmeta {\r\n  a = "b"\r\n}\r\n', "x.dsl")
    assert (data, len(edits)) == (b'\xef\xbb\xbfmeta {\r\n  a: "b"\r\n}\r\n', 1)


@pytest.mark.parametrize("path", sorted((ROOT / "tests/semantics/corpus").glob("*.dsl")), ids=lambda p: p.name)
def test_a_migrated_program_is_the_same_program(path: Path) -> None:
    text, _ = migrate_text(path.read_text(), path.name)
    assert migrate_text(text, path.name) == (text, [])
    old, new = (resolve_text(one, path.name, Collector(), ROOT) for one in (path.read_text(), text))
    assert new == old


def test_the_command(tmp_path: Path) -> None:
    old = tmp_path / "old.dsl"
    old.write_text(OLD)
    run = [sys.executable, "-m", "spak", "migrate", "old.dsl"]
    shown = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert (shown.returncode, old.read_text()) == (0, OLD)
    assert '+    name: "Library"   // its name\n+    version: "1.0"\n' in shown.stdout
    assert "old.dsl:2:9: attributes of `meta` have a colon" in shown.stderr
    assert subprocess.run([*run, "--write"], cwd=tmp_path, capture_output=True).returncode == 0
    assert old.read_text() == NEW
    old.write_text("a: *\n")
    broken = subprocess.run([*run, "--write"], cwd=tmp_path, capture_output=True, text=True)
    assert (broken.returncode, old.read_text()) == (1, "a: *\n")
    assert "old.dsl:1:4: SPK104" in broken.stderr
