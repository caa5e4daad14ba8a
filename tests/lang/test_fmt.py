"""`spak fmt` as it is run: Markdown keeps its prose, what cannot be read is left alone, all shipped specs are canonical."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import inprocess
import pytest
from spak.errors import Collector, SpakError
from spak.parse.files import spec_paths
from spak.parse.format import format_bytes, format_text
from spak.parse.migrate import migrate_bytes
from spak.semantics.resolve import resolve_text

ROOT = Path(__file__).parent.parent.parent
SPECS = [*spec_paths(ROOT / "specs"), *spec_paths(ROOT / "tests" / "lang" / "corpus")]
PROGRAMS = [
    path
    for folder in ("specs", "tests/semantics/corpus")
    for path in spec_paths(ROOT / folder)
    if path.suffix == ".dsl"
]

MARKDOWN = """---
name:   x
---

#  Title,  oddly   spaced

```python
a   =  1
```

- in a list:

  ```spak
  rule R{when:a;apply:"b"}   // c
  ```

> ```spak
> a   :  1
> ```

```spak-dsl
b:2
```
"""


def spak(folder: Path, *arguments: str, text: str = "") -> inprocess.Done:
    return inprocess.spak(folder, "fmt", *arguments, text=text)


def process(folder: Path, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spak", "fmt", *arguments], cwd=folder, capture_output=True, text=True, input=text
    )


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.name)
def test_formatting_twice_changes_nothing_more(path: Path) -> None:
    once = format_bytes(path.read_bytes(), path.name)
    assert format_bytes(once, path.name) == once


@pytest.mark.parametrize("path", spec_paths(ROOT / "specs"), ids=lambda p: p.name)
def test_what_is_shipped_is_canonical(path: Path) -> None:
    assert format_bytes(path.read_bytes(), path.name) == path.read_bytes(), "run `spak fmt`"
    assert migrate_bytes(path.read_bytes(), path.name)[1] == [], "run `spak migrate --write`"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.name)
def test_a_formatted_program_is_the_same_program(path: Path) -> None:
    text = format_text(path.read_text(), path.name)
    old, new = (resolve_text(one, path.name, Collector(), ROOT) for one in (path.read_text(), text))
    assert new == old


def test_only_the_fences_of_markdown_change() -> None:
    done = format_text(MARKDOWN, "SPEC.x.md")
    expected = MARKDOWN.replace('rule R{when:a;apply:"b"}   // c', 'rule R { when: a, apply: "b" }  // c')
    expected = expected.replace("a   :  1", "a: 1").replace("b:2", "b: 2")
    assert done == expected


def test_line_ends_and_byte_order_mark_of_markdown_stay() -> None:
    data = b"\xef\xbb\xbf" + MARKDOWN.replace("\n", "\r\n").encode()
    done = format_bytes(data, "SPEC.x.md")
    assert done == b"\xef\xbb\xbf" + format_text(MARKDOWN, "SPEC.x.md").replace("\n", "\r\n").encode()
    assert format_bytes(b"\xef\xbb\xbfa:1\r\nb:2\r\n", "x.dsl") == b"a: 1\nb: 2\n"


def test_a_file_with_an_error_is_refused() -> None:
    with pytest.raises(SpakError, match=r"x\.dsl:1:4: SPK104"):
        format_text("a: * 1\nb:2\n", "x.dsl")
    with pytest.raises(SpakError, match="SPK220"):
        format_text("```spak\na:1\n", "SPEC.x.md")


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "dodo.py").write_text("")
    (tmp_path / "specs" / "deep").mkdir(parents=True)
    bad, odd, good = (tmp_path / "specs" / name for name in ("bad.dsl", "deep/odd.dsl", "good.dsl"))
    bad.write_text("a: *\n")
    odd.write_text("a:1 // c\n")
    odd.chmod(0o640)
    good.write_text("a: 1\n")
    checked = process(tmp_path, "--check")
    assert (checked.returncode, odd.read_text()) == (1, "a:1 // c\n")
    assert "would format specs/deep/odd.dsl" in checked.stderr
    assert "specs/bad.dsl:1:4: SPK104" in checked.stderr
    shown = spak(tmp_path, "--diff", "specs/deep")
    assert "-a:1 // c\n+a: 1  // c\n" in shown.stdout
    assert (shown.returncode, odd.read_text()) == (0, "a:1 // c\n")
    done = spak(tmp_path, "specs")
    assert done.returncode == 1
    assert (odd.read_text(), odd.stat().st_mode & 0o777, bad.read_text()) == ("a: 1  // c\n", 0o640, "a: *\n")
    assert spak(tmp_path, "--check", "specs/deep", "specs/good.dsl").returncode == 0
    assert "specs/gone.dsl:1:1: SPK110" in spak(tmp_path, "specs/gone.dsl").stderr


def test_standard_input(tmp_path: Path) -> None:
    assert process(tmp_path, "-", text="a:1\n").stdout == "a: 1\n"
    assert spak(tmp_path, "-", "--name", "SPEC.x.md", text="text\n\n```spak\na:1\n```\n").stdout.endswith("a: 1\n```\n")
    broken = spak(tmp_path, "-", text="a: *\n")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert "stdin.dsl:1:4: SPK104" in broken.stderr
    assert spak(tmp_path, "-", "--check", text="a:1\n").returncode == 1
