"""`tool.run`: arguments, folder, variables, input, limits, and what comes back."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from spak.agents.tools import Result
from spak.errors import SpakError
from spak.semantics.program import Contract

from tests.agents.toolcalls import do, perform, plan, policy

ARGV = "import json, sys; print(json.dumps(sys.argv[1:]))"


def argv_of(result: Result) -> list[str]:
    assert result.ok, result
    return list(json.loads(result.stdout))


def code_of(error: pytest.ExceptionInfo[SpakError]) -> str:
    """The code of an error that has all that an error has."""
    (one,) = error.value.diagnostics
    assert one.hint
    assert one.span and one.span.file == "t.dsl" and one.span.line >= 3
    return one.code


def test_a_list_is_arguments(tmp_path: Path) -> None:
    text = 'tool.run { cmd: [program, "-c", code, who, "{{who}}!", n, true, 0.5] }'
    under = policy(tmp_path, Contract(programs=(sys.executable,)))
    result = do(tmp_path, text, under, program=sys.executable, code=ARGV, who="a b", n=3)
    assert argv_of(result) == ["a b", "a b!", "3", "true", "0.5"]


def test_a_text_is_split_before_its_holes_are_filled(tmp_path: Path) -> None:
    text = "tool.run { cmd: \"python -c '%s' {{ a }} --b={{b}} 'c {{a}}' \\\"{{b}} d\\\" {{e}}\" }"
    result = do(tmp_path, text.replace("%s", ARGV), a="1 2'3", b='"$(x)', e="")
    assert argv_of(result) == ["1 2'3", '--b="$(x)', "c 1 2'3", '"$(x) d', ""]


def test_long_commands_may_be_continued(tmp_path: Path) -> None:
    result = do(tmp_path, f'tool.run {{ cmd: """\n  python -c \'{ARGV}\' \\\n    a   b\n""" }}')
    assert argv_of(result) == ["a", "b"]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("3\n", 3), (" 3.5e2 \n", 350.0), ("-0\n", 0), ("true\n", True), ("True\n", "True"), ("a\nb\n\n", "a\nb\n"), ("", ""),
        ("007\n", "007"), ("1e999\n", "1e999"), ("1 2\n", "1 2"), ("nan\n", "nan"), ("9" * 400, "9" * 400), ("x\r\n", "x"),
    ],
)  # fmt: skip
def test_the_value_is_a_number_if_that_is_all_that_is_said(tmp_path: Path, said: str, value: object) -> None:
    result = do(tmp_path, 'tool.run { cmd: ["cat"] stdin: said }', said=said)
    assert (result.value, type(result.value)) == (value, type(value))
    assert result.stdout == said


def test_the_exit_code_and_both_outputs_are_kept(tmp_path: Path) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    result = do(tmp_path, 'tool.run { cmd: ["python", "-c", code] }', code=code)
    assert (result.ok, result.exit_code, result.stdout, result.stderr) == (False, 7, "out\n", "err\n")
    assert result.why == "exit status 7"
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_a_signal_is_said(tmp_path: Path) -> None:
    result = do(tmp_path, 'tool.run { cmd: ["python", "-c", "import os; os.kill(os.getpid(), 9)"] }')
    assert (result.ok, result.exit_code, result.why) == (False, -9, "signal SIGKILL")


def test_allow_failure_is_said_by_the_plan(tmp_path: Path) -> None:
    assert plan(tmp_path, 'tool.run { cmd: ["false"] allow_failure: true }').allow_failure
    assert not plan(tmp_path, 'tool.run { cmd: ["false"] }').allow_failure


def test_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert do(tmp_path, 'tool.run { cmd: ["pwd", "-P"] cwd: "a/b" }').value == str((tmp_path / "a/b").resolve())
    assert do(tmp_path, 'tool.run { cmd: ["pwd", "-P"] }').value == str(tmp_path.resolve())


def test_lines_that_are_traces(tmp_path: Path) -> None:
    said = '__SPAK_TRACE__ {"a": 1}\nx __SPAK_TRACE__\n__SPAK_TRACE__ {}\n'
    assert do(tmp_path, 'tool.run { cmd: ["cat"] stdin: said }', said=said).lines == (
        '__SPAK_TRACE__ {"a": 1}', "__SPAK_TRACE__ {}",
    )  # fmt: skip


def test_input_is_text_or_the_json_of_a_value(tmp_path: Path) -> None:
    assert do(tmp_path, 'tool.run { cmd: ["cat"] stdin: xs }', xs=[1, {"a": "ü"}]).stdout == '[1, {"a": "ü"}]'
    assert do(tmp_path, 'tool.run { cmd: ["cat"] }').stdout == ""


def test_output_that_is_no_text_is_kept_and_said(tmp_path: Path) -> None:
    result = do(tmp_path, 'tool.run { cmd: ["printf", "a\\\\377b"] }')
    assert (result.ok, result.stdout) == (True, "a\\xffb")
    (warning,) = result.diagnostics
    assert (warning.code, warning.severity) == ("SPK954", "warning")


def test_the_digest_covers_everything_but_the_place(tmp_path: Path) -> None:
    first = plan(tmp_path, 'tool.run { cmd: ["a", x] }', x="1")
    assert first.digest == plan(tmp_path / "elsewhere", '\n\n tool.run { cmd: ["a", x] }', x="1").digest
    others = [
        'tool.run { cmd: ["a", x, "2"] }', 'tool.run { cmd: ["a", x] cwd: "b" }', 'tool.run { cmd: ["a", x] env: {A: "1"} }',
        'tool.run { cmd: ["a", x] stdin: "i" }', 'tool.run { cmd: ["a", x] timeout: 3 }',
        'tool.run { cmd: ["a", x] output_limit: 3 }',
        'tool.run { cmd: "a {{x}}" shell: true }',
    ]  # fmt: skip
    digests = {plan(tmp_path, text, x="1").digest for text in others} | {first.digest}
    assert len(digests) == len(others) + 1
    assert str(tmp_path) not in json.dumps(first.data)


@pytest.mark.parametrize(
    ("text", "code", "values"),
    [
        ('tool.run { cmd: "a | b" }', "SPK943", {}),
        ('tool.run { cmd: "a && b" }', "SPK943", {}),
        ('tool.run { cmd: "a > b" }', "SPK943", {}),
        ('tool.run { cmd: "a $HOME" }', "SPK943", {}),
        ('tool.run { cmd: "a \'$x\' \\"$x\\"" }', "SPK943", {}),
        ('tool.run { cmd: "a `b`" }', "SPK943", {}),
        ('tool.run { cmd: "rm *.o" }', "SPK943", {}),
        ('tool.run { cmd: """a\n b""" }', "SPK943", {}),
        ('tool.run { cmd: "a \'b" }', "SPK943", {}),
        ('tool.run { cmd: "" }', "SPK943", {}),
        ('tool.run { cmd: ["a"] shell: true }', "SPK943", {}),
        ('tool.run { cmd: ["a", xs] }', "SPK941", {"xs": ["b"]}),
        ('tool.run { cmd: ["a"] timeout: n }', "SPK941", {"n": 0}),
        ('tool.run { cmd: ["a"] timeout: n }', "SPK941", {"n": "3"}),
        ('tool.run { cmd: ["a"] output_limit: n }', "SPK941", {"n": 1 << 40}),
        ('tool.run { cmd: ["a"] env: m }', "SPK941", {"m": {"A=B": "1"}}),
        ('tool.run { cmd: ["a", 1 / n] }', "SPK941", {"n": 0}),
        ('tool.run { cmd: ["a"] cwd: d }', "SPK941", {"d": 3}),
    ],
)
def test_refused_before_anything_happens(tmp_path: Path, text: str, code: str, values: dict[str, object]) -> None:
    with pytest.raises(SpakError) as error:
        plan(tmp_path, text, **values)
    assert code_of(error) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('tool.run { cmd: ["no-such-program-here"] }', "SPK950"),
        ('tool.run { cmd: ["./text"] }', "SPK950"),
        ('tool.run { cmd: ["./script"] }', "SPK950"),
        ('tool.run { cmd: ["true"] cwd: "missing" }', "SPK958"),
        ('tool.run { cmd: ["true"] cwd: "text" }', "SPK958"),
    ],
)
def test_what_cannot_be_started(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "script").write_text("no program")
    (tmp_path / "script").chmod(0o755)
    with pytest.raises(SpakError) as error:
        do(tmp_path, text)
    assert code_of(error) == code


def test_arguments_that_are_too_long(tmp_path: Path) -> None:
    with pytest.raises(SpakError) as error:
        do(tmp_path, 'tool.run { cmd: ["echo", x] }', x="a" * 3_000_000)
    assert code_of(error) == "SPK950"
    assert "stdin" in str(error.value)


def test_python_is_the_one_that_runs_us(tmp_path: Path) -> None:
    result = do(tmp_path, 'tool.run { cmd: ["python", "-c", "import sys; print(sys.prefix)"] }')
    assert result.value == sys.prefix


def test_a_time_out_ends_the_command(tmp_path: Path) -> None:
    began = time.monotonic()
    result = do(tmp_path, 'tool.run { cmd: ["sleep", "600"] timeout: 0.2 }')
    assert time.monotonic() - began < 300
    assert not result.ok
    assert result.why == "timed out after 0.2 seconds"
    assert [one.code for one in result.diagnostics] == ["SPK952"]


def test_one_line_for_people(tmp_path: Path) -> None:
    planned = plan(tmp_path, 'tool.run { cmd: ["echo", x] cwd: "a" }', x="b\n\x1b[2Jc\u202e")
    assert planned.text == "$ echo 'b\\n\\x1b[2Jc\\u202e'  (in a)"


def test_nothing_happens_in_a_plan(tmp_path: Path) -> None:
    plan(tmp_path, 'tool.run { cmd: ["touch", "made"] }')
    assert not list(tmp_path.iterdir())
    assert perform(tmp_path, plan(tmp_path, 'tool.run { cmd: ["touch", "made"] }')).ok
    assert (tmp_path / "made").exists()
