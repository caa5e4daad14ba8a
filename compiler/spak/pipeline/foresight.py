"""What a build would do and why, without doing it. Knows the engine's key walk and cache, and changes nothing in the
tree.

Stages that are cheap and deterministic are run aside, to see whether their outputs change: that is how an edit of a
comment is known
to stop there. What a compiler will write cannot be known: what depends on it would run *unless* that file comes out
identical.
"""

# ruff: noqa: PTH118
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import enum
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.digest import Field, first_difference
from spak.errors import Diagnostic, SpakError
from spak.pipeline import outputs
from spak.pipeline.action import Action
from spak.pipeline.executor import found_by
from spak.pipeline.keys import key_of
from spak.pipeline.replies import UNKNOWN, prospect
from spak.pipeline.session import Session
from spak.store.digests import ABSENT


class What(enum.Enum):
    """What would become of an action. `executes` is true of those for which a stage would run."""

    UP_TO_DATE = "up to date"
    RESTORE = "restore"  # copied out of the cache
    RUN = "run"
    KEEP = "keep"  # a codegen that replays the locked reply: nothing it depends on has changed its question
    RE_VERIFY = "re-verify"  # a codegen whose pinned reply is judged against what changed; nobody is asked if it passes
    ASK = "ask"  # a codegen without a reply
    FAILED = "failed"  # known to fail with these very inputs
    BLOCKED = "blocked"  # what it needs fails, or waits for an answer

    @property
    def executes(self) -> bool:
        return self in (What.RUN, What.KEEP, What.RE_VERIFY, What.ASK)

    @property
    def pending(self) -> bool:
        return self.executes or self is What.RESTORE


@dataclass(frozen=True, slots=True)
class Step:
    """`unless` names the input whose making may show that nothing has to be done after all; '' if the step is
    certain.
    """

    name: str
    what: What
    reason: str = ""
    unless: str = ""
    fields: tuple[Field, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what.value,
            "reason": self.reason,
            "unless": self.unless,
            "diagnostics": [one.to_json() for one in self.diagnostics],
        }


class Foresight:
    """One look ahead. Needs no lock: it reads."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.steps: dict[str, Step] = {}
        self._foretold: dict[str, str] = {}  # outputs that would change -> digest or UNKNOWN
        self._aside = ""

    def look(self, names: Iterable[str]) -> list[Step]:
        """The steps for the named actions and all that they need, in order."""
        wanted = self.session.network.closure(names)
        with tempfile.TemporaryDirectory(prefix="spak-plan-") as aside:
            self._aside = aside
            for name in self.session.network.order:
                if name in wanted:
                    self.steps[name] = self._step(self.session.network.actions[name])
        self.session.workers.close()
        return list(self.steps.values())

    def _digest_of(self, path: str) -> str:
        return self._foretold.get(path) or self.session.keys.digests.of(path)

    def _step(self, action: Action) -> Step:
        needs = [self.steps[name] for name in self.session.network.needs[action.name]]
        stopped = next((step for step in needs if step.what in (What.ASK, What.FAILED, What.BLOCKED)), None)
        if stopped is not None:
            reason = stopped.reason if stopped.what is What.BLOCKED else f"{stopped.name} would {_verb(stopped.what)}"
            return Step(action.name, What.BLOCKED, reason)
        unknown = next((p for p in sorted((*action.inputs, *action.optional)) if self._foretold.get(p) == UNKNOWN), "")
        try:
            fields = self.session.keys.fields(action, self._digest_of)
            step = self._inline(action, fields) if action.inline else self._plain(action, fields, unknown)
        except SpakError as error:
            return Step(action.name, What.FAILED, "", "", (), error.diagnostics)
        return step

    def _plain(self, action: Action, fields: tuple[Field, ...], unknown: str) -> Step:
        if unknown:
            self._foretell(action, dict.fromkeys(action.outputs, UNKNOWN))
            if certain := self._changed_otherwise(action, fields):
                return Step(action.name, What.RUN, certain, "", fields)
            maker = self.session.network.maker.get(unknown, "")
            return Step(action.name, What.RUN, f"{maker} makes {unknown} anew", unknown, fields)
        key = key_of(fields)
        record = self.session.journal.get(action.name)
        same = record is not None and record["key"] == key
        wrong = outputs.intact(record["outputs"], self.session.keys.digests) if record is not None and same else ""
        if record is not None and same and not wrong:
            return self._known(action, What.UP_TO_DATE, record["outcome"], "", fields)
        reason = wrong or ("never built here" if record is None else self.session.executor.why(action.name, fields))
        entry = self.session.cache.get(key)
        if entry is not None and all(self.session.cas.path(digest).is_file() for digest, _ in entry.outputs.values()):
            self._foretell(action, {path: digest for path, (digest, _) in entry.outputs.items()})
            self._fetch(action, entry.outputs)
            return self._known(action, What.RESTORE, entry.outcome, reason, fields)
        made = self._run_aside(action) if action.foreseeable else None
        self._foretell(action, made if made is not None else dict.fromkeys(action.outputs, UNKNOWN))
        return Step(action.name, What.RUN, reason, "", fields)

    def _changed_otherwise(self, action: Action, fields: tuple[Field, ...]) -> str:
        """What has changed besides the inputs that cannot be foretold: the action then runs however those come out."""
        record = self.session.journal.get(action.name)
        entry = self.session.cache.get(record["key"]) if record is not None else None
        if entry is None:
            return ""
        unknown = {path for kind, path, digest in fields if kind == "input" and digest == UNKNOWN}
        return first_difference(*([one for one in walk if one[1] not in unknown] for walk in (entry.fields, fields)))

    def _known(
        self, action: Action, what: What, outcome: dict[str, Any], reason: str, fields: tuple[Field, ...]
    ) -> Step:
        if outcome["ok"]:
            return Step(action.name, what, reason, "", fields)
        return Step(action.name, What.FAILED, reason or "known to fail", "", fields, found_by(action, outcome))

    def _inline(self, action: Action, fields: tuple[Field, ...]) -> Step:
        record = self.session.journal.get(action.name)
        key = key_of(fields)
        wrong = ""
        if record is not None and record["key"] == key:
            wrong = outputs.intact(record["outputs"], self.session.keys.digests)
            if not wrong:
                return Step(action.name, What.UP_TO_DATE, "", "", fields)
        reason = wrong or ("never built here" if record is None else self.session.executor.why(action.name, fields))
        what, why, files = prospect(action, self._digest_of)
        self._foretell(action, files)
        return Step(action.name, What(what), why or reason, "", fields)

    def _foretell(self, action: Action, digests: dict[str, str]) -> None:
        """Note what the outputs would be; one that stays what it is needs no note."""
        for path in action.outputs:
            digest = digests.get(path, ABSENT)
            if digest == UNKNOWN or digest != self.session.keys.digests.of(path):
                self._foretold[path] = digest

    def _fetch(self, action: Action, made: outputs.Made) -> None:
        """Have restored files at hand for what is run aside."""
        for path, (digest, mode) in made.items():
            self.session.cas.checkout(digest, os.path.join(self._aside, path), mode)

    def _run_aside(self, action: Action) -> dict[str, str] | None:
        """Run a stage in a scratch copy of its inputs; None if it does not succeed there."""
        for path in (*action.inputs, *action.optional):
            here = Path(self._aside) / path
            if not here.exists() and Path(path).exists():
                here.parent.mkdir(parents=True, exist_ok=True)
                here.symlink_to(Path(path).resolve())
        for path in action.outputs:
            (Path(self._aside) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(self._aside) / path).unlink(missing_ok=True)
        job = {"stage": action.stage, "options": dict(action.options), "env": {}}
        self.session.workers.start()
        done = self.session.workers.run(job, seconds=action.seconds, cwd=self._aside)
        if done.outcome is None or not done.outcome["ok"]:
            return None
        return {path: self.session.keys.digests.of(os.path.join(self._aside, path)) for path in action.outputs}


def _verb(what: What) -> str:
    return {What.ASK: "ask", What.FAILED: "fail", What.BLOCKED: "be blocked"}[what]


def exit_code(steps: list[Step]) -> int:
    """0 if a build would do nothing, 2 if it would, 1 if all that is left is known to fail."""
    if any(step.what.pending for step in steps):
        return 2
    return 1 if any(step.what in (What.FAILED, What.BLOCKED) for step in steps) else 0
