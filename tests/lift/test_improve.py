"""Improving a program: a new version is tried in a copy of the project, and taken only if nothing is worse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from spak.cli.answer import command as answer_command
from spak.cli.improve import command
from spak.cli.run import command as run_command
from spak.errors import Collector, SpakError, Waiting
from spak.handlers.mailbox import waiting
from spak.lift.proposal import read_proposal
from spak.semantics.program import Program
from spak.semantics.resolve import resolve_text
from spak.traces.folder import ids

FILE = "specs/work/work.dsl"
SOURCE = """trace_schema { variant TraceItem { case Speed { gflops: float } } }
// one step
task Work {
  step measure {
    speed = 2.5
    emit TraceItem.Speed { gflops: speed }
  }
  step tell {
    tool.run { cmd: ["echo", "done"] }
  }
  evaluation {
    check gflops { gflops = speed }
    check errors { errors = 1 }
  }
  success: gflops > 1
}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one run of its program."""
    (tmp_path / "dodo.py").write_text("")
    put(tmp_path, SOURCE)
    monkeypatch.chdir(tmp_path)
    assert spak(run_command, FILE).return_value == 0
    return tmp_path


def put(root: Path, source: str) -> None:
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / FILE).write_text(source)


def spak(command: object, *args: str, stdin: str = "") -> Result:
    result = CliRunner().invoke(command, args, input=stdin, standalone_mode=False)  # type: ignore[arg-type]
    if result.exception is not None:
        raise result.exception
    return result


def answer(source: str) -> None:
    (box,) = waiting(Path.cwd())
    assert spak(answer_command, box.name, "-", stdin=f"```spak\n{source}```\n").return_value == 0


def improved(source: str, *args: str) -> Result:
    """Have the program improved to this text."""
    with pytest.raises(Waiting, match=r"SPK330: improve\.work"):
        spak(command, FILE, "--runs", "1", *args)
    answer(source)
    return spak(command, FILE, "--runs", "1", *args)


def changed(old: str, new: str, source: str = SOURCE) -> str:
    assert old in source
    return source.replace(old, new)


BETTER = changed("speed = 2.5", "speed = 4.5")


def test_a_better_version_is_accepted_and_written_only_with_apply(root: Path) -> None:
    result = improved(BETTER)
    assert result.return_value == 0 and "-    speed = 2.5\n+    speed = 4.5" in result.stdout
    assert "metric gflops  2.5        4.5        better" in result.stdout and "accepted" in result.stdout
    assert (root / FILE).read_text() == SOURCE and len(ids(root)) == 1
    data = json.loads(spak(command, FILE, "--runs", "1", "--json").stdout)
    assert (data["accepted"], data["applied"]) == (True, False)
    again = spak(command, FILE, "--runs", "1", "--apply")
    assert again.return_value == 0 and (root / FILE).read_text() == BETTER
    with pytest.raises(SpakError, match=r"SPK373: none of these runs is of specs/work/work\.dsl as it is now"):
        spak(command, FILE, "--runs", "1")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (changed("speed = 2.5", "speed = 1.5"), "metric gflops 2.5 1.5 worse"),
        (changed("speed = 2.5", "speed = 0.5"), "success true false fails"),
        (changed('["echo", "done"]', '["echo", "done"]  cwd: "nowhere"'), "step tell done failed fails"),
    ],
)
def test_a_worse_version_is_refused_with_the_comparison_and_never_written(root: Path, source: str, line: str) -> None:
    args = ("--apply",)
    if "nowhere" in source:
        with pytest.raises(Waiting, match="SPK380"):
            improved(source, *args)
        digest = _digest(source)
        args = ("--apply", "--approve", digest)
        result = spak(command, FILE, "--runs", "1", *args)
    else:
        result = improved(source, *args)
    assert result.return_value == 1 and "refused" in result.stdout
    assert line.split() in [one.split() for one in result.stdout.splitlines()], result.stdout
    assert (root / FILE).read_text() == SOURCE


def _digest(source: str) -> str:
    from spak.digest import sha256_bytes

    return sha256_bytes(source.encode()).removeprefix("sha256:")


@pytest.mark.parametrize(
    ("source", "needle"),
    [
        (SOURCE, "SPK374: the reply is the file as it is"),
        (changed("speed = 2.5", "speed = "), "specs/work/work.dsl:"),
        (changed("gflops: speed", "tflops: speed"), "specs/work/work.dsl:6:"),
        (changed("check errors { errors = 1 }", ""), "SPK375: the evaluation of Work is another"),
        (changed("success: gflops > 1", "success: true"), "SPK375: the evaluation of Work is another"),
        (changed("gflops = speed", "gflops = 99"), "SPK375: the evaluation of Work is another"),
        (changed("task Work", "task Other"), "SPK375: task Work is gone"),
        (SOURCE + "contract { shell: true }\n", "SPK375: the contract is another"),
    ],
)
def test_what_is_no_version_of_the_program_is_sent_back(root: Path, source: str, needle: str) -> None:
    with pytest.raises(Waiting, match=r"\(attempt 2\)"):
        improved(source)
    (box,) = waiting(root)
    asked = box.request()
    assert asked is not None and needle in asked.messages[-1].content, asked
    assert not (root / ".spak/improve").exists()


def test_new_commands_are_not_executed_before_somebody_has_read_them(root: Path) -> None:
    source = changed('tool.run { cmd: ["echo", "done"] }', 'tool.run { cmd: ["touch", "was_here"] }')
    with pytest.raises(Waiting, match=r"(?s)SPK380.*new     cmd: \[touch, was_here\]"):
        improved(source)
    with pytest.raises(Waiting, match="SPK380"):
        spak(command, FILE, "--runs", "1", "--approve", _digest("another"))
    assert not (root / ".spak/improve").exists()
    result = spak(command, FILE, "--runs", "1", "--approve", _digest(source)[:16])
    assert result.return_value == 0 and not (root / "was_here").exists()
    assert spak(command, FILE, "--runs", "1").return_value == 0, "the approval is kept"


def test_a_value_that_reaches_a_command_needs_consent_as_the_command_does(root: Path) -> None:
    source = changed('["echo", "done"]', '["echo", word]').replace("speed = 2.5", 'speed = 2.5\n    word = "done"')
    put(root, source)
    spak(run_command, FILE)
    with pytest.raises(Waiting):
        spak(command, FILE, "--runs", "2")
    answer(source.replace('word = "done"', 'word = "other"'))
    with pytest.raises(Waiting, match=r"(?s)SPK380.*new     other"):
        spak(command, FILE, "--runs", "2")


@pytest.mark.parametrize(
    ("command_", "before", "old", "new", "said"),
    [
        ('["sh", script]', 'state script: string = "a.sh"', "a.sh", "b.sh", "script: at first 'b.sh'"),
        ('["sh", script]', 'script = tool.read { path: "a.sh" }', "a.sh", "b.sh", "script: tool.read: path: b.sh"),
        ('["sh", script]', 'other = "a.sh"\n script = other', "a.sh", "b.sh", "b.sh"),
        ('["sh", "{{axiom.1}}"]', 'axiom: "a.sh"', "a.sh", "b.sh", "axiom: 1. b.sh"),
        ('["sh", "{{recommended.script}}"]', 'hint h { recommend: "script = a" }', "= a", "= b", "value='b'"),
        ('["sh", script]', 'script = llm.query { prompt: "?" }', 'llm.query { prompt: "?" }', '"b.sh"', "b.sh"),
        ('["sh", "{{trace.Case.script}}"]', 'emit Case { script: "a.sh" }', "a.sh", "b.sh", "trace: script: b.sh"),
        ('["true"]', 'artifact "out.md" { input: metrics }', "out.md", "other.md", "artifact other.md: of metrics"),
        ('["true"]', 'artifact "out.md" { input: metrics }', "metrics", "facts", "artifact out.md: of facts"),
    ],
)
def test_whatever_reaches_a_command_is_an_act(
    tmp_path: Path, command_: str, before: str, old: str, new: str, said: str
) -> None:
    top = before.startswith(("state", "axiom", "hint", "artifact"))
    wrap = {"state": "model {{ {} }}", "axiom": "system_model S {{ {} }}", "artifact": "build {{ {} }}"}
    head = wrap.get(before.split()[0].rstrip(":"), "{}").format(before) if top else ""
    schema = "trace_schema { variant I { case Case { script: string } } }"
    text = f"{schema}\n{head}\ntask T {{ step s {{ {'' if top else before}\n tool.run {{ cmd: {command_} }} }} }}\n"

    def program(text: str) -> Program:
        found = Collector()
        made = resolve_text(text, "t.dsl", found, tmp_path)
        found.raise_if_any()
        return made

    acts = read_proposal(text.replace(old, new), "t.dsl", text, program(text), tmp_path).acts
    assert any(said in one for one in acts), acts
    asked = text.replace('prompt: "?"', 'prompt: "How?"') + "\n// no act\n"
    assert read_proposal(asked, "t.dsl", text, program(text), tmp_path).acts == ()


ASKING = """task Ask {
  step think { llm.query { prompt: "Think."  output_var: thought } }
  step say { llm.query { prompt: "Say it: {{thought}}"  output_var: said } }
  evaluation { check long { long = len(said) } }
}
"""


def test_answers_on_record_are_used_where_the_prompt_is_the_same_and_else_it_waits(root: Path) -> None:
    answers = root / "answers"
    answers.mkdir()
    (answers / "think.1.md").write_text("deep")
    (answers / "say.1.md").write_text("words")
    put(root, ASKING)
    spak(run_command, FILE, "--answers", "answers")
    source = ASKING.replace("Say it:", "Say it well:")
    with pytest.raises(Waiting):
        spak(command, FILE, "--runs", "2")
    answer(source)
    with pytest.raises(Waiting, match=r"(?s)SPK376.*at step say.*answer  write it to (\S+),") as raised:
        spak(command, FILE, "--runs", "2")
    (place,) = [line.split()[4].rstrip(",") for line in str(raised.value).splitlines() if "answer  write it" in line]
    with pytest.raises(Waiting, match="SPK376"):
        spak(command, FILE, "--runs", "2")
    prompt = (root / place).with_name("prompt.md").read_text()
    assert "Say it well: deep" in prompt
    (root / place).write_text("better words")
    result = spak(command, FILE, "--runs", "2")
    assert result.return_value == 0 and "metric long" in result.stdout and "better" in result.stdout
    assert not (root / place).exists(), "the copy is gone when it has served"


def test_several_runs_are_their_own_noise(root: Path) -> None:
    from spak.lift.comparing import Outcome, compare, table

    runs = [
        Outcome("a", "succeeded", True, {"s": "done"}, {"I": True}, {"score": value, "ok": True})
        for value in (0.8, 0.9)
    ]

    def verdict(**metrics: object) -> dict[str, str]:
        after = Outcome("b", "succeeded", True, {"s": "done"}, {"I": True}, {"ok": True, **metrics})
        return {row.name: row.verdict for row in compare(runs, after)}

    assert [verdict(score=value)["score"] for value in (0.79, 0.8, 0.85, 0.9, 0.91)] == [
        "worse", "same", "same", "same", "better",
    ]  # fmt: skip
    assert (
        verdict()["score"] == "gone"
        and verdict(score=None)["score"] == "gone"
        and verdict(score="high")["score"] == "worse"
    )
    assert verdict(score=1, ok=False)["ok"] == "fails" and verdict(score=1, extra=2)["extra"] == "new"
    broken = compare(runs, Outcome("b", "failed", None, {"s": "failed"}, {"I": None}, {"score": 1, "ok": True}))
    assert [row.name for row in broken if row.refuses] == ["", "", "I", "s"]
    assert all(len(line) < 200 for line in table(compare(runs, Outcome("b", metrics={"score": "x\n" * 999}))))


def test_no_run_to_compare_with(root: Path) -> None:
    with pytest.raises(SpakError, match="SPK923"):
        spak(command, FILE, "--runs", "9")
    put(root, SOURCE + "\n")
    with pytest.raises(SpakError, match="SPK373"):
        spak(command, FILE, "--runs", "1")
    assert waiting(root) == []


def test_a_file_that_changed_meanwhile_is_not_written(root: Path) -> None:
    improved(BETTER)
    original = Path.read_text
    seen = []

    def read_text(path: Path, *args: object, **more: object) -> str:
        text = original(path, *args, **more)  # type: ignore[arg-type]
        if path.name == "work.dsl" and path.parent == root / "specs/work":
            seen.append(path)
            if len(seen) > 1:
                return text + "// edited\n"
        return text

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_text", read_text)
        with pytest.raises(SpakError, match="SPK379"):
            spak(command, FILE, "--runs", "1", "--apply")
    assert (root / FILE).read_text() == SOURCE


WAITS = """task Work {
  step first { one = 1 }
  step wait { tool.run { cmd: ["python", "wait.py"] } }
  evaluation { check speed { speed_now = one } }
}
"""
WAITER = """import pathlib, time
pathlib.Path("started").touch()
while pathlib.Path("wait").exists():
    time.sleep(0.005)
"""


def test_a_kill_while_it_is_tried_leaves_what_the_same_command_goes_on_from(root: Path) -> None:
    (root / "wait.py").write_text(WAITER)
    put(root, WAITS)
    spak(run_command, FILE)
    (root / "started").unlink()
    with pytest.raises(Waiting):
        spak(command, FILE, "--runs", "2")
    answer(WAITS.replace("one = 1", "one = 2"))
    (root / "wait").touch()
    argv = [sys.executable, "-c", "from spak.cli import main; main()", "improve", FILE, "--runs", "2"]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (found := list(root.glob(".spak/improve/*/tree/started"))):
        assert child.poll() is None
    child.kill()
    child.wait()
    tree = found[0].parent
    (tree / "wait").unlink()
    (tree / "started").unlink()
    (tree.parent / "tree.1.part").mkdir()
    (tree / ".spak/runs/0007-dead").mkdir()  # a run that was killed while its folder was made
    result = spak(command, FILE, "--runs", "2")
    assert result.return_value == 0 and "better" in result.stdout
    assert [path.name for path in tree.parent.iterdir()] == ["trace.jsonl"] and not (root / "started").exists()
