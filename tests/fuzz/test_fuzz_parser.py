"""Whatever the bytes are: no crash, no hang, only diagnostics; and what is accepted survives printing, comments and all."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import target
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import within
from spak.errors import Collector
from spak.lang.source import decode
from spak.lang.syntax import parse_text

ROOT = Path(__file__).parent.parent.parent
CORPUS = sorted([*(ROOT / "tests" / "lang" / "corpus").glob("*.dsl"), *(ROOT / "specs").glob("**/*.dsl")])
TEXTS = [path.read_text() for path in CORPUS]
EXAMPLES = int(os.environ.get("SPAK_FUZZ_EXAMPLES", "100"))
PROFILE = settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SEEDS = sorted((ROOT / "tests" / "lang" / "corpus").glob("*.dsl"))
SECONDS = float(os.environ.get("SPAK_FUZZ_SECONDS", "3"))
atheris = pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris cannot be installed here")

MARKS = "{ } ( ) [ ] < > : = , ; -> => .. . ? | ! - + += // # /* */ ' \\ @ $ a b.c x1 1 1.5 1e9 12GB 50% #fff true and not in if"
WORDS = "else emit return break perform rule css procedure é ∈ \U0001f680"
PIECES = [*MARKS.split(), *WORDS.split()]
PIECES += [
    '"', '"""', "\n", "\n  ", "\n    ", "\t", " ", "1. ", "2) ", "fact f(t: T)", "task t {", "step s:", "llm.query {", "key: |",
    "\u202e", "\u2028", "\x0b", "---\n", "```spak\n", "```\n",
]  # fmt: skip


@PROFILE
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_pieces_of_the_language(text: str) -> None:
    target.text(text)


@PROFILE
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    target.text(text.replace("\r", ""))


@PROFILE
@given(st.binary(max_size=200), st.sampled_from(["f.dsl", "SPEC.f.md"]))
def test_any_bytes(data: bytes, name: str) -> None:
    target.one(data, name)


@PROFILE
@given(st.data())
def test_broken_files(data: st.DataObject) -> None:
    """Real files with a piece cut out, doubled, or put in."""
    text = data.draw(st.sampled_from(TEXTS))
    for _ in range(data.draw(st.integers(1, 4))):
        at, size = data.draw(st.integers(0, len(text))), data.draw(st.sampled_from([0, 1, 2, 20, 200]))
        new = data.draw(st.one_of(st.sampled_from(PIECES), st.just(text[at : at + size] * 2), st.just("")))
        text = text[:at] + new + text[at + size :]
    target.text(text)


AFTER = '"" "a" (a) [1] -1 !a !=a `x` { /*c*/"a" //c .a é 1 <a> #fff @a'


@pytest.mark.parametrize("word", ["emit", "perform", "if", "else", "return", "break", "not", "in", "and"])
@pytest.mark.parametrize("before", ["", "x = ", "x = a ", "task t { step s { "])
def test_a_keyword_right_before_anything(word: str, before: str) -> None:
    for after in AFTER.split():
        target.text(before + word + after)


def test_parts_of_a_name_far_from_each_other() -> None:
    target.text("x = f(1). a. b .c + (1. true1. true)")


HUGE = {
    "braces": "a {" * 50_000,
    "brackets": "a: " + "[" * 50_000,
    "closed brackets": "a: " + "[" * 60 + "]" * 60,
    "parentheses": "a: " + "(" * 100_000 + ")" * 100_000,
    "one line": "a: " + "x " * 100_000,
    "one word": "x" * 1_000_000,
    "one string": 'a: "' + "x" * 1_000_000 + '"',
    "one open string": 'a: "' + "x" * 1_000_000,
    "one long string": 'a: """' + 'x" ' * 80_000,
    "open comments": "/* " * 80_000,
    "numbers": "a: " + "9" * 1_000_000,
    "minus": "a: " + "-" * 50_000 + "1",
    "not": "a: " + "!" * 50_000 + "b",
    "dots": "a" + ".b" * 100_000,
    "sum": "a: " + "b + " * 30_000 + "c",
    "generics": "a: " + "List<" * 20_000,
    "closed generics": "a: " + "A<" * 50 + "b" + ">" * 50,
    "arrows": "a" + " -> b" * 20_000,
    "keys": "a: " * 50_000,
    "else": "if a {} " + "else if a {} " * 5_000,
    "lines": "\n" * 1_000_000,
    "blanks": " " * 1_000_000 + "a",
    "separators": ";," * 100_000,
    "numbered": "1. a\n" * 10_000,
    "errors": "a: *\n" * 40_000,
    "foreign": "css { " * 1000 + "#" * 1000 + " }" * 1000,
    "verbatim": "procedure x:\n" + "  y\n" * 50_000,
    "procedures": "procedure { " * 20_000,
    "pointers": "a: |\n" * 20_000,
    "fences": "```spak\n" * 20_000,
    "bidi": "a\u202e: \u2066b\u2069\n" * 2_000,
    "surrogates": "a: \ud800\n" * 1000 + '"\udfff"',
    "unicode spaces": "a\u00a0:\u2003b\u3000\u2028c" * 1000,
    "controls": "".join(map(chr, range(1, 32))) * 1000,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HUGE))
def test_nothing_takes_long(name: str) -> None:
    text = HUGE[name].replace("\r", "")
    seen = []

    def read() -> None:
        found = Collector()
        seen[:] = [parse_text(text, "t.dsl", found), found]
        for diagnostic in found.found:
            str(diagnostic).encode("utf-8", "replace")

    assert within(20, read)
    file, found = seen
    assert file.items or found.errors or not text.strip() or name in {"separators"}


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"a: 1\n\0", "SPK112"), (b"\xff\xfea", "SPK112"), (b"a: \xed\xa0\x80", "SPK112"), (b"a: \xf0\x9f", "SPK112")],
)
def test_what_is_no_text(data: bytes, code: str) -> None:
    found = Collector()
    assert decode(data, "t.dsl", found) is None
    (diagnostic,) = found.errors
    assert (diagnostic.code, diagnostic.span is not None) == (code, True)


HERE = Path(__file__).parent
#: Stays in between: what is started inherits the peak of its starter's memory, and libFuzzer's limit counts it as its own.
LAUNCHER = ["/bin/sh", "-c", '"$@"; exit $?', "sh"]
#: The fuzzer, with a parser that keeps 64 MiB a call, up to 1 GiB; libFuzzer looks once a second.
EATING = f"""
import sys, time
sys.path.insert(0, {str(HERE)!r})
import atheris_child, target
kept = []
target.parse_text = lambda *given: kept.append(b"x" * (64 << 20)) if len(kept) < 16 else time.sleep(5)
atheris_child.one = lambda data: target.parse_text(data)
atheris_child.main()
"""


def fuzzed(folder: Path, seconds: float, mib: int, *program: str) -> subprocess.CompletedProcess[str]:
    options = [str(int(seconds)), str(mib), str(folder), *map(str, SEEDS)]
    argv = [*LAUNCHER, sys.executable, "-W", "ignore", *program, *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=seconds * 4 + 300)


@atheris
def test_atheris(tmp_path: Path) -> None:
    """Coverage-guided, for some seconds; `SPAK_FUZZ_SECONDS=600` fuzzes longer."""
    done = fuzzed(tmp_path, SECONDS, 2048, str(HERE / "atheris_child.py"))
    assert done.returncode == 0, done.stderr[-3000:]
    runs = re.search(r"number_of_executed_units:\s*(\d+)", done.stderr)
    assert runs is not None
    assert int(runs[1]) > len(SEEDS)


@atheris
def test_atheris_sees_memory_explode(tmp_path: Path) -> None:
    done = fuzzed(tmp_path, 100, 512, "-c", EATING)  # it does not take so long but on the busiest machine
    assert done.returncode != 0
    assert "out-of-memory" in done.stderr, done.stderr[-3000:]
