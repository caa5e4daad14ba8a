"""A build from beginning to end, with its listeners and its report: what `spak build` does. Knows nothing of click."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from spak.pipeline.execution.events import Events, NdjsonFile
from spak.pipeline.execution.result import Result, exit_code
from spak.pipeline.execution.session import Mode, Session, make_graph
from spak.pipeline.execution.signals import Interrupted, interruptible
from spak.pipeline.frontends import report
from spak.pipeline.frontends.chrometrace import ChromeTrace
from spak.pipeline.frontends.progress import Progress
from spak.pipeline.graph.action import Graph
from spak.pipeline.graph.selection import select


@dataclass(frozen=True, slots=True)
class Build:
    """What to build and how to tell of it. `events` and `trace` are files, '' for none."""

    units: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    group: str = "build"
    mode: Mode = field(default_factory=Mode)
    events: str = ""
    trace: str = ""
    as_json: bool = False


def run(root: Path, build: Build, make: Callable[[Path], Graph] = make_graph) -> int:
    """Build; returns the exit code. Raises SpakError for what keeps the build from starting."""
    with ExitStack() as stack, interruptible():
        events = Events(Progress())
        if build.events:
            events.listen(
                stack.enter_context(NdjsonFile(str(Path(build.events).absolute()) if build.events != "-" else "-"))
            )
        trace_to = str(Path(build.trace).absolute()) if build.trace else ""
        session = Session(root, build.mode, events, make)
        trace = ChromeTrace(session.network.needs)
        events.listen(trace)
        names = select(session.graph, session.network, build.group, build.units, build.targets)
        results: list[Result] | None = None
        stopped = 0
        selection = (tuple(sorted(build.units)), tuple(sorted(build.targets)))
        try:
            session.open()
            results = session.build(names)
        except Interrupted as stop:
            print(f"ended by {stop}: everything that was finished is kept", file=sys.stderr)
            stopped = stop.number
        finally:
            note = f"up to date: {len(results or ())} actions"
            session.close(results, selection if build.group == "build" else None, note)
        if results is None:
            sys.stderr.flush()
            os._exit(
                128 + stopped
            )  # a thread may still wait for a model, and the interpreter would wait for the thread
        code = exit_code(results)
        events.emit("end", exit=code, critical_path=trace.critical_path())
        if trace_to:
            trace.write(trace_to)
        show(session, results, build)
        return code


def show(session: Session, results: list[Result], build: Build) -> None:
    """Print the results: the table and a line, or everything as JSON."""
    found = report.rows(session.network, results)
    if build.as_json:
        body = {
            "exit": exit_code(results),
            "actions": [result.to_json() for result in results],
            "evidence": [row.to_json() for row in found],
        }
        print(json.dumps(body, indent=2, sort_keys=True))
    elif build.events != "-":
        print("\n".join(text for text in (report.table(found), report.summary(results)) if text))
