"""Comments stay where they stand: beside what they spoke of, all of them, in their order, wherever they are put."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from spak.errors import Collector
from spak.lang import tree
from spak.lang.printer import print_file
from spak.lang.syntax import parse_text

ROOT = Path(__file__).parent.parent.parent
CORPUS = sorted([*(Path(__file__).parent / "corpus").glob("*.dsl"), *(ROOT / "specs").glob("**/*.dsl")])
TEXTS = [path.read_text() for path in CORPUS]
PROFILE = settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def parse(text: str) -> tuple[tree.File, Collector]:
    found = Collector()
    return parse_text(text, "t.dsl", found), found


def words(file: tree.File) -> list[str]:
    return [" ".join(comment.text.split()) for comment in file.comments]


@pytest.mark.parametrize(
    "text",
    [
        'rule R {\n  when: [\n    // first\n    "a",  // after a\n    "b",\n    # last\n  ]\n}\n',
        "call(\n  a,  // one\n  b,  /* two */\n)\n",
        "y: {  // opening\n  a: 1  // one\n\n  // two\n  b: 2\n}\n",
        "step x {  // only\n}\n",
        "if a {  // one\n  b\n} else {  // two\n  // three\n  c  // four\n}  // five\n// six\n",
        "function f(\n  a: int,  // first\n  b: int,  // second\n) -> int {  // body\n  return a\n}\n",
        "Domain:  # heading\n  h ∈ ℝ\n\n// after\nx: 1\n",
        "a: 1\n\n/* a long\n   comment\n     deeper */\nb: 2\n",
        "a {\n  /*\n   * starred\n   */\n  b: 1\n}\n",
        "x: [\n  { a: 1 },  // a map\n  [\n    // inner\n    2,\n  ],\n]\n",
        "---\nname: x\n---\n\n// after the front matter\na: 1e-5\nb: 1_000\n",
    ],
)
def test_canonical_text_is_left_alone(text: str) -> None:
    file, found = parse(text)
    assert not found.found
    assert print_file(file) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a: 1; b: 2 // both\n", "a: 1\nb: 2  // both\n"),
        ("a { b: 1 } // behind\n", "a { b: 1 }  // behind\n"),
        ("a { b: 1; c { d: 2 } } // behind\n", "a {\n  b: 1\n  c { d: 2 }\n}  // behind\n"),
        ("x: a // why\n  + b // end\n", "// why\nx: a + b  // end\n"),
        ("f() // head\n{\n a: 1 }\n", "f() {  // head\n  a: 1\n}\n"),
        ("/* before */ a: 1\n", "/* before */\na: 1\n"),
        ("a: 1\n\n\n\nb: 2\n", "a: 1\n\nb: 2\n"),
        ("a {\n\n  b: 1\n\n}\n", "a {\n  b: 1\n}\n"),
        ("a: #fff // white\n", "a: #fff  // white\n"),
        ("a: [" + ", ".join(["abcdefgh"] * 13) + "]\n", "a: [\n" + "  abcdefgh,\n" * 13 + "]\n"),
    ],
)
def test_where_a_comment_goes(text: str, printed: str) -> None:
    file, found = parse(text)
    assert not found.found
    assert print_file(file) == printed


@PROFILE
@given(st.data())
def test_comments_anywhere_are_kept_in_order(data: st.DataObject) -> None:
    """Comments put between the words of a real file, and behind its lines."""
    text = data.draw(st.sampled_from(TEXTS))
    blanks = [m.start() for m in re.finditer(r"(?<=\S)[ \n]|^", text, re.MULTILINE)]
    for number, at in enumerate(sorted(data.draw(st.sets(st.sampled_from(blanks), max_size=6)), reverse=True)):
        kind = data.draw(st.sampled_from(["/* {} */", " // {}\n", "# {}\n", "/* {}\n   more */", "\n\n// {}\n\n"]))
        text = text[:at] + kind.format(f"c{number}") + text[at:]
    first, found = parse(text)
    assume(not found.errors)
    printed = print_file(first)
    again, found = parse(printed)
    assert not found.found, printed
    assert again == first
    assert words(again) == words(first)
    assert print_file(again) == printed
