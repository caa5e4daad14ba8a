"""Trials of a command: it is run with the configuration in its holes, and says the metric in a trace line or a last line of JSON.
Knows neither strategies nor kernels.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from spak.digest import sha256_bytes, sha256_file
from spak.errors import Diagnostic, SpakError
from spak.measure.environment import Environment, machine
from spak.measure.exclusive import HELD, exclusively
from spak.model.base import canonical_json
from spak.optimize.cache import TrialCache
from spak.optimize.runners.live import Live, Subject
from spak.optimize.space import Config, Space
from spak.optimize.trial import Trial
from spak.pipeline.measuring.form import Form, Say
from spak.semantics.program import EngineeringLoop, Fields

if TYPE_CHECKING:
    from spak.agents.policy import Policy
    from spak.agents.tools.base import Planned

MARKER = "__SPAK_TRACE__"
LAST_WORDS = 200


def command_form(
    root: Path, loop: EngineeringLoop, cache: TrialCache, policy: Policy | None, say: Say, again: bool = False
) -> Form:
    """The form of a command's sweep. Raises SpakError for a command that cannot be run at all, or that the policy refuses."""
    from spak.agents.policy import Policy as Default

    runner = _Command(root, loop, policy or Default(project=root), say)
    first = next(Space(loop.parameters, loop.constraints).every(), None)
    if first is not None:
        runner.plan(first)
    environment = Environment.of(machine())
    measure = loop.measure
    workload = {
        "metric": measure.metric,
        "emits": measure.emits,
        "repeats": measure.repeats,
    }
    digest = sha256_bytes(canonical_json(workload))
    live = Live(cache, digest, environment.digest, runner.subjects, runner.measure, again)
    return Form(live, Space(loop.parameters, loop.constraints), environment.to_json(), {}, lambda trial: trial.ok)


class _Command:
    def __init__(self, root: Path, loop: EngineeringLoop, policy: Policy, say: Say) -> None:
        self.root, self.loop, self.policy, self.say = root, loop, policy, say
        self._digests: dict[str, str] = {}

    def plan(self, config: Config) -> Planned:
        """The very arguments, checked against the policy as those of `tool.run` are."""
        from spak.agents.tools import run

        measure = self.loop.measure
        if measure.cmd is None:
            span = measure.span if measure.span.file else None
            raise SpakError(
                Diagnostic("SPK669", f"loop {self.loop.name} measures nothing", span, "add `cmd:` or `kernel:`")
            )
        planned = run.plan(Fields((("cmd", measure.cmd),), span=measure.span), dict(config), self.policy)
        planned.data["timeout"] = measure.timeout
        return planned

    def files(self, planned: Planned) -> dict[str, str]:
        """Digests of the files that a command names, the program itself among them: what they hold is what is measured."""
        argv: list[str] = planned.data["argv"]
        found = {word: self._digest(str(self.root / word)) for word in argv}
        found[argv[0]] = self._digest(shutil.which(argv[0], path=_path()) or str(self.root / argv[0]))
        return {word: digest for word, digest in sorted(found.items()) if digest}

    def _digest(self, path: str) -> str:
        """Of a file as it was when the sweep first came to it; '' for what is none that can be read."""
        if path not in self._digests:
            try:
                self._digests[path] = sha256_file(path) if Path(path).is_file() else ""
            except OSError:
                self._digests[path] = ""
        return self._digests[path]

    def subjects(self, configs: Sequence[Config]) -> list[Subject]:
        """A command's digest is that of its arguments and of the files that they name; nothing is made ahead."""
        return [
            Subject(sha256_bytes(canonical_json({"command": one.digest, "files": self.files(one)})), "", one)
            for one in map(self.plan, configs)
        ]

    def measure(self, config: Config, subject: Subject) -> Trial:
        """Run it as often as the loop says. The metric is the median."""
        from spak.agents.tools import run

        began = time.monotonic()
        values: list[float] = []
        fields: dict[str, Any] = {}
        for _ in range(max(1, self.loop.measure.repeats)):
            planned: Planned = subject.handle
            planned.data["env"] = {**planned.data["env"], HELD: "1"}
            with exclusively(self.say):
                done = run.perform(planned, self._context())
            if not done.ok:
                said = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
                return Trial(config, "failed", why=f"{done.why}: {said[0][:LAST_WORDS]}".rstrip(": "))
            fields, why = metrics(done.stdout, self.loop.measure.metric, self.loop.measure.emits)
            if why:
                return Trial(config, "failed", why=why)
            values.append(float(fields[self.loop.measure.metric]))
        figures = {**fields, "wall_seconds": round((time.monotonic() - began) / len(values), 6)}
        return Trial(config, "measured", median(values), tuple(values), figures)

    def _context(self) -> Any:
        from spak.agents.tools.base import Context
        from spak.pipeline.measuring.services import Services

        return Context(self.root, self.policy, Services(self.root))


def _path() -> str:
    """Where `tool.run` finds programs: those beside our Python first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def metrics(stdout: str, metric: str, emits: str) -> tuple[dict[str, Any], str]:
    """The fields of the last trace line that has the metric, else of a last line of JSON; and what is wrong, '' if nothing."""
    found: dict[str, Any] | None = None
    lines = stdout.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.startswith(MARKER):
            continue
        try:
            body = json.loads(line[len(MARKER) :])
        except (ValueError, RecursionError) as error:
            return {}, f"line {number} of the output is no trace: {error}"
        if not isinstance(body, dict):
            return {}, f"line {number} of the output is no trace: it is no object"
        case = str(body.get("case", body.get("type", body.get("kind", ""))))
        fields = (
            body["fields"]
            if isinstance(body.get("fields"), dict)
            else {k: v for k, v in body.items() if k not in _TAGS}
        )
        if metric in fields and (not emits or case.rsplit(".", 1)[-1] == emits.rsplit(".", 1)[-1]):
            found = fields
    if found is None:
        found = _last(lines, metric)
    if found is None:
        wanted = f" of case {emits}" if emits else ""
        return {}, f"the output has no trace line{wanted} with {metric!r}, and no last line of JSON with it"
    value = found[metric]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return {}, f"{metric} is {value!r}, where a finite number is needed"
    return found, ""


_TAGS = ("case", "type", "kind")


def _last(lines: Sequence[str], metric: str) -> dict[str, Any] | None:
    last = next((line for line in reversed(lines) if line.strip()), "")
    try:
        body = json.loads(last)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and metric in body else None
