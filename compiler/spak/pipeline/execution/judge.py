"""Judging what an inline stage has just written: its check, compile and verify actions, in order. Knows nothing of
replies.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spak.errors import SpakError
from spak.model.outcome import Outcome
from spak.pipeline.execution.executor import Executor
from spak.pipeline.execution.result import Result
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.network import Network
from spak.pipeline.graph.tuned import blamed, complaint


class Judge:
    """Executes an action's judges and what they need, through the same executor as the build, so that nothing is
    done twice.
    """

    def __init__(self, action: Action, network: Network, executor: Executor) -> None:
        self.action, self.network, self.executor = action, network, executor

    def __call__(self) -> Outcome:
        """Their outcomes as one. Raises SpakError where a judge could not judge: that says nothing about what was
        written.
        """
        above = self.network.closure([self.action.name])
        wanted = self.network.closure(self.action.judges) - above
        results: dict[str, Result] = {}
        for name in self.network.order:
            needs = [other for other in self.network.needs[name] if other in wanted]
            if name in wanted and all(other in results and results[other].status.good for other in needs):
                results[name] = self._execute(name)
        judged = [results[name] for name in self.action.judges if name in results]
        ok = len(judged) == len(self.action.judges) and all(result.status.good for result in judged)
        diagnostics = tuple(one.to_json() for result in judged for one in result.diagnostics)
        return Outcome(ok=ok, diagnostics=diagnostics, summary={"targets": self._targets(results)})

    def _execute(self, name: str) -> Result:
        action = self.network.actions[name]
        result = self.executor.look(action) or self.executor.execute(action)
        if not result.status.good and (result.broken or name not in self.action.judges):
            raise SpakError(*result.diagnostics)
        if not result.status.good and (path := blamed(action.options)):
            raise SpakError(complaint(path, name), *result.diagnostics)
        return result

    def _targets(self, results: dict[str, Result]) -> list[dict[str, Any]]:
        """What the lock records of each target: digests of the module and of the evidence, and the last verdict."""
        found: dict[str, dict[str, Any]] = {}
        for name in self.action.judges:
            stage, target = name.partition(":")[0], name.rpartition("@")[2] if "@" in name else ""
            if name not in results or not target:
                continue
            row = found.setdefault(target, {"name": target, "build": "", "evidence": "", "verdict": ""})
            for path in self.network.actions[name].outputs:
                if stage == "compile" and path.endswith(".so"):
                    row["build"] = self._digest(path)
                if path.endswith(".json") and "/evidence/" in path:
                    row["evidence"], row["verdict"] = self._digest(path), _verdict(path)
        return [found[target] for target in sorted(found)]

    def _digest(self, path: str) -> str:
        digest = self.executor.keys.digests.of(path)
        return digest if digest.startswith("sha256:") else ""


def _verdict(path: str) -> str:
    try:
        return str(json.loads(Path(path).read_bytes()).get("verdict", ""))
    except (OSError, ValueError):
        return ""
