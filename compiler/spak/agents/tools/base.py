"""What a tool is planned to do, what came of it, and what it is given. Knows no tool.

A tool is a file of this folder with two functions. `plan(args, env, policy) -> Planned` computes the arguments and raises
SpakError where the policy refuses; nothing has happened then. `perform(planned, context) -> Result` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from spak.agents.policy import Policy
from spak.agents.services import Services
from spak.digest import sha256_bytes
from spak.errors import Diagnostic, Span
from spak.model.base import canonical_json
from spak.semantics.program import EngineeringLoop, Recommendation

TRACE = "__SPAK_TRACE__"


@dataclass(frozen=True)
class Planned:
    """A call whose arguments are known. `data` is JSON-able and names no absolute path, so that the digest is the same in
    every checkout; `text` says on one line what would be done. `span` is the call's place, and takes no part in the digest.
    """

    tool: str
    data: dict[str, Any]
    text: str
    span: Span | None = field(default=None, compare=False)

    @cached_property
    def digest(self) -> str:
        """What an approval is for, and what an event records as its inputs."""
        return sha256_bytes(self.canonical)

    @property
    def canonical(self) -> bytes:
        return canonical_json({"tool": self.tool, "args": self.data})

    @property
    def allow_failure(self) -> bool:
        """Whether the step goes on although the result is not `ok`."""
        return bool(self.data.get("allow_failure", False))


@dataclass(frozen=True, slots=True)
class Result:
    """`value` is what the output variable gets; `why` says in words why it is not `ok`. All of it is JSON-able."""

    ok: bool
    value: Any = None
    exit_code: int | None = None
    why: str = ""
    stdout: str = ""
    stderr: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of the output that are traces."""
        return tuple(line for line in self.stdout.split("\n") if line.startswith(TRACE))

    def to_json(self) -> dict[str, Any]:
        """As an event records it; `from_json` restores it."""
        return {
            "ok": self.ok,
            "value": self.value,
            "exit_code": self.exit_code,
            "why": self.why,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "diagnostics": [one.to_json() for one in self.diagnostics],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        found = tuple(Diagnostic.from_json(one) for one in data["diagnostics"])
        rest = {name: data[name] for name in ("ok", "value", "exit_code", "why", "stdout", "stderr")}
        return cls(**rest, diagnostics=found)


def _silent(trial: dict[str, Any]) -> None:
    """For whoever does not listen to trials."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tool may use while it works. `root` is the project; `folder` the run's own.

    `loops` are the program's searches, `recommended` what fired rules advise, and `report` hears of each trial.
    """

    root: Path
    policy: Policy
    services: Services
    folder: Path | None = None
    loops: Mapping[str, EngineeringLoop] = field(default_factory=dict)
    recommended: Sequence[Recommendation] = ()
    report: Callable[[dict[str, Any]], None] = _silent
