"""Executes one action: up to date, restored, or run, and recorded. Knows nothing of the order of actions or of who
asks for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from spak.digest import Field, first_difference
from spak.errors import Diagnostic, SpakError, Waiting
from spak.pipeline.execution import outputs
from spak.pipeline.execution.events import Events
from spak.pipeline.execution.pools import Pools
from spak.pipeline.execution.result import Result, Status
from spak.pipeline.execution.workers import Done, Workers
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.keys import Keys, key_of
from spak.pipeline.graph.places import led
from spak.store.actions import Actions, Entry
from spak.store.digests import ABSENT
from spak.store.journal import Journal


class Stopped(Exception):
    """The build was ended while this action ran; its outputs are gone and nothing is recorded."""


Inline = Callable[[Action], dict[str, Any]]  # runs an inline stage in this process and returns its outcome
RETRIES = 3  # runs of an action whose inputs are edited meanwhile


class Executor:
    """Works in the current directory, which is the project's root. Safe to share between threads."""

    def __init__(
        self,
        keys: Keys,
        journal: Journal,
        cache: Actions,
        workers: Workers,
        pools: Pools,
        events: Events,
        strict: bool = False,
    ) -> None:
        self.keys, self.journal, self.cache, self.workers = keys, journal, cache, workers
        self.pools, self.events, self.strict = pools, events, strict
        self.inline: Inline | None = None
        self.forced: frozenset[str] = frozenset()
        self.results: dict[str, Result] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._idle = threading.Condition()
        self._active = 0

    def look(self, action: Action) -> Result | None:
        """The result if nothing has to be done: up to date, or known to fail. Cheap: called from the main thread."""
        with self._own(action.name):
            try:
                return self._look(action)[0]
            except SpakError as error:
                return self._report(
                    Result(action.name, Status.FAILED, ok=False, diagnostics=error.diagnostics, broken=True)
                )

    def execute(self, action: Action) -> Result:
        """Bring the action's outputs up to date. Only errors of this program are raised; everything else is a
        Result.
        """
        with self._own(action.name), self._counted():
            began = time.monotonic()
            try:
                result = self._execute(action)
            except Waiting as error:
                result = Result(action.name, Status.WAITING, ok=False, diagnostics=error.diagnostics)
            except SpakError as error:
                result = Result(action.name, Status.FAILED, ok=False, diagnostics=error.diagnostics, broken=True)
            return self._report(replace(result, seconds=time.monotonic() - began))

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is executed any more; for the end of a build that was interrupted."""
        with self._idle:
            return self._idle.wait_for(lambda: self._active == 0, seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._idle:
            self._active += 1
        try:
            yield
        finally:
            with self._idle:
                self._active -= 1
                self._idle.notify_all()

    def _own(self, name: str) -> threading.Lock:
        """One thread at a time works on an action: a judge may run it while the scheduler is about to."""
        with self._guard:
            return self._locks.setdefault(name, threading.Lock())

    def _report(self, result: Result) -> Result:
        earlier = self.results.get(result.name)
        if (
            earlier is not None
            and earlier.key == result.key
            and (result.served or result.diagnostics == earlier.diagnostics)
        ):
            return earlier  # a judge ran it in this build: that is what the user should hear of, and only once
        self.results[result.name] = result
        self.events.emit("finish", **result.to_json())
        return result

    def _look(self, action: Action) -> tuple[Result | None, str, tuple[Field, ...], str]:
        fields = self.keys.fields(action)
        key = key_of(fields)
        record = self.journal.get(action.name)
        if action.name in self.forced:
            return None, key, fields, "asked for"
        if record is None:
            return None, key, fields, "never built here"
        if record["key"] != key:
            return None, key, fields, ""
        wrong = outputs.intact(record["outputs"], self.keys.digests)
        if wrong:
            return None, key, fields, wrong
        outcome = record["outcome"]
        if not outcome["ok"] and any(
            self.keys.digests.of(path) != ABSENT for path in _unmade(action, record["outputs"])
        ):
            return None, key, fields, "an output is there that was not made"
        return self._report(_served(action, key, outcome, Status.UP_TO_DATE, "")), key, fields, ""

    def _execute(self, action: Action) -> Result:
        result, key, fields, reason = self._look(action)
        if result is not None:
            return result
        reason = reason or self.why(action.name, fields)
        entry = None if action.inline or action.name in self.forced else self.cache.get(key)
        if entry is not None and outputs.restore(entry.outputs, action.outputs, self.cache, self.keys.digests):
            self._record(action, key, entry.outputs, entry.outcome)
            return _served(action, key, entry.outcome, Status.RESTORED, reason)
        self.events.emit("start", name=action.name, stage=action.stage, pool=action.pool, reason=reason)
        with self.pools.taken(action.pool):
            return self._run_inline(action, reason) if action.inline else self._run(action, key, fields, reason)

    def why(self, name: str, fields: tuple[Field, ...]) -> str:
        """The first thing that differs from the recorded run."""
        record = self.journal.get(name)
        entry = self.cache.get(record["key"]) if record else None
        if entry is None:
            return "its inputs changed"
        return first_difference(entry.fields, fields) or "its inputs changed"

    def _run(self, action: Action, key: str, fields: tuple[Field, ...], reason: str) -> Result:
        for _ in range(RETRIES):
            outputs.clear(action.outputs)
            try:
                done = self._perform(action)
            except (
                BaseException
            ):  # a signal, where the caller is the main thread: the worker is gone, what it wrote goes too
                outputs.discard(action.outputs)
                raise
            if done.outcome is None:
                outputs.discard(action.outputs)
                if done.stopped:
                    raise Stopped(action.name)
                return Result(action.name, Status.FAILED, reason, key, False, done.diagnostics, broken=True)
            made = self._taken(action, done.outcome)
            self._refuse_edited_stage(action)
            edited = self.keys.digests.same((path, digest) for kind, path, digest in fields if kind == "input")
            if not edited:
                self._keep(action, key, fields, made, done.outcome)
                return _served(action, key, done.outcome, Status.RAN, reason)
            what = f"{edited} changed while {action.name} ran: its result is not recorded, and it runs again"
            self._warn(Diagnostic("SPK707", what, None, "", (), "warning"))
            fields = self.keys.fields(action)
            key = key_of(fields)
        outputs.discard(action.outputs)
        what = f"inputs of {action.name} keep changing while it runs"
        raise SpakError(Diagnostic("SPK707", what, None, "build again when nothing edits them"))

    def _perform(self, action: Action) -> Done:
        env = {name: self.keys.env[name] for name in action.env if name in self.keys.env}
        job = {"stage": action.stage, "options": dict(action.options), "env": env, "limits": {"memory": action.memory}}
        if not self.strict:
            return self.workers.run(job, seconds=action.seconds)
        from spak.pipeline.execution import strict

        return strict.run(action, job, self.workers)

    def _taken(self, action: Action, outcome: dict[str, Any]) -> dict[str, tuple[str, int]]:
        """The outputs as they are. Raises SpakError (SPK708) if a stage that succeeded has not made one of them."""
        made = outputs.take({*action.outputs, *outcome["outputs"]}, self.keys.digests)
        missing = _unmade(action, made)
        if outcome["ok"] and missing:
            outputs.discard(action.outputs)
            raise SpakError(
                *(
                    Diagnostic("SPK708", f"{action.name} reported success and did not make {path!r}", None)
                    for path in missing
                )
            )
        return made

    def _refuse_edited_stage(self, action: Action) -> None:
        """Someone works on the stage itself: nobody can tell which code the worker has run."""
        if self.keys.edited(action.stage):
            outputs.discard(action.outputs)
            what = f"the code of stage {action.stage!r} changed while {action.name} ran"
            raise SpakError(Diagnostic("SPK707", what, None, "build again"))

    def _run_inline(self, action: Action, reason: str) -> Result:
        """Inline stages look after their own files, some of which users own; only their success is recorded, as it
        is afterwards.
        """
        assert self.inline is not None, "no one runs inline stages here"
        outcome = self.inline(action)
        fields = self.keys.fields(action)
        key = key_of(fields)
        if outcome["ok"]:
            self._keep(action, key, fields, self._taken_inline(action), outcome)
        return _served(action, key, outcome, Status.RAN, reason)

    def _taken_inline(self, action: Action) -> dict[str, tuple[str, int]]:
        made = outputs.take(action.outputs, self.keys.digests)
        if missing := _unmade(action, made):
            what = f"{action.name} reported success and did not make {missing[0]!r}"
            raise SpakError(Diagnostic("SPK708", what, None))
        return made

    def _keep(
        self,
        action: Action,
        key: str,
        fields: tuple[Field, ...],
        made: dict[str, tuple[str, int]],
        outcome: dict[str, Any],
    ) -> None:
        if not self.cache.put(key, Entry(made, outcome, fields)):
            what = f"the result of {action.name} could not be kept in the cache ({self.cache.local.folder})"
            self._warn(Diagnostic("SPK709", what, None, "free some space there; nothing else is lost", (), "warning"))
        self._record(action, key, made, outcome)

    def _record(self, action: Action, key: str, made: outputs.Made, outcome: dict[str, Any]) -> None:
        before = self.journal.get(action.name)
        named = before["outcome"].get("outputs", ()) if before else ()
        outputs.discard(path for path in named if path not in made)  # a wheel of an earlier version
        try:
            self.journal.put(action.name, {"key": key, "outputs": dict(made), "outcome": outcome})
        except SpakError as error:
            for one in error.diagnostics:
                self._warn(replace(one, severity="warning"))

    def _warn(self, diagnostic: Diagnostic) -> None:
        self.events.emit("warning", **diagnostic.to_json())


def _unmade(action: Action, made: outputs.Made) -> list[str]:
    return [path for path in sorted(action.outputs) if path not in made]


def found_by(action: Action, outcome: dict[str, Any]) -> tuple[Diagnostic, ...]:
    """The diagnostics of an outcome, new or recorded, with the lines that the unit's spec now has."""
    return led((Diagnostic.from_json(one) for one in outcome["diagnostics"]), str(action.options.get("unit", "")))


def _served(action: Action, key: str, outcome: dict[str, Any], status: Status, reason: str) -> Result:
    """A result from an outcome; a failed subject is FAILED however it became known."""
    diagnostics = found_by(action, outcome)
    good = bool(outcome["ok"])
    return Result(
        action.name,
        status if good else Status.FAILED,
        reason,
        key,
        good,
        diagnostics,
        outcome["summary"],
        status is not Status.RAN,
    )
