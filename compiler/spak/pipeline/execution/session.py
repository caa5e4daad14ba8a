"""A build session: the state of one tree, opened, used and closed. Knows nothing of command lines or of doit.

.spak/lock            held while a build is under way
.spak/state/          journal, digests, graph, noop-*: of this tree alone, and worthless elsewhere
.spak/cas .spak/ac    the cache; $SPAK_CACHE puts it elsewhere, and trees may share it
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.pipeline.execution import manifest
from spak.pipeline.execution.events import Events
from spak.pipeline.execution.executor import Executor
from spak.pipeline.execution.pools import Pools
from spak.pipeline.execution.result import Result, Status
from spak.pipeline.execution.scheduler import Scheduler
from spak.pipeline.execution.workers import Workers, base_env
from spak.pipeline.graph import snapshot
from spak.pipeline.graph.action import Action, Graph
from spak.pipeline.graph.keys import Keys
from spak.pipeline.graph.network import Network, connect
from spak.pipeline.graph.stamps import Stamps
from spak.pipeline.graph.tools import Tools
from spak.store.actions import Actions, Folder
from spak.store.cas import Cas
from spak.store.digests import Digests
from spak.store.journal import Journal
from spak.store.treelock import TreeLock


@dataclass(frozen=True, slots=True)
class Mode:
    """How to build. `handler` '' is the project's own; `refresh` names the actions that are to ask anew."""

    jobs: int = 0
    handler: str = ""
    refresh: bool = False
    strict: bool = False
    wait: bool = True

    @property
    def cores(self) -> int:
        return self.jobs or len(os.sched_getaffinity(0))


def make_graph(root: Path) -> Graph:
    """The project's graph, from its specs and settings. Raises SpakError."""
    from spak.pipeline.graph import graph

    made: Graph = graph.load(root)
    return made


class Session:
    """Reads at once; `open` before executing anything, and `close` in any case. Changes the working directory to the
    root.
    """

    def __init__(
        self, root: Path, mode: Mode = Mode(), events: Events | None = None, make: Callable[[Path], Graph] = make_graph
    ) -> None:
        self.root, self.mode, self.events = root, mode, events or Events()
        os.chdir(root)
        self.state = root / ".spak" / "state"
        loaded = snapshot.load(self.state / "graph", lambda: make(root))
        self.graph: Graph = loaded.graph
        self.made_of: Stamps = loaded.made_of
        self.network: Network = connect(self.graph.actions)
        env = dict(os.environ)
        digests = Digests(self.state / "digests")
        self.keys = Keys(digests, Tools(digests, {**env, **base_env(env)}), env)
        self.journal = Journal(self.state / "journal")
        cache = Path(env.get("SPAK_CACHE") or root / ".spak")
        self.cas = Cas(cache / "cas")
        self.cache = Actions(Folder(cache / "ac", self.cas))
        self.workers = Workers(str(root), base_env(env))
        self.executor = Executor(
            self.keys, self.journal, self.cache, self.workers, Pools(self.mode.cores), self.events, self.mode.strict
        )
        self.executor.inline = self._inline
        self._recheck: frozenset[str] = frozenset()
        self._refresh: frozenset[str] = frozenset()
        self._lock = TreeLock(root / ".spak" / "lock")

    def open(self) -> None:
        """Take the tree, waiting for whoever has it. Raises SpakError."""
        self._lock.acquire(self._say, self.mode.wait)
        manifest.remove_all(self.root)
        self.journal.open()
        if self.journal.notice:
            self._say(self.journal.notice)

    def build(self, names: Iterable[str]) -> list[Result]:
        """Bring actions up to date; `open` first."""
        chosen = list(names)
        if self.mode.refresh:
            asked = {name for name in self.network.closure(chosen) if self.network.actions[name].inline}
            self._refresh = self.executor.forced = frozenset(asked)
        self.events.emit("begin", actions=len(self.network.closure(chosen)))
        return self.rejudge(chosen, Scheduler(self.network, self.executor).run(chosen))

    def rejudge(self, chosen: Iterable[str], results: list[Result]) -> list[Result]:
        """Replies whose judges fail although nothing about their request changed are judged as replies, and perhaps
        asked anew.
        """
        stale = self._failing_replies(results)
        if not stale:
            return results
        self._recheck = self.executor.forced = frozenset(stale)
        return Scheduler(self.network, self.executor).run(chosen)

    def close(
        self, results: list[Result] | None = None, selection: manifest.Selection | None = None, message: str = ""
    ) -> None:
        """Keep what is worth keeping and let the tree go. With a selection whose results are all good, write its
        manifest.
        """
        self.workers.close()
        try:
            self._withdraw(results or [])
            if results is not None and selection is not None and all(result.status.good for result in results):
                actions = [self.network.actions[result.name] for result in results]
                manifest.write(self.root, selection, actions, self.keys, self.made_of, message)
            self.keys.digests.save()
            self.cas.trim()
        finally:
            self.journal.close()
            self._lock.release()

    def _withdraw(self, results: list[Result]) -> None:
        """Drop questions that need no answer any more: the spec is again what the locked reply was for. Answers stay."""
        for result in results:
            box = self.network.actions[result.name].options.get("pending")
            if box and result.status.good and Path(box).is_dir() and not (Path(box) / "answer.md").exists():
                shutil.rmtree(box, ignore_errors=True)

    def _failing_replies(self, results: list[Result]) -> list[str]:
        """Inline actions that were not judged now, of which a judge has found the subject wrong: a toolchain has
        changed.
        """
        by_name = {result.name: result for result in results}
        found = []
        for name, result in by_name.items():
            judged = result.summary.get("action") in ("kept", "asked", "adopted") and result.status is Status.RAN
            judges = [by_name[other] for other in self.network.actions[name].judges if other in by_name]
            if (
                result.status.good
                and not judged
                and any(one.status is Status.FAILED and not one.broken and not self._tuned(one.name) for one in judges)
            ):
                found.append(name)
        return found

    def _tuned(self, name: str) -> str:
        """The tuned file that a judge's failure is put down to, '' if none is: it is named, and the reply stands."""
        from spak.pipeline.graph.tuned import blamed, complaint  # which import the models: few builds come here

        path = blamed(self.network.actions[name].options)
        if path:
            self.events.emit("notice", text=str(complaint(path, name)))
        return path

    def _inline(self, action: Action) -> dict[str, Any]:
        """Run an inline stage in this process."""
        from spak import codegen, handlers
        from spak.effects import Effects
        from spak.pipeline.execution.judge import Judge
        from spak.pipeline.graph.project import load_project

        project = load_project(self.root)
        asker = handlers.select(self.mode.handler or project.model.handler, self.root, project.settings.model)
        options = codegen.Options.model_validate(
            {**action.options, "refresh": action.name in self._refresh, "recheck": action.name in self._recheck}
        )
        outcome = codegen.run(options, Effects(asker=asker, judger=Judge(action, self.network, self.executor)))
        return outcome.model_dump(mode="json")

    def _say(self, text: str) -> None:
        self.events.emit("notice", text=text)
