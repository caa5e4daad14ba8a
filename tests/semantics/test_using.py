"""What a program takes in: domains and files, once each, never in a circle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spak.errors import Collector, SpakError
from spak.semantics.resolve import load_program

SCHEMA = "trace_schema { variant T { case P { gflops: float } } }\n"
LAWS = """domain laws {
  axiom: "Measure."
  fact slow(t: T.P) { return t.gflops < 1 }
  rule R { when: slow; apply: "A." }
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Any:
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dsl", ".dsl")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_a_domain_comes_with_its_name(project: Any) -> None:
    root = project(main_dsl='use laws\naxiom: "Own."\n' + SCHEMA, specs__domains__laws_dsl=LAWS)
    program = load_program(root, "main.dsl")
    assert program.files == ("main.dsl", "specs/domains/laws.dsl")
    assert (program.facts["slow"].domain, program.rules[0].domain) == ("laws", "laws")
    assert [(one.text, one.number) for one in program.sentences] == [("Own.", 1), ("Measure.", 2)]


def test_a_domain_is_checked_with_the_schema_of_its_user(project: Any) -> None:
    root = project(
        main_dsl="use laws\n" + SCHEMA.replace("gflops: float", "gflops: string"), specs__domains__laws_dsl=LAWS
    )
    with pytest.raises(SpakError, match=r"specs/domains/laws.dsl:3:\d+: SPK235: `t.gflops` is a string"):
        load_program(root, "main.dsl")
    assert not Collector().found
    assert load_program(root, "specs/domains/laws.dsl").facts["slow"].params == (("t", "T.P"),)


def test_a_file_is_read_once(project: Any) -> None:
    root = project(
        main_dsl='use a\nuse b\nimport "specs/domains/laws.dsl"\n' + SCHEMA,
        specs__domains__a_dsl="use laws\ndomain a { }\n",
        specs__domains__b_dsl="use laws\ndomain b { }\n",
        specs__domains__laws_dsl=LAWS,
    )
    program = load_program(root, "main.dsl")
    assert program.files == ("main.dsl", "specs/domains/a.dsl", "specs/domains/laws.dsl", "specs/domains/b.dsl")
    assert len(program.rules) == 1


def test_loops_and_effects_are_imported_and_tasks_are_not(project: Any) -> None:
    root = project(
        main_dsl='import "lib/more.dsl"\ntask A { step s { tool.engineering_loop { name: L } perform E.go() } }\n',
        lib__more_dsl='task B { step s { return } }\nservice_loop S { on e() { emit x } }\neffect E { operation go() -> Unit }\n'
        'engineering_loop L { parameter A: [1, 2]\n measure { cmd: "x"; metric: seconds } }\nbuild { artifact "x" }\n',
    )  # fmt: skip
    program = load_program(root, "main.dsl")
    assert (list(program.procedures), list(program.services), list(program.loops)) == (["A"], [], ["L"])
    assert not program.deliverables


def test_a_circle_is_shown_whole(project: Any) -> None:
    root = project(main_dsl='import "b.dsl"\n', b_dsl='import "c.dsl"\n', c_dsl='import "main.dsl"\n')
    with pytest.raises(SpakError) as caught:
        load_program(root, "main.dsl")
    (only,) = caught.value.diagnostics
    assert str(only).startswith("c.dsl:1:1: SPK209: a cycle of import: b.dsl -> c.dsl -> main.dsl -> b.dsl.")


def test_syntax_errors_of_other_files_are_theirs(project: Any) -> None:
    root = project(main_dsl="use laws\n" + SCHEMA, specs__domains__laws_dsl=LAWS.replace("< 1 }", "< }"))
    found = Collector()
    load_program(root, "main.dsl", found)
    assert {d.span.file for d in found.errors if d.span} == {"specs/domains/laws.dsl"}


def test_the_targets_of_the_project_have_constants(project: Any) -> None:
    text = SCHEMA + "fact f(t: T.P) { return t.gflops > MY_PEAK }\n"
    root = project(main_dsl=text)
    with pytest.raises(SpakError, match="'MY_PEAK' is not defined"):
        load_program(root, "main.dsl")
    (root / "targets").mkdir()
    (root / "targets" / "own.toml").write_text("[constants]\nMY_PEAK = 3\n")
    assert load_program(root, "main.dsl").facts["f"].body is not None
