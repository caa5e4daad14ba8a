"""The command line: exit codes, flags, output for people and for programs."""

from __future__ import annotations

import json

import pytest

from tests.agents.runs import Project

GREET = """
task Greet(name: string) {
  step compose { text = llm.query { prompt: "Greet {{name}}." } }
  step keep { tool.write { path: "greeting.txt", content: "{{text}}" } }
  evaluation { check length: len(text) }
  success: length > 3
}
"""


def test_a_task_from_start_to_end_in_fresh_processes(project: Project) -> None:
    project.write(GREET, "specs/greet/greet.dsl")
    told = project.spak("run", "specs/greet/greet.dsl", "--arg", "name=Ada", "--trace-json", "trace.json")
    assert told.returncode == 3
    assert "SPK922" in told.stderr and told.stdout == ""
    (project.root / "reply.md").write_text("Hello, Ada!")
    told = project.spak("step", "--resume", "--answer", "reply.md")
    assert (told.returncode, told.stdout) == (0, f"run {project.folder.id} succeeded\n  length = 11\n")
    assert (project.root / "greeting.txt").read_text() == "Hello, Ada!"
    kinds = [one["type"] for one in json.loads((project.root / "trace.json").read_text())]
    assert kinds == ["start", "prompt", "response", "step", "tool", "step", "state", "step", "metric", "end"]
    shown = project.spak("trace", "1", "--kind", "step", "--step", "keep", "--json")
    assert [json.loads(line)["step"] for line in shown.stdout.splitlines()] == ["keep"]
    assert "the same byte for byte" in project.spak("trace", project.folder.id, "replay").stdout
    assert json.loads(project.spak("trace", "replay", "--json").stdout)["same"] is True


def test_answers_come_from_standard_input(project: Project) -> None:
    project.write(GREET)
    assert project.spak("run", "t.dsl", "--arg", "name=Ada").returncode == 3
    assert project.spak("step", "--resume", "1", "--answer", "-", stdin="No.").returncode == 1, "success is false"


def test_json_says_how_it_ended(project: Project) -> None:
    project.write('task T { step s { tool.run { cmd: "false" } } }')
    told = project.spak("run", "t.dsl", "--json")
    data = json.loads(told.stdout)
    assert told.returncode == 1
    assert (data["status"], data["steps"]["failed"], data["why"][0]["code"]) == ("failed", 1, "SPK930")


def test_json_says_that_it_waits_or_stops(project: Project) -> None:
    project.write(GREET)
    told = project.spak("run", "t.dsl", "--arg", "name=Ada", "--json")
    data = json.loads(told.stdout)
    assert (told.returncode, data["status"], data["run"]) == (3, "waiting", project.folder.id)
    assert data["why"][0]["code"] == "SPK922"
    told = project.spak("step", "--answer", "-", "--json", stdin=" ")
    data = json.loads(told.stdout)
    assert (told.returncode, data["status"], data["why"][0]["code"]) == (1, "stopped", "SPK928")
    assert f"spak step --resume {project.folder.id}" in told.stderr


def test_a_dry_run_performs_nothing(project: Project) -> None:
    project.write("""
        model { state level: int = 2 }
        task T(name: string) {
          step one { text = tool.run { cmd: "cat {{name}}" }
            n = len(text)
            if level > 1 { tool.write { path: "{{name}}.out", content: text } } else { tool.run { cmd: "false" } }
            if n > 3 { level = 3 } }
          step two { a = llm.query { prompt: "About {{text}} at {{level}}?" }
            loop 5 { level = level + 1 } }
          step three { tool.write { path: "../out.txt", content: "x" } }
          step four { description: "Look." }
        }""")
    told = project.spak("run", "t.dsl", "--dry-run", "--arg", "name=notes")
    assert told.returncode == 0
    assert told.stdout.splitlines() == [
        "step one",
        "  $ cat notes",
        "  n = len(text)",
        "  if level > 1",
        "    tool.write { path: notes.out, content: text }",
        "  if n > 3",
        "    level = 3",
        "step two",
        "  llm.query: About {{text}} at {{level}}?",
        "  loop, at most 5 times",
        "    level = level + 1",
        "step three",
        next(
            line
            for line in told.stdout.splitlines()
            if line.startswith("  tool.write { path: ../out.txt, content: x }  (refused: ")
        ),
        "step four  (by hand)",
    ]
    assert sorted(path.name for path in project.root.iterdir()) == ["dodo.py", "t.dsl"]


def test_a_dry_run_for_programs(project: Project) -> None:
    project.write('task T { step s { tool.run { cmd: "date" } } }')
    assert json.loads(project.spak("run", "t.dsl", "--dry-run", "--json").stdout) == {"would": ["step s", "  $ date"]}


def test_words_that_no_file_of_a_run_could_hold(project: Project) -> None:
    project.write("task T(x: float = 1) { step s { y = x } }")
    for word in ("--arg=x=NaN", "--arg=x=1e999", "--arg=x=\udcff", "--event=\udcff", "--event=add", "--program=\udcff"):
        told = project.spak("run", "t.dsl", word)
        assert (told.returncode, "SPK921" in told.stderr) == (1, True), told.stderr
    assert not (project.root / ".spak/runs").exists()


@pytest.mark.parametrize("flag", ["--answers=nowhere", "--answers=t.dsl", "--root=nowhere", "--trace-json=."])
def test_folders_that_are_not_there(project: Project, flag: str) -> None:
    project.write("task T { step s { y = 1 } }")
    assert project.spak("run", "t.dsl", flag).returncode == 2
    assert not (project.root / ".spak/runs").exists()


def test_a_run_that_was_killed_before_it_started_is_not_the_one_to_go_on_with(project: Project) -> None:
    project.write(GREET)
    assert project.spak("run", "t.dsl", "--arg", "name=Ada").returncode == 3
    (project.root / ".spak/runs/0002-dead").mkdir()
    assert project.spak("step", "--answer", "-", stdin="Hello.").returncode == 0


def test_a_replay_that_differs_says_so_to_programs(project: Project) -> None:
    project.run('task T { step s { n = "one" } }')
    trace = project.folder.trace
    trace.write_text(trace.read_text().replace('"one"', '"two"'))
    told = project.spak("trace", "replay", "--json")
    data = json.loads(told.stdout)
    assert (told.returncode, data["same"], data["why"][0]["code"]) == (1, False, "SPK926")


def test_two_runs_are_compared(project: Project) -> None:
    project.write("task T(n: int) { step s { m = n * 2 } }")
    for n in ("1", "1", "2"):
        project.run(args={"n": n})
    assert project.spak("trace", "1", "diff", "2").returncode == 0
    told = project.spak("trace", "diff", "1", "3")
    assert (told.returncode, "data.value: 2 -> 4" in told.stdout) == (1, True)


def test_a_folder_without_a_project_will_do(project: Project) -> None:
    (project.root / "dodo.py").unlink()
    project.write("task T { step s { n = 1 } }")
    assert project.spak("run", "t.dsl").returncode == 0
    assert project.spak("trace").returncode == 0


def test_wrong_usage(project: Project) -> None:
    assert project.spak("step").returncode == 2
    assert project.spak("trace", "1", "diff").returncode == 2
    assert project.spak("run", "none.dsl").returncode == 1
