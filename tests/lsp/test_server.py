"""The language server, driven over its standard streams as an editor drives it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsp.editor import Editor

DOMAIN = """domain tiles {
  fact is_small(t: TraceItem.Performance) { return t.tflops < 1 }
}
"""
TEXT = """use tiles

trace_schema {
  variant TraceItem {
    case Performance { tflops: float, level: string }
  }
}

state best: float = 0.0

fact is_slow(t: TraceItem.Performance) {
  return t.tflops < 10.0
}

rule "Go faster" {
  when: is_slow && is_small
  apply: "use \U0001f680 more tiles"
}

agent_loop climb {
  step ask {
    llm.query { prompt: "what now? {{best}}", output_var: idea }
  }
  step act {
    /* \U0001f680 */ best = best + 1
    tool.run { cmd: "ls {{idea}}" } -> emit TraceItem.Performance
  }
}
"""
NAME = "specs/climb/climb.dsl"
LINES = TEXT.split("\n")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "dodo.py").write_text("")
    (folder / "specs" / "domains").mkdir(parents=True)
    (folder / "specs" / "domains" / "tiles.dsl").write_text(DOMAIN)
    (folder / "specs" / "climb").mkdir()
    one = Editor(folder)
    one.open(NAME, TEXT)
    yield one
    assert one.close() == 0


def place(word: str, nth: int = 0) -> tuple[int, int]:
    """Where a word stands in TEXT, in lines and UTF-16 units from 0."""
    at = -1
    for _ in range(nth + 1):
        at = TEXT.index(word, at + 1)
    line = TEXT.count("\n", 0, at)
    return line, len(TEXT[TEXT.rfind("\n", 0, at) + 1 : at].encode("utf-16-le")) // 2


def cut(span: dict[str, Any], text: str = TEXT) -> str:
    """The text of a range within one line."""
    line = text.split("\n")[span["start"]["line"]].encode("utf-16-le")
    return line[span["start"]["character"] * 2 : span["end"]["character"] * 2].decode("utf-16-le")


def test_what_it_can_do(editor: Editor) -> None:
    able = editor.server["capabilities"]
    for name in ("hover", "definition", "completion", "rename", "documentSymbol", "documentFormatting"):
        assert able[f"{name}Provider"]
    assert able["positionEncoding"] == "utf-16"


def test_diagnostics_on_open_and_change(editor: Editor) -> None:
    assert [d for d in editor.change(NAME, TEXT) if d["severity"] == 1] == []
    wrong = TEXT.replace("when: is_slow", "when: is_slwo")
    (found,) = [d for d in editor.change(NAME, wrong) if d["severity"] == 1]
    assert "did you mean 'is_slow'" in found["message"]
    assert found["source"] == "spak"
    assert cut(found["range"], wrong) == "is_slwo"
    broken = editor.change(NAME, TEXT.replace("best = best + 1", "best = * 1"))
    assert [d["code"] for d in broken if d["severity"] == 1] == ["SPK104"]
    assert editor.change(NAME, TEXT.replace('"ls {{idea}}"', '"ls {{idee}}"'))
    assert [d for d in editor.change(NAME, TEXT) if d["severity"] == 1] == []


def test_only_the_last_of_many_keys_counts(editor: Editor) -> None:
    for number in range(20):
        editor.type(NAME, TEXT + "#" * number)
    assert [d for d in editor.change(NAME, TEXT) if d["severity"] == 1] == []


def test_columns_are_utf16_units(editor: Editor) -> None:
    wrong = TEXT.replace("*/ best = best", "*/ best = bset")
    (found,) = [d for d in editor.change(NAME, wrong) if d["severity"] == 1]
    assert cut(found["range"], wrong) == "bset"
    editor.change(NAME, TEXT)


@pytest.mark.parametrize(
    ("word", "nth", "parts"),
    [
        ("rule", 0, ["**rule**", "Fires when its condition holds", "`recommend`"]),
        ("llm.query", 0, ["**llm.query**", "suspends"]),
        ("tool.run", 0, ["**tool.run**", "`cmd`"]),
        ("is_slow", 1, ["return t.tflops < 10.0", "fact `is_slow`"]),
        ("is_small", 0, ["return t.tflops < 1", "of `specs/domains/tiles.dsl`"]),
        ("best", 1, ["state best: float = 0.0", "state `best`"]),
        ("idea", 1, ["variable `idea`"]),
        ("Performance", 1, ["case Performance {"]),
    ],
)
def test_hover(editor: Editor, word: str, nth: int, parts: list[str]) -> None:
    text = editor.at(NAME, *place(word, nth), "hover")["contents"]["value"]
    for part in parts:
        assert part in text


def test_hover_explains_an_error(editor: Editor) -> None:
    editor.change(NAME, TEXT.replace("is_slow && is_small", "nothing_such"))
    text = editor.at(NAME, *place("is_slow", 1), "hover")["contents"]["value"]
    assert text.startswith("**SPK")
    editor.change(NAME, TEXT)
    assert editor.at(NAME, len(LINES) - 1, 0, "hover") is None


@pytest.mark.parametrize(
    ("word", "nth", "file", "line"),
    [
        ("is_slow", 1, NAME, place("is_slow")[0]),
        ("is_small", 0, "specs/domains/tiles.dsl", 1),
        ("best", 3, NAME, place("best")[0]),
        ("idea", 1, NAME, place("idea")[0]),
        ("tiles", 0, "specs/domains/tiles.dsl", 0),
        ("t.tflops", 0, NAME, place("is_slow")[0]),
    ],
)
def test_definition(editor: Editor, word: str, nth: int, file: str, line: int) -> None:
    found = editor.at(NAME, *place(word, nth), "definition")
    assert (found["uri"], found["range"]["start"]["line"]) == (editor.uri(file), line)


def complete(editor: Editor, text: str) -> set[str]:
    """What is offered at the `|` of a text."""
    before, _, after = text.partition("|")
    editor.change(NAME, before + after)
    line, character = before.count("\n"), len(before) - before.rfind("\n") - 1
    found = {item["label"] for item in editor.at(NAME, line, character, "completion")}
    editor.change(NAME, TEXT)
    return found


@pytest.mark.parametrize(
    ("text", "offered", "not_offered"),
    [
        (TEXT + "ru|", {"rule", "fact", "agent_loop"}, {"cmd"}),
        (TEXT + 'rule "R" {\n  |\n}\n', {"when", "apply", "recommend", "scope"}, {"cmd", "prompt"}),
        (TEXT + 'rule "R" {\n  when: i|\n}\n', {"is_slow", "is_small"}, {"best", "when"}),
        (TEXT + "task t { step a { tool.|", {"tool.run", "tool.write"}, {"llm.query"}),
        (TEXT + "task t { step a { tool.run { |", {"cmd", "timeout", "output_var"}, {"path"}),
        (TEXT + "task t { step a: tool.write { c|", {"path", "content"}, {"cmd"}),
        (TEXT + "task t { step a { llm.query { |", {"prompt", "schema", "attempts"}, {"cmd"}),
        (TEXT + "task t { step a { emit |", {"Performance"}, {"best"}),
        (TEXT + "task t { step a { x = |", {"best", "idea", "is_slow", "tool.run", "metrics"}, {"prompt"}),
        (TEXT + "fact f(t: TraceItem.Performance) { return t.|", {"t.tflops", "t.level"}, {"best"}),
        (TEXT + "task t { step a { x = steps.|", {"steps.ask", "steps.act"}, {"best"}),
        (TEXT + "engineering_loop e { measure { objective: |", {"maximize", "minimize"}, {"best"}),
        (TEXT + "use |", {"tiles"}, {"rule"}),
        (TEXT + 'rule "R" { apply: "some te|', set(), {"best", "when"}),
    ],
)
def test_completion(editor: Editor, text: str, offered: set[str], not_offered: set[str]) -> None:
    found = complete(editor, text)
    assert offered <= found
    assert not found & not_offered


def renamed(edit: dict[str, Any], editor: Editor, texts: dict[str, str]) -> dict[str, str]:
    """The texts after an edit, made as an editor makes it."""
    done = {}
    for uri, edits in edit["changes"].items():
        name = next(n for n in texts if editor.uri(n) == uri)
        lines = texts[name].split("\n")
        for one in sorted(edits, key=lambda e: (e["range"]["start"]["line"], -e["range"]["start"]["character"])):
            start, end = one["range"]["start"], one["range"]["end"]
            raw = lines[start["line"]].encode("utf-16-le")
            new = raw[: start["character"] * 2] + one["newText"].encode("utf-16-le") + raw[end["character"] * 2 :]
            lines[start["line"]] = new.decode("utf-16-le")
        done[name] = "\n".join(lines)
    return done


@pytest.mark.parametrize(
    ("word", "new"),
    [("is_slow", "is_sluggish"), ("best", "record"), ("idea", "thought"), ("Performance", "Speed"), ("climb", "rise")],
)
def test_rename(editor: Editor, word: str, new: str) -> None:
    texts = {NAME: TEXT, "specs/domains/tiles.dsl": DOMAIN}
    done = renamed(editor.at(NAME, *place(word), "rename", newName=new), editor, texts)
    assert done[NAME] == TEXT.replace(word, new)
    if word == "Performance":
        assert done["specs/domains/tiles.dsl"] == DOMAIN.replace(word, new)


def test_rename_of_what_a_domain_declares(editor: Editor) -> None:
    edit = editor.at(NAME, *place("is_small"), "rename", newName="is_tiny")
    done = renamed(edit, editor, {NAME: TEXT, "specs/domains/tiles.dsl": DOMAIN})
    assert done == {
        NAME: TEXT.replace("is_small", "is_tiny"),
        "specs/domains/tiles.dsl": DOMAIN.replace("is_small", "is_tiny"),
    }


def test_rename_of_a_rule_and_of_a_parameter(editor: Editor) -> None:
    done = renamed(editor.at(NAME, *place("Go faster"), "rename", newName="Go slow"), editor, {NAME: TEXT})
    assert done[NAME] == TEXT.replace("Go faster", "Go slow")
    done = renamed(editor.at(NAME, *place("t.tflops"), "rename", newName="now"), editor, {NAME: TEXT})
    assert done[NAME] == TEXT.replace("is_slow(t:", "is_slow(now:").replace("t.tflops", "now.tflops")


def test_rename_reaches_every_file_of_the_project(editor: Editor) -> None:
    """Files that nobody has opened, those that take a name in on a long way, and not those that have one of their own."""
    schema = "trace_schema { variant TraceItem { case Performance { tflops: float } } }\n"
    texts = {
        NAME: TEXT,
        "specs/domains/tiles.dsl": DOMAIN,
        "specs/other/other.dsl": f'use tiles\n{schema}rule R {{ when: is_small; apply: "Cut." }}\n',
        "specs/third/third.dsl": 'import "../other/other.dsl"\nhint "H" { trigger: "is_small"; suggestion: "Look." }\n',
        "specs/fourth/fourth.dsl": f"{schema}fact is_small(t: TraceItem.Performance) {{ return t.tflops < 2 }}\n",
    }
    for name, text in texts.items():
        (editor.folder / name).parent.mkdir(exist_ok=True)
        (editor.folder / name).write_text(text)
    editor.change(NAME, TEXT)
    done = renamed(editor.at(NAME, *place("is_small"), "rename", newName="tiny"), editor, texts)
    assert done == {name: text.replace("is_small", "tiny") for name, text in texts.items() if "fourth" not in name}
    for name in ("specs/other/other.dsl", "specs/third/third.dsl", "specs/fourth/fourth.dsl"):
        (editor.folder / name).unlink()
    (editor.folder / NAME).unlink()


def test_what_is_called_after_its_file_is_not_renamed(editor: Editor) -> None:
    editor.change(NAME, TEXT)
    position = dict(zip(("line", "character"), place("tiles"), strict=True))
    document = {"uri": editor.uri(NAME)}
    answer = editor.reply("textDocument/rename", textDocument=document, position=position, newName="t")
    assert "SPK910" in answer["error"]["message"]


def test_a_rename_that_would_not_do_is_refused(editor: Editor) -> None:
    for new in ("is_small", "two words", ""):
        position = dict(zip(("line", "character"), place("is_slow"), strict=True))
        answer = editor.reply(
            "textDocument/rename", textDocument={"uri": editor.uri(NAME)}, position=position, newName=new
        )
        assert "SPK910" in answer["error"]["message"]
    assert editor.at(NAME, *place("best"), "prepareRename")["start"]["line"] == place("best")[0]
    assert editor.at(NAME, 1, 0, "prepareRename") is None


def test_outline(editor: Editor) -> None:
    found = editor.request("textDocument/documentSymbol", textDocument={"uri": editor.uri(NAME)})
    names = {(one["name"], one["detail"]) for one in found}
    assert {("is_slow", "fact"), ("Go faster", "rule"), ("climb", "agent_loop"), ("best", "state")} <= names
    loop = next(one for one in found if one["name"] == "climb")
    assert [step["name"] for step in loop["children"]] == ["ask", "act"]
    assert loop["range"]["end"]["line"] == len(LINES) - 2


def test_formatting(editor: Editor) -> None:
    options = {"tabSize": 2, "insertSpaces": True}
    document = {"uri": editor.uri(NAME)}
    editor.change(NAME, TEXT)
    ugly = TEXT.replace("fact is_slow(t:", "fact   is_slow( t:")
    editor.change(NAME, ugly)
    (edit,) = editor.request("textDocument/formatting", textDocument=document, options=options)
    assert edit["newText"].count("fact is_slow(t:") == 1
    editor.change(NAME, edit["newText"])
    assert editor.request("textDocument/formatting", textDocument=document, options=options) == []
    editor.change(NAME, TEXT + "a: *\n")
    assert editor.request("textDocument/formatting", textDocument=document, options=options) == []
    editor.change(NAME, TEXT)


def test_a_kernel_in_markdown(editor: Editor) -> None:
    root = Path(__file__).parent.parent.parent
    text = (root / "specs" / "saxpy" / "SPEC.saxpy.md").read_text()
    name = "specs/saxpy/SPEC.saxpy.md"
    (editor.folder / "specs" / "saxpy").mkdir(exist_ok=True)
    messages = [d["message"] for d in editor.open(name, text) if d["severity"] == 1]
    assert not [m for m in messages if "domain" not in m], messages
    wrong = text.replace("flops:", "flopps:")
    found = [d for d in editor.change(name, wrong) if d["code"] == "SPK201"]
    assert [cut(d["range"], wrong) for d in found] == ["flopps"]
    line = next(n for n, row in enumerate(text.split("\n")) if row.startswith("kernel"))
    editor.change(name, text)
    assert "oracle" in editor.at(name, line, 2, "hover")["contents"]["value"]
    assert editor.at(name, 0, 1, "completion") == []


@pytest.mark.parametrize(
    "text", ["", "\n", "{", '"', "/*", "a: [", "\x00", "\ud83d\ude80 {", "é\r\nfact f {\r", "}" * 50]
)
def test_nothing_that_is_typed_ends_it(editor: Editor, text: str) -> None:
    editor.open("specs/odd.dsl", text)
    for method in ("hover", "definition", "completion", "prepareRename"):
        editor.at("specs/odd.dsl", 0, 5, method)
    editor.request("textDocument/documentSymbol", textDocument={"uri": editor.uri("specs/odd.dsl")})
    editor.notify("textDocument/didClose", textDocument={"uri": editor.uri("specs/odd.dsl")})


def test_units_that_an_editor_prefers(tmp_path: Path) -> None:
    (tmp_path / "dodo.py").write_text("")
    one = Editor(tmp_path, ["utf-32", "utf-16"])
    text = "task t { step a { /* \U0001f680 */ x = bset } }\n"
    (found,) = [d for d in one.open("x.dsl", text) if d["severity"] == 1]
    units = one.server["capabilities"]["positionEncoding"]
    width = {"utf-32": 1, "utf-16": 2}[units]
    assert found["range"]["start"]["character"] == text.index("bset") + width - 1
    assert one.close() == 0
