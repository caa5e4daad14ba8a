"""The table at the end of a build: unit, variant, target, verdict, evidence. Knows the evidence files, not how they
came about.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.pipeline.execution.result import Result, Status
from spak.pipeline.graph.action import Action
from spak.pipeline.graph.network import Network

STAGES = ("check", "compile", "verify")  # in the order in which they add to the evidence


@dataclass(frozen=True, slots=True)
class Row:
    """`verdict` is the evidence's; where there is none, what kept it from being made. `not_checked` says what was
    left out.
    """

    unit: str
    variant: str
    target: str
    verdict: str
    evidence: str
    not_checked: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def rows(network: Network, results: Sequence[Result]) -> list[Row]:
    """One row a unit, variant and target that the results touch, sorted; paths are relative to the working
    directory.
    """
    by_name = {result.name: result for result in results}
    found: dict[tuple[str, str, str], list[Action]] = {}
    for name in by_name:
        action = network.actions[name]
        stage, _, subject = name.partition(":")
        if stage not in STAGES or "@" not in subject:
            continue
        who, _, target = subject.rpartition("@")
        unit, _, variant = who.partition(".")
        found.setdefault((unit, variant, target), []).append(action)
    return [_row(key, actions, by_name) for key, actions in sorted(found.items())]


def _row(key: tuple[str, str, str], actions: list[Action], results: dict[str, Result]) -> Row:
    """The first stage that is not good decides, else the last."""
    ordered = sorted(actions, key=lambda action: STAGES.index(action.name.partition(":")[0]))
    decisive = next((action for action in ordered if not results[action.name].status.good), ordered[-1])
    result = results[decisive.name]
    path = next((path for path in decisive.outputs if "/evidence/" in path and Path(path).is_file()), "")
    if result.status is Status.BLOCKED:
        waits = "waiting" in result.reason
        return Row(*key, "waiting" if waits else "blocked", result.reason)
    if result.broken or not path:
        return Row(*key, result.status.value if not result.status.good else "built", path)
    try:
        evidence = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return Row(*key, "unreadable", path)
    stage = decisive.name.partition(":")[0]
    verdict = str(evidence.get("verdict", ""))
    words = verdict if verdict != "passed" or stage == "verify" else {"check": "checked", "compile": "compiled"}[stage]
    return Row(*key, words, path, tuple(evidence.get("not_checked", ())))


def table(found: Sequence[Row]) -> str:
    """The rows as text, columns aligned; '' if there are none."""
    if not found:
        return ""
    head = ("unit", "variant", "target", "verdict", "evidence")
    lines = [head, *((row.unit, row.variant, row.target, row.verdict, row.evidence) for row in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def summary(results: Sequence[Result]) -> str:
    """One line: `153 actions: 140 up-to-date, 12 ran, 1 failed`."""
    counts = {status: sum(result.status is status for result in results) for status in Status}
    parts = [f"{count} {status.value}" for status, count in counts.items() if count]
    return f"{len(results)} actions: {', '.join(parts)}" if results else "nothing to do: there is no unit in specs/"
