"""What became of an action. Knows neither how it was executed nor how it is shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Diagnostic


class Status(enum.Enum):
    """Each value states what held when it was given. FAILED, WAITING and BLOCKED are the only ones that stop
    dependants.
    """

    UP_TO_DATE = "up-to-date"  # the record has this key, it succeeded, and every output is as recorded
    RESTORED = "restored"  # the cache has this key, it succeeded, and every output was copied out and verified
    RAN = "ran"  # the stage ran, succeeded, made every output, and no input changed meanwhile
    FAILED = "failed"  # the subject failed (perhaps earlier, with this very key), or the stage broke; see `diagnostics`
    WAITING = "waiting"  # the stage asked, and the answer comes later: nothing is wrong
    BLOCKED = "blocked"  # something that it needs failed, waits or is blocked: it was not looked at

    @property
    def good(self) -> bool:
        return self in (Status.UP_TO_DATE, Status.RESTORED, Status.RAN)


@dataclass(frozen=True, slots=True)
class Result:
    """`reason` says why it was executed, or what it is blocked by. `served`: nothing ran for it. `broken`: the stage
    could not do its
    work, so that nothing is known of the subject and nothing was recorded.
    """

    name: str
    status: Status
    reason: str = ""
    key: str = ""
    ok: bool = True
    diagnostics: tuple[Diagnostic, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)
    served: bool = False
    broken: bool = False
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """As events and `--json` show it."""
        return {
            "name": self.name,
            "status": self.status.value,
            "reason": self.reason,
            "key": self.key,
            "ok": self.ok,
            "served": self.served,
            "broken": self.broken,
            "seconds": round(self.seconds, 6),
            "diagnostics": [one.to_json() for one in self.diagnostics],
            "summary": self.summary,
        }


def exit_code(results: list[Result]) -> int:
    """0 done, 1 something failed, 3 something waits for an answer and nothing failed."""
    statuses = {result.status for result in results}
    if Status.FAILED in statuses:
        return 1
    return 3 if Status.WAITING in statuses else 1 if Status.BLOCKED in statuses else 0
