"""What doit is given in place of its own parts: action, checker, state, reporter and groups. Knows nothing of how tasks
are made.

Nothing of doit is patched: each class is handed over through DOIT_CONFIG or stands in a task.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from doit.action import BaseAction
from doit.dependency import FileChangedChecker
from doit.exceptions import BaseFail, TaskFailed, UnmetDependency
from doit.globals import Globals
from doit.task import Task

if TYPE_CHECKING:
    from spak.pipeline.execution.result import Result
    from spak.pipeline.execution.session import Session
    from spak.pipeline.graph.action import Action, Graph
    from spak.pipeline.graph.network import Network


class Host:
    """The engine under one run of doit: made when something has to be looked at, ended when doit is done."""

    def __init__(
        self, root: Path, graph: Graph, network: Network, settled: frozenset[str], make: Callable[[Path], Graph] | None
    ) -> None:
        self.root, self.graph, self.network, self.settled, self._make = root, graph, network, settled, make
        self.blocked: dict[str, Result] = {}
        self.interrupted = 0
        self._session: Session | None = None
        self._open = False
        self._guard = threading.Lock()

    @property
    def session(self) -> Session:
        """The session, not yet open."""
        if self._session is None:
            from spak.pipeline.execution.events import Events
            from spak.pipeline.execution.session import Mode, Session, make_graph
            from spak.pipeline.frontends.progress import Progress

            self._session = Session(self.root, Mode(), Events(Progress()), self._make or make_graph)
        return self._session

    @property
    def used(self) -> bool:
        """Whether anything had to be looked at."""
        return self._session is not None

    def begin(self) -> None:
        """Open the session; harmless when it is open. Raises SpakError."""
        with self._guard:
            if self._open:
                return
            self.session.open()
            self._open = True
            atexit.register(self.end)
            if threading.current_thread() is threading.main_thread():
                self._catch_signals()

    def end(self, results: list[Result] | None = None, units: tuple[str, ...] | None = None) -> None:
        """Close the session, if it is open."""
        with self._guard:
            if not self._open:
                return
            self._open = False
        if self.interrupted:
            self.session.workers.stop()
            self.session.executor.drain(10.0)
        selection = None if units is None else (tuple(sorted(units)), ())
        self.session.close(results, selection, f"up to date: {len(results or ())} actions")

    def check(self, action: Action) -> Callable[[], bool]:
        """doit's question whether an action's task is up to date."""

        def uptodate() -> bool:
            result = self.session.executor.look(action)
            if result is not None and result.status.good:
                return True
            if self._open:
                self.session.workers.start()  # here, in the main thread: see Workers.start
            return False

        return uptodate

    def results(self, names: set[str]) -> list[Result]:
        """What became of the actions of those names, as far as anything did, in topological order."""
        if self._session is None:
            return []
        known = {**self.blocked, **self.session.executor.results}
        return [known[name] for name in self.network.order if name in names and name in known]

    def _catch_signals(self) -> None:
        import signal

        from spak.pipeline.execution.signals import Interrupted

        def stop(number: int, frame: object) -> None:
            for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(one, signal.SIG_IGN)
            self.interrupted = number
            raise Interrupted(number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)


class BuildAction(BaseAction):  # type: ignore[misc]
    """Executes one of our actions as the action of a doit task."""

    def __init__(self, action: Action, host: Host) -> None:
        self.action, self.host = action, host
        self.task: Task | None = None
        self.out = self.err = ""
        self.result: str | None = None
        self.values: dict[str, Any] = {}

    def __str__(self) -> str:
        return f"stage {self.action.stage}"

    def execute(self, out: TextIO | None = None, err: TextIO | None = None) -> BaseFail | None:
        """Called by doit, on one of its threads. What went wrong has been told by then."""
        self.host.begin()
        result = self.host.session.executor.execute(self.action)
        self.result = result.key
        return None if result.status.good else TaskFailed(result.status.value, report=False)


class CommandAction(BaseAction):  # type: ignore[misc]
    """Runs a module with doit's own terminal; what follows the task's name on the command line are its arguments."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.task: Task | None = None
        self.out = self.err = ""
        self.result: str | None = None
        self.values: dict[str, Any] = {}

    def __str__(self) -> str:
        return " ".join(("python", "-m", *self.command))

    def execute(self, out: TextIO | None = None, err: TextIO | None = None) -> BaseFail | None:
        """Called by doit. The build's own lock is not held by then: what is run may build in this tree."""
        arguments = (self.task.pos_arg_val if self.task else None) or ()
        status = subprocess.call([sys.executable, "-m", *self.command, *arguments])
        return TaskFailed(f"{self}: exit status {status}") if status else None


class UnitGroup(Task):  # type: ignore[misc]
    """A group of actions. `doit build UNIT ...` narrows it to those units, groups or actions."""

    def __init__(self, name: str, members: list[str], host: Host, doc: str) -> None:
        self._chosen: list[str] | None = None
        self._host = host
        self.task_dep: list[str] = []
        super().__init__(name, None, task_dep=members, has_subtask=True, pos_arg="units", doc=doc)

    @property
    def pos_arg_val(self) -> list[str] | None:
        """The units named on the command line; doit sets it before it looks at `task_dep`."""
        return self._chosen

    @pos_arg_val.setter
    def pos_arg_val(self, units: list[str] | None) -> None:
        self._chosen = units
        if not units:
            return
        wanted: set[str] = set()
        for unit in units:
            meant = self._host.graph.groups.get(unit) or ((unit,) if unit in self._host.network.actions else ())
            if not meant:  # not doit's InvalidCommand: that exits with 3, which here means "waiting for an answer"
                print(
                    f"SPK714: there is no unit, group or action called {unit!r}. hint: `doit list --all`",
                    file=sys.stderr,
                )
                raise SystemExit(1)
            wanted.update(meant)
        chosen = [name for name in self.task_dep if name in wanted]
        self.task_dep = chosen or [name for name in self._host.network.order if name in wanted]


class Always(FileChangedChecker):  # type: ignore[misc]
    """doit's checker: files are the engine's business, and it is asked through `uptodate`."""

    def exists(self, file_path: str) -> bool:
        return True

    def check_modified(self, file_path: str, file_stat: os.stat_result, state: object) -> bool:
        return False

    def get_state(self, dep: str, current_state: object) -> None:
        return None


class JournalState(dict[str, dict[str, Any]]):
    """What doit believes to be its database: nothing is in it but for the run, and forgetting a task forgets it in
    the journal.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.building = root, False
        self.forgotten: list[str] = []

    def __contains__(self, name: object) -> bool:
        return not self.building or super().__contains__(name)

    def __getitem__(self, name: str) -> dict[str, Any]:
        return super().setdefault(name, {})

    def __delitem__(self, name: str) -> None:
        self.pop(name, None)
        self.forgotten.append(name)


class JournalCodec:
    """The codec of doit's JSON backend over /dev/null: that is where unpatched doit lets us hand it a database."""

    def __init__(self) -> None:
        self._given: JournalState | None = None

    def decode(self, text: str) -> JournalState:
        self._given = JournalState(Path.cwd())
        return self._given

    def encode(self, state: dict[str, Any]) -> str:
        """Called as doit ends. A build forgets nothing; `doit forget` names tasks, or hands over an empty dict for
        all.
        """
        given = self._given
        if given is not None and not given.building and (given.forgotten or state is not given):
            _forget(given.root, None if state is not given else given.forgotten)
        return ""


def _forget(root: Path, names: list[str] | None) -> None:
    from spak.pipeline.execution import manifest
    from spak.store.journal import Journal
    from spak.store.treelock import TreeLock

    lock = TreeLock(root / ".spak" / "lock")
    lock.acquire(lambda text: print(text, file=sys.stderr))
    try:
        manifest.remove_all(root)
        journal = Journal(root / ".spak" / "state" / "journal")
        journal.open()
        for name in journal.names() if names is None else names:
            journal.forget(name)
        journal.close()
    finally:
        lock.release()


class Reporter:
    """doit's reporter: what happens is told by the engine's events, so this one begins and ends the build and shows
    its results.
    """

    desc = "the table of what was built"

    def __init__(self, outstream: TextIO, options: dict[str, Any]) -> None:
        self.outstream = outstream
        self._host: Host | None = None
        self._selected: list[str] = []
        self._tasks: dict[str, Task] = {}
        self._failed: list[str] = []
        self._errors: list[str] = []
        self._code: int | None = None

    def initialize(self, tasks: dict[str, Task], selected_tasks: list[str]) -> None:
        """Called before the first task."""
        Globals.dep_manager.backend._db.building = True
        self._tasks, self._selected = tasks, list(selected_tasks)
        self._host = next((t.actions[0].host for t in tasks.values() if _is_ours(t)), None)
        host = self._host
        if host is None or self._names() <= host.settled:
            return
        from spak.errors import SpakError

        try:
            host.begin()
            host.session.events.emit("begin", actions=len(self._names()))
        except SpakError as error:
            print(error, file=sys.stderr)
            host.end()
            raise SystemExit(error.exit_code) from None

    def _names(self) -> set[str]:
        """The actions that the selected tasks come down to."""
        found: set[str] = set()
        todo = list(self._selected)
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self._tasks[name].task_dep)
        return {name for name in found if _is_ours(self._tasks[name])}

    def execute_task(self, task: Task) -> None:
        """Before a task's actions. Whatever is not ours may build in this tree itself, so the tree is let go first."""
        if task.actions and not _is_ours(task) and self._host:
            self._finish_build()

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """After a failure; also for tasks that were not run because of another's."""
        from spak.pipeline.execution.result import Result, Status

        if isinstance(fail, UnmetDependency) and _is_ours(task) and self._host:
            bad = fail.message.split(" ")[0]
            above = self._host.blocked.get(bad) or self._host.session.executor.results.get(bad)
            reason = (
                above.reason
                if above and above.status is Status.BLOCKED
                else f"{bad} is {above.status.value if above else 'bad'}"
            )
            self._host.blocked[task.name] = Result(task.name, Status.BLOCKED, reason, ok=False)
        elif fail.report and not isinstance(fail, UnmetDependency):
            self._failed.append(task.name)
            print(f"{task.name}: {fail.get_msg()}".rstrip(), file=sys.stderr)

    def complete_run(self) -> None:
        """Called last. doit knows of no exit code 3, so the code is set here."""
        code = self._finish_build()
        for text in self._errors:
            print(text, file=sys.stderr)
        if self._host and self._host.interrupted:
            print("interrupted: everything that was finished is kept", file=sys.stderr)
            code = 128 + self._host.interrupted
        if code or self._failed or self._errors:
            sys.stdout.flush()
            raise SystemExit(code or 1)

    def _finish_build(self) -> int:
        """End the build, once, and show what came of it."""
        host = self._host
        if host is None or self._code is not None:
            return self._code or 0
        self._code = 0
        names = self._names()
        if not host.used:
            if names and names <= host.settled:
                self.outstream.write(f"up to date: {len(names)} actions\n")
            return 0
        from spak.pipeline.execution.result import exit_code
        from spak.pipeline.frontends import report

        results = host.results(names)
        if not host.interrupted:
            results = host.session.rejudge(names, results)
        self._code = exit_code(results)
        host.end(results if len(results) == len(names) else None, self._units())
        host.session.events.emit("end", exit=self._code)
        text = [report.table(report.rows(host.network, results)), report.summary(results)]
        self.outstream.write("\n".join(one for one in text if one) + "\n")
        return self._code

    def _units(self) -> tuple[str, ...] | None:
        """The units that `spak build` would be given to select the same; None if it cannot."""
        if self._selected == ["build"]:
            return tuple(self._tasks["build"].pos_arg_val or ())
        return None

    def get_status(self, task: Task) -> None:
        """doit is about to look at a task."""

    def add_success(self, task: Task) -> None:
        """A task has succeeded."""

    def skip_uptodate(self, task: Task) -> None:
        """A task is up to date."""

    def skip_ignore(self, task: Task) -> None:
        """A task is to be ignored (`doit ignore`)."""
        self.outstream.write(f"ignored: {task.name}\n")

    def cleanup_error(self, exception: BaseFail) -> None:
        """A teardown failed."""
        print(exception.get_msg(), file=sys.stderr)

    def runtime_error(self, msg: str) -> None:
        """doit itself has found something wrong."""
        self._errors.append(msg)

    def teardown_task(self, task: Task) -> None:
        """A teardown begins."""


def _is_ours(task: Task) -> bool:
    return bool(task.actions) and isinstance(task.actions[0], BuildAction)
