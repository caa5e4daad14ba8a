"""What statements become: every form of the language, comments, recovery after errors, and the cached parse table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from spak.errors import Collector
from spak.lang import tree
from spak.lang.printer import print_value
from spak.lang.syntax import parse_text
from spak.lang.tree import Attr, Bare, Block, Emit, If, Jump, Name, Num, Str

ROOT = Path(__file__).parent.parent.parent


def one(text: str) -> tree.Item:
    found = Collector()
    file = parse_text(text, "t.dsl", found)
    assert not found.found, [str(d) for d in found.found]
    (item,) = file.items
    return item


def test_blocks() -> None:
    block = one('step "Level 1: go" { tool.run { cmd: "x" } -> emit T.Case }')
    assert isinstance(block, Block)
    assert (block.kind, block.name, block.quoted) == ("step", "Level 1: go", True)
    assert block.body == (Block("tool.run", body=(Attr("cmd", Str("x")),), emits=Name("T.Case")),)
    declared = one("parameter Tile_M: [64, 128]")
    assert isinstance(declared, Block)
    assert (declared.kind, declared.name, print_value(declared.annotation)) == ("parameter", "Tile_M", "[64, 128]")  # type: ignore[arg-type]
    state = one("state best: float = 0.0")
    assert state == Block("state", "best", annotation=Name("float"), default=Num(0.0))
    kind = one('type T matches { layout: "row" | "col" }')
    assert isinstance(kind, Block)
    assert kind.words == (Name("matches"),)


def test_signature() -> None:
    block = one("kernel f(a: f32[M, K] col, s: f32 = 1.0) -> (y: f32[M], z: f32[1]) {}")
    assert isinstance(block, Block)
    assert block.params is not None
    first, second = block.params
    assert isinstance(first, tree.Arg)
    assert first.type == tree.Seq((tree.Index(Name("f32"), (Name("M"), Name("K"))), Name("col")))
    assert second == tree.Arg("s", Name("f32"), Num(1.0))
    assert isinstance(block.result, tree.Group)
    assert block.body == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: x", Name("x")),
        ("a = 1e-4", Num(1e-4)),
        ("a: true", Num(True)),
        ('a: "b\\n\\"c\\u00e9"', Str('b\n"cé')),
        ('a: "\\d \\alpha"', Str("\\d \\alpha")),
        ('a: """x "y" \\n"""', Str('x "y" \\n')),
        ("a: [1, 2,]", tree.ListLit((Num(1), Num(2)))),
        ("a: [\n1\n2\n]", tree.ListLit((Num(1), Num(2)))),
        ("a: range [8, 128]", tree.Index(Name("range"), (Num(8), Num(128)))),
        ("a: 12GB", Name("12GB")),
        ("a: -1e20", tree.Unary("-", Num(1e20))),
        ("a: List<String>", tree.Generic("List", (Name("String"),))),
        ("a: b<c", tree.Binary("<", Name("b"), Name("c"))),
        ("a: Map<String, List<Int>> // c", tree.Generic("Map", (Name("String"), tree.Generic("List", (Name("Int"),))))),
        (
            "a: b < c && d > e",
            tree.Binary("&&", tree.Binary("<", Name("b"), Name("c")), tree.Binary(">", Name("d"), Name("e"))),
        ),
        ("a: perform C.f(x)", tree.Unary("perform", tree.Call("C.f", (Name("x"),)))),
        ("a: f(x).g", tree.Member(tree.Call("f", (Name("x"),)), "g")),
        ("a: x +\n  y", tree.Binary("+", Name("x"), Name("y"))),
        ("a: x\n  && y", tree.Binary("&&", Name("x"), Name("y"))),
        ("a: {b: 1, c: {}}", tree.MapLit((Attr("b", Num(1)), Attr("c", tree.MapLit(()))))),
        ("a: reference.py:f", Name("reference.py:f")),
        ("a: [int]", tree.ListLit((Name("int"),))),
        ("a: T?", tree.Unary("?", Name("T"))),
        ("a: 0 .. n - 1", tree.Binary("..", Num(0), tree.Binary("-", Name("n"), Num(1)))),
        ("a:\n  x ← y\n\n  z", tree.Verbatim("x ← y\n\nz")),
        ('a:\n  "below"', Str("below")),
        ("a: 1 in [1]", tree.Binary("in", Num(1), tree.ListLit((Num(1),)))),
    ],
)
def test_values(text: str, value: tree.Value) -> None:
    item = one(text)
    assert isinstance(item, Attr)
    assert item.value == value


def test_numbers_and_truths_differ() -> None:
    assert Num(1) != Num(True)
    assert Num(1) != Num(1.0)
    assert len({Num(1), Num(True), Num(1.0)}) == 3


def test_statements() -> None:
    assert one('if (a == "DONE") break') == If(tree.Binary("==", Name("a"), Str("DONE")), (Jump("break"),))
    assert one("if a { b } else if c { d } else { e }") == If(
        Name("a"), (Bare(Name("b")),), (If(Name("c"), (Bare(Name("d")),), (Bare(Name("e")),)),)
    )
    assert one("emit T.Case(x)") == Emit(tree.Call("T.Case", (Name("x"),)))
    assert one("x[0] = y") == tree.Assign(tree.Index(Name("x"), (Num(0),)), Name("y"))
    assert one("return") == tree.Return()
    assert one("memory <= 12GB") == Bare(tree.Binary("<=", Name("memory"), Name("12GB")))
    assert one("f(x, mode=fast)") == Bare(tree.Call("f", (Name("x"), tree.Arg("mode", None, Name("fast")))))


def test_keys_may_be_words_that_mean_something() -> None:
    for word in ("if", "emit", "return", "in", "not", "loop", "else", "true", "perform"):
        item = one(f"b {{ {word}: 1 }}")
        assert isinstance(item, Block)
        assert item.body == (Attr(word, Num(1)),)


@pytest.mark.parametrize(
    "text",
    [
        "b { x: 1 y: 2 }",
        "b { x: 1, y: 2 }",
        "b { x: 1; y: 2; }",
        "b {\n x: 1\n\n\n y: 2 }",
        "b\n{\nx: 1 y: 2\n}",
        "b{x:1,;y:2,}",
    ],
)
def test_separators(text: str) -> None:
    assert one(text) == Block("b", body=(Attr("x", Num(1)), Attr("y", Num(2))))


@pytest.mark.parametrize("name", ["code", "template", "procedure", "html"])
def test_a_word_that_opens_text_of_another_language_may_be_assigned_to(name: str) -> None:
    item = one(f'{name} = tool.run {{ cmd: "date"; timeout: 5 }}')
    assert isinstance(item, Block) and item.kind == name
    assert item.body == (Attr("cmd", Str("date")), Attr("timeout", Num(5)))


def test_spans() -> None:
    item = one('\n  rule "R" {\n    when: a &&\n      b\n  }')
    assert isinstance(item, Block)
    assert (item.span.line, item.span.col, item.span.end_line, item.span.end_col) == (2, 3, 5, 4)
    assert (item.name_span.col, item.name_span.end_col) == (8, 11)
    (attr,) = item.body  # type: ignore[misc]
    assert (attr.span.line, attr.span.end_line, attr.span.end_col) == (3, 4, 8)
    assert (attr.value.span.line, attr.value.span.col) == (3, 11)


def test_comments_are_set_aside() -> None:
    found = Collector()
    file = parse_text("// a\nx: 1 # b\n/* c\n d */ y: 2", "t.dsl", found)
    assert [(c.text, c.alone) for c in file.comments] == [("// a", True), ("# b", False), ("/* c\n d */", True)]
    assert len(file.items) == 2


def test_reading_goes_on_after_an_error() -> None:
    found = Collector()
    file = parse_text("a: 1\nb: * 2\nc { d: }\ne {\n  f: 3 +\n  g: 4\n}\nh: 5\n", "t.dsl", found)
    assert [(d.code, d.span.line) for d in found.found if d.span] == [("SPK104", 2), ("SPK104", 3), ("SPK104", 6)]
    assert [item.key for item in file.items if isinstance(item, Attr)] == ["a", "h"]
    assert [item.kind for item in file.items if isinstance(item, Block)] == ["c", "e"]


def test_a_missing_brace_is_found_by_indentation() -> None:
    found = Collector()
    parse_text("a {\n  b {\n    c: 1\n  d {\n  }\n}\n", "t.dsl", found)
    assert [(d.code, d.span.line, d.span.col) for d in found.found if d.span] == [("SPK103", 2, 5)]


def test_parsing_works_without_a_writable_cache(tmp_path: Path) -> None:
    script = (
        "from spak.errors import Collector; from spak.lang.syntax import parse_text;"
        "print(parse_text('a: 1', 't', Collector()).items[0].key)"
    )
    blocked = tmp_path / "file"
    blocked.write_text("")
    torn = tmp_path / "spak"
    torn.mkdir()
    (torn / "grammar").write_bytes(b"torn")
    for cache in (str(blocked), str(tmp_path), "/proc/nowhere"):
        environment = {"PYTHONPATH": str(ROOT / "compiler"), "XDG_CACHE_HOME": cache, "PATH": ""}
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", script], env=environment, capture_output=True, text=True
            )
            assert (done.returncode, done.stdout, done.stderr) == (0, "a\n", "")
