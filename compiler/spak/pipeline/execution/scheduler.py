"""Runs many actions in their order, as many at once as the pools allow. Knows nothing of how one is executed."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from spak.pipeline.execution.executor import Executor
from spak.pipeline.execution.pools import QUESTIONS
from spak.pipeline.execution.result import Result, Status
from spak.pipeline.graph.network import Network

DRAIN_SECONDS = 10.0  # killed workers end at once; a question under way is not waited for


class Scheduler:
    """One build. A failure stops only what depends on it."""

    def __init__(self, network: Network, executor: Executor) -> None:
        self.network, self.executor = network, executor
        self._limits = {True: QUESTIONS, False: executor.pools.cores + 1}

    def run(self, names: Iterable[str]) -> list[Result]:
        """Bring the named actions and all that they need up to date. Results stand in topological order."""
        wanted = self.network.closure(names)
        order = [name for name in self.network.order if name in wanted]
        missing = {name: len(self.network.needs[name]) for name in order}
        results: dict[str, Result] = {}
        ready = deque(name for name in order if missing[name] == 0)
        queued: dict[bool, deque[str]] = {True: deque(), False: deque()}
        running = {True: 0, False: 0}
        done: queue.SimpleQueue[tuple[str, Future[Result]]] = queue.SimpleQueue()

        def finish(result: Result) -> None:
            results[result.name] = result
            for other in self.network.needed_by[result.name]:
                if other in wanted:
                    missing[other] -= 1
                    if missing[other] == 0:
                        ready.append(other)

        threads = ThreadPoolExecutor(sum(self._limits.values()), "spak")
        try:
            while len(results) < len(order):
                while ready:
                    name = ready.popleft()
                    result = self._blocked(name, results) or self.executor.look(self.network.actions[name])
                    if result is not None:
                        finish(result)
                    else:
                        queued[self._asks(name)].append(name)
                for kind in (True, False):
                    while queued[kind] and running[kind] < self._limits[kind]:
                        self.executor.workers.start()
                        running[kind] += 1
                        self._submit(threads, queued[kind].popleft(), done)
                if len(results) < len(order):
                    name, future = done.get()
                    running[self._asks(name)] -= 1
                    finish(future.result())
        except BaseException:
            self.executor.workers.stop()
            threads.shutdown(wait=False, cancel_futures=True)
            self.executor.drain(DRAIN_SECONDS)
            raise
        threads.shutdown()
        return [results[name] for name in order]

    def _submit(
        self, threads: ThreadPoolExecutor, name: str, done: queue.SimpleQueue[tuple[str, Future[Result]]]
    ) -> None:
        future = threads.submit(self.executor.execute, self.network.actions[name])
        future.add_done_callback(lambda ended: done.put((name, ended)))

    def _asks(self, name: str) -> bool:
        """Whether an action mostly waits for somebody else: such actions have threads of their own."""
        return self.network.actions[name].pool == "model"

    def _blocked(self, name: str, results: dict[str, Result]) -> Result | None:
        bad = [other for other in self.network.needs[name] if not results[other].status.good]
        if not bad:
            return None
        first = results[bad[0]]
        reason = first.reason if first.status is Status.BLOCKED else f"{first.name} is {first.status.value}"
        result = Result(name, Status.BLOCKED, reason, ok=False)
        self.executor.events.emit("finish", **result.to_json())
        return result
