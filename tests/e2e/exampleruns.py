"""Projects that hold shipped examples, and runs of them in processes of their own. Knows no example."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realproject import REPO, Project

#: What differs between two runs that did the same: when, how long, under which name, and who handed the answers over.
PASSING = ("run", "time", "duration")


def lay_out(root: Path, programs: Iterable[str], units: Iterable[str] = ()) -> None:
    """The folders of some programs and units, with what they use and what was accepted for them."""
    (root / "targets").mkdir(parents=True)
    shutil.copy(REPO / "targets/cpu.toml", root / "targets")
    shutil.copy(REPO / "dodo.py", root)
    shutil.copy(REPO / "spak.lock", root)
    shutil.copytree(REPO / "specs/domains", root / "specs/domains")
    for name in (*programs, *units):
        shutil.copytree(REPO / "specs" / name, root / "specs" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in units:
        shutil.copytree(REPO / "generated" / name, root / "generated" / name)


def fewer_shapes(project: Project, unit: str, *shapes: str) -> None:
    """Have a unit verified on these shapes and its vectors alone: no example is about the others."""
    tests = project.path(f"specs/{unit}/tests.{unit}.yaml")
    before, found, given = tests.read_text().partition("\nshapes:\n")
    assert found
    kept = [line for line in given.splitlines() if line.strip(" -") in shapes]
    assert len(kept) == len(shapes), given
    tests.write_text("\n".join([before, "shapes:", *kept, ""]))


@dataclass
class Run:
    """One run: its exit code, what was said, and its folder."""

    project: Project
    id: str
    code: int
    said: str
    steps: int = 1  # processes that it took
    answered: Counter[str] = field(default_factory=Counter)

    @property
    def folder(self) -> Path:
        return self.project.path(f".spak/runs/{self.id}")

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()]

    @property
    def metrics(self) -> dict[str, Any]:
        """The values of the evaluation."""
        found: dict[str, Any] = self.of("end")[0]["metrics"]
        return found

    def of(self, kind: str, **data: Any) -> list[dict[str, Any]]:
        """The data of events of a kind, of those that have these values."""
        found = [event["data"] for event in self.events if event["kind"] == kind]
        return [one for one in found if all(one.get(key) == value for key, value in data.items())]

    def emitted(self, case: str) -> list[dict[str, Any]]:
        return [one["fields"] for one in self.of("emit", case=f"TraceItem.{case}")]

    def fired(self) -> list[str]:
        return [one["rule"] for one in self.of("rule")]

    def essence(self) -> list[dict[str, Any]]:
        """The trace without what passes: what two runs of the same answers have in common."""
        found = []
        for event in self.events:
            kept = {key: value for key, value in event.items() if key not in PASSING}
            kept["data"] = {key: value for key, value in event["data"].items() if key not in ("by", "flags")}
            found.append(kept)
        return found

    def replay(self) -> None:
        """Execute it again from its trace; every event must be the same, byte for byte."""
        before = (self.folder / "trace.jsonl").read_bytes()
        self.project.spak("trace", "replay", self.id)
        assert (self.folder / "trace.jsonl").read_bytes() == before


def file_of(name: str) -> str:
    return f"specs/{name}/{name}.dsl"


def run(project: Project, name: str, *argv: str, answers: str | None = None, expect: int | None = 0) -> Run:
    """Start a program with its recorded answers ('' for none)."""
    given = f"specs/{name}/answers" if answers is None else answers
    before = set(runs(project))
    more = ("--answers", given) if given else ()
    done = project.spak("run", file_of(name), *more, *argv, expect=expect)
    new = sorted(set(runs(project)) - before)
    assert len(new) == 1, new
    return Run(project, new[0], done.returncode, done.stdout + done.stderr)


def runs(project: Project) -> list[str]:
    folder = project.path(".spak/runs")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def drive(project: Project, name: str, *argv: str) -> Run:
    """Start a program without answers, and answer each query in a fresh process: in the run's folder, by a file, and on
    standard input, in turn. The answers are the recorded ones."""
    current = run(project, name, *argv, answers="", expect=3)
    while current.code == 3:
        request = json.loads((current.folder / "request.json").read_text())
        step = request["step"]
        current.answered[step] += 1
        recorded = project.path(f"specs/{name}/answers/{step}.{current.answered[step]}.md")
        way = current.steps % 3
        if way == 0:
            (current.folder / "response.txt").write_text(recorded.read_text())
        argv = ("--answer", "-") if way == 1 else ("--answer", str(recorded)) if way == 2 else ()
        stdin = recorded.read_text() if way == 1 else ""
        done = project.spak("step", "--resume", current.id, *argv, expect=None, stdin=stdin)
        current.code, current.said = done.returncode, done.stdout + done.stderr
        current.steps += 1
    return current
