"""Runs that are cut off: killed at random, torn at every byte, resumed twice at once, under clocks that jump."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from spak.agents import journal
from spak.agents.journal import Halt
from spak.errors import SpakError, Waiting
from spak.pipeline.measuring.services import Services
from spak.pipeline.runs.running import proceed, replay
from spak.pipeline.runs.starting import Order, start
from spak.traces.folder import RunFolder, find_run, ids
from spak.traces.reading import read_events

from tests.agents.runs import Project, plain, waiting

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # children only execute a run

WORK = """
model { state total: int = 0 }
trace_schema { variant I { case Count { n: int } } }
fact many(t: I.Count) { return t.n >= 2 }
rule "Enough" { when: many  apply: "Stop soon." }
agent_loop L {
  repeat: 3
  step count {
    total = total + 1
    tool.run { cmd: ["sh", "tick.sh", "count.{{total}}"] }
  }
  step ask {
    word = llm.query { prompt: "A word for {{total}}?" schema: int }
    tool.run { cmd: ["sh", "tick.sh", "ask.{{total}}"] }
  }
  step keep {
    times = 0
    loop 3 {
      times = times + 1
      tool.run { cmd: ["sh", "tick.sh", "keep.{{total}}.{{times}}"] }
      if times == 2 { break }
    }
    tool.write { path: "out/{{total}}.txt", content: "{{word}}" }
  }
}
"""
TICK = """echo "$1" >> counted
sleep 0.01
echo '__SPAK_TRACE__ {"type": "Count", "n": 2}'
"""
LABELS = [label for n in (1, 2, 3) for label in (f"count.{n}", f"ask.{n}", f"keep.{n}.1", f"keep.{n}.2")]


def prepared(project: Project) -> RunFolder:
    """A run that has been started, and not executed."""
    project.write(WORK)
    project.write(TICK, "tick.sh")
    for number in range(1, 6):
        project.write(str(number), f"answers/ask.{number}.md")
    project.write("no number", "answers/ask.2.md")  # asked again
    return start(project.root, Order("t.dsl", answers="answers"), Services(project.root))


def forked(folder: RunFolder) -> int:
    """Execute a run in a process of its own; its PID."""
    pid = os.fork()
    if pid:
        return pid
    try:
        proceed(folder, lambda _: None)
    finally:
        os._exit(0)


def counted(project: Project) -> list[str]:
    path = project.root / "counted"
    return path.read_text().split() if path.exists() else []


def test_thirty_random_kills_end_in_the_same_trace_and_nothing_finished_runs_twice(project: Project) -> None:
    reference = prepared(project)
    assert proceed(reference, lambda _: None).verdict.succeeded
    wanted = plain(read_events(reference.trace))
    assert counted(project) == LABELS

    chance, cut = random.Random(3), set[int]()
    for _ in range(20):  # one, but where a run came to its end while the machine kept its killer waiting
        cut |= killed_thirty_times(project, chance, wanted)
        if len(cut) > 8:
            break
    assert len(cut) > 8, "the kills hit different places"


def killed_thirty_times(project: Project, chance: random.Random, wanted: list[bytes]) -> set[int]:
    """Execute a run that is killed and gone on with; after how many events it was killed."""
    folder = start(project.root, Order("t.dsl", answers="answers"), Services(project.root))
    (project.root / "counted").unlink()
    cut, finished = set[int](), dict[str, int]()
    for _ in range(30):
        pid = forked(folder)
        grown(folder, chance.randint(0, 2), pid)
        time.sleep(chance.uniform(0, 0.012))  # a tool works for 10 ms: the kill lands anywhere
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        events = read_events(folder.trace)
        cut.add(len(events))
        assert plain(events) == wanted[: len(events)]
        for label in labels(events):
            finished.setdefault(label, counted(project).count(label))
    assert finished, "some of it was finished before the last kill"
    assert proceed(folder, lambda _: None).verdict.succeeded
    assert plain(read_events(folder.trace)) == wanted
    assert {label: counted(project).count(label) for label in finished} == finished, "what was finished ran again"
    assert sorted(set(counted(project))) == sorted(LABELS)
    assert replay(folder) == (len(wanted), "")
    return cut


def grown(folder: RunFolder, by: int, pid: int) -> None:
    """Return when the trace has that many more events, or the run has ended."""
    events = len(read_events(folder.trace)) + by
    while len(read_events(folder.trace)) < events:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return


SEARCH = """
trace_schema { variant I { case Trial { x: int, score: float } } }
engineering_loop Tune {
  parameter x: [1, 2, 3, 4]
  search: cartesian
  measure { cmd: "sh measure.sh {{x}}" metric: score objective: maximize emits: Trial timeout: 30 }
}
agent_loop L {
  step tune { found = tool.engineering_loop { name: Tune }
    best = found.best.params.x }
}
build { artifact "made.txt" { generator: "sh make.sh" input: trace.all } }
"""
#: Works at once, but for the first time at what it is told to be slow at.
SLOW = """echo "$1" >> counted
if [ "$1" = "$(cat slow)" ]; then rm slow; sleep 30; fi
"""


@pytest.mark.parametrize(("slow", "trials", "ended"), [("3", [1, 2], False), ("made", [1, 2, 3, 4], True)])
def test_a_kill_in_a_search_and_in_a_deliverable(project: Project, slow: str, trials: list[int], ended: bool) -> None:
    project.write(SEARCH)
    project.write(SLOW + 'echo "{\\"score\\": $1}"', "measure.sh")
    project.write(SLOW.replace("$1", "made") + "wc -l", "make.sh")
    project.write(slow, "slow")
    folder = start(project.root, Order("t.dsl", "L"), Services(project.root))
    pid = forked(folder)
    while (project.root / "slow").exists():
        assert not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), "it ended before its kill"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    events = read_events(folder.trace)
    assert [one.data["params"]["x"] for one in events if one.kind == "trial"] == trials
    assert (events[-1].kind == "end") is ended and not (project.root / "made.txt").exists()
    assert proceed(folder, lambda _: None).verdict.succeeded
    assert [one["params"]["x"] for one in project.data("trial")] == [1, 2, 3, 4]
    assert project.data("set")[-1]["value"] == 4
    assert counted(project) == ["1", "2", "3", *(["3", "4", "made"] if slow == "3" else ["4", "made", "made"])]
    assert int((project.root / "made.txt").read_text()) == len(project.events())
    assert replay(folder) == (len(project.events()), "")


def labels(events: list[journal.Event]) -> list[str]:
    """What the tools on record have counted."""
    commands = [event.data["args"]["cmd"] for event in events if event.data.get("tool") == "run"]
    return [cmd[2] for cmd in commands]


def test_a_trace_torn_at_any_byte_goes_on_to_the_same_end(project: Project) -> None:
    project.run("""
        model { state n: int = 0 }
        task T {
          step a { n = n + 1 }
          step b { text = tool.read { path: "t.dsl" }
            n = len(text) }
          evaluation { check size: n } }""")
    folder, whole = project.folder, project.folder.trace.read_bytes()
    wanted = plain(read_events(folder.trace))
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    events = read_events(folder.trace)
    for cut in sorted({*range(0, len(whole), 101), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends[:-1])}):
        folder.trace.write_bytes(whole[:cut])
        assert read_events(folder.trace) == events[: sum(end <= cut for end in ends)]
        proceed(folder, lambda _: None)
        assert plain(read_events(folder.trace)) == wanted
        assert folder.trace.read_bytes().startswith(whole[: max([0, *(end for end in ends if end <= cut)])])


def test_a_resume_keeps_what_the_run_was_started_with(project: Project) -> None:
    text = 'task T(x: int) { step a { y = llm.query { prompt: "?" } }\n step b { z = x }\n step c { z = x + 1 } }'
    project.waits(text, args={"x": "5"}, max_steps=2)
    project.write("task T(x: int) { step a { z = 100 } }")
    ended = project.answer("yes")
    assert [one.code for one in ended.verdict.why] == ["SPK931"]
    assert project.data("set") == [{"name": "z", "value": 5}]
    assert project.data("run")[0]["flags"]["max_steps"] == 2


def test_two_resumes_at_once(project: Project) -> None:
    project.waits('task T { step a { x = llm.query { prompt: "?" } } }')
    with project.folder.held():
        told = project.spak("step", "--resume")
    assert told.returncode == 1
    assert f"SPK924: run {project.folder.id} is at work elsewhere: PID {os.getpid()}." in told.stderr
    project.folder.response.write_text("yes")
    assert project.spak("step", "--resume").returncode == 0


def test_runs_in_one_folder_never_touch_each_other(project: Project) -> None:
    project.write(
        'task T { step a { x = llm.query { prompt: "?" }\n tool.write { path: "{{run.id}}.txt", content: x } } }'
    )
    pids = []
    for _ in range(4):
        pid = os.fork()
        if not pid:
            try:
                project.run()
            except Waiting:
                pass
            finally:
                os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    runs = ids(project.root)
    assert len(runs) == 4
    for run in reversed(runs):
        folder = find_run(project.root, run)
        folder.response.write_text(f"answer to {run}")
        assert proceed(folder, lambda _: None).verdict.succeeded
    assert [(project.root / f"{run}.txt").read_text() for run in runs] == [f"answer to {run}" for run in runs]
    assert [len(read_events(find_run(project.root, run).trace)) for run in runs] == [6] * 4


def test_a_clock_that_jumps_back_does_no_harm(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    class Jumping(journal.datetime):
        """Every look at it is an hour earlier than the one before."""

        looks = 0

        @classmethod
        def now(cls, tz: object = None) -> journal.datetime:  # type: ignore[override]
            cls.looks += 1
            return journal.datetime(2030, 1, 1, tzinfo=journal.UTC) - timedelta(hours=cls.looks)

    project.waits('task T { step a { x = llm.query { prompt: "?" } }\n step b { n = 1 } }')
    monkeypatch.setattr(journal, "datetime", Jumping)
    project.answer("yes")
    events = project.events()
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    times = [one.time for one in events[2:]]
    assert times == sorted(times, reverse=True), "the clock did jump"
    assert all(one.duration is None or one.duration >= 0 for one in events)
    assert replay(project.folder) == (len(events), "")


def test_a_changed_copy_of_the_program_is_refused(project: Project) -> None:
    project.waits('task T { step a { x = llm.query { prompt: "?" } } }')
    copy = project.folder.program / "t.dsl"
    copy.write_text(copy.read_text().replace("?", "!"))
    with pytest.raises(SpakError, match=r"SPK935: the run's copy of t\.dsl has been changed"):
        project.answer("yes")


@pytest.mark.parametrize("damage", ["{", "[]", '{"program": "t.dsl"}', ""])
def test_a_damaged_start_is_refused(project: Project, damage: str) -> None:
    project.waits('task T { step a { x = llm.query { prompt: "?" } } }')
    project.folder.start.write_text(damage)
    with pytest.raises(SpakError, match="SPK935"):
        project.resume()


def test_an_edited_trace_is_found_at_its_event(project: Project) -> None:
    project.waits('task T { step a { n = 1 }\n step b { x = llm.query { prompt: "{{n}}?" } } }')
    lines = project.folder.trace.read_text().replace('"value":1', '"value":2')
    project.folder.trace.write_text(lines)
    with pytest.raises(
        Halt, match=r"trace\.jsonl:2:1: SPK926: the run does not go as its trace says: at event 2"
    ) as caught:
        project.answer("yes")
    assert "data.value: 2 -> 1" in caught.value.diagnostics[0].notes


def test_an_ended_run_is_not_executed_again(project: Project) -> None:
    project.run('task T { step a { tool.run { cmd: ["sh", "-c", "echo a >> counted"] } } }')
    whole = project.folder.trace.read_bytes()
    assert project.resume().verdict.succeeded
    assert (project.folder.trace.read_bytes(), counted(project)) == (whole, ["a"])


def test_a_shell_waits_for_the_approval_of_this_very_command(project: Project) -> None:
    project.write('task T(x: string) { step a { tool.run { cmd: "echo {{x}} > out.txt", shell: true } } }')
    told = project.spak("run", "t.dsl", "--arg", "x=hi")
    assert (told.returncode, "SPK949" in told.stderr) == (3, True)
    digest = next(
        line.split()[-1] for line in told.stderr.splitlines() if "--approve" in line and "approve spak" in line
    )
    assert project.spak("step", "--resume").returncode == 3
    assert project.spak("step", "--approve", digest, "--resume").returncode == 0
    assert (project.root / "out.txt").read_text() == "hi\n"
    assert project.spak("run", "t.dsl", "--arg", "x=other").returncode == 3
    assert project.spak("run", "t.dsl", "--arg", "x=other", "--allow-shell").returncode == 0


def test_a_full_disk_stops_the_run_and_the_same_command_goes_on(project: Project) -> None:
    """A limit on the file's size stands for a full disk: the write that does not fit is undone."""
    project.write("\n".join(["task T {", *(f"step s{i} {{ n = {i} }}" for i in range(40)), "}"]))
    folder = start(project.root, Order("t.dsl"), Services(project.root))
    pid = os.fork()
    if not pid:
        status = 8
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
            proceed(folder, lambda _: None)
            status = 0
        except SpakError as error:
            status = 7 if "SPK701" in str(error) else 8
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert folder.trace.read_bytes().endswith(b"\n")
    assert proceed(folder, lambda _: None).verdict.succeeded
    assert len(project.events("set")) == 40
    assert json.loads(folder.context.read_text()) == {"n": 39}


def test_times_are_all_that_differs_between_two_runs(project: Project) -> None:
    text = 'task T { step a { x = tool.run { cmd: "echo 1" } } }'
    project.run(text)
    first = project.events()
    project.run(text)
    assert plain(first) == plain(project.events())
    assert [replace(one, run="") for one in first] != [replace(one, run="") for one in project.events()]


def test_waiting_again_and_again_changes_nothing(project: Project, tmp_path: Path) -> None:
    project.waits('task T { step a { x = llm.query { prompt: "?" } } }')
    whole = project.folder.trace.read_bytes()
    for _ in range(3):
        waiting(project.resume)
    assert project.folder.trace.read_bytes() == whole


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("program", 1e308), ("trace_json", "x\0y"), ("roots", [1]), ("roots", "build"), ("max_steps", -1),
        ("max_steps", True), ("allow_shell", "yes"), ("args", []), ("args", {"a": {"b": [[]] * 3} | {"c": 10**2000}}),
        ("constants", {"PEAK": "much"}), ("constants", {"PEAK": 10**400}), ("files", []), ("handler", None),
    ],
)  # fmt: skip
def test_a_start_that_no_run_has_written_is_refused(project: Project, part: str, value: Any) -> None:
    project.waits('task t { step ask: llm.query { prompt: "?" output_var: said } }')
    start = project.folder.start
    start.write_text(json.dumps({**json.loads(start.read_text()), part: value}))
    with pytest.raises(SpakError, match="SPK935") as error:
        project.answer("x")
    assert part in str(error.value)


def test_a_pipe_in_the_place_of_the_program_is_not_waited_for(project: Project) -> None:
    project.waits('task t { step ask: llm.query { prompt: "?" output_var: said } }')
    copy = project.folder.program / "t.dsl"
    copy.unlink()
    os.mkfifo(copy)
    with pytest.raises(SpakError, match=r"SPK935: the run's copy of t\.dsl has been changed"):
        project.answer("x")
