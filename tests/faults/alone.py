"""The driver, with its jobs done in the driver itself: for graphs whose size is the point, where a process a job would tell
no more.
"""

from __future__ import annotations

import sys
from typing import Any

from spak.pipeline.execution import session
from spak.pipeline.execution.worker import perform
from spak.pipeline.execution.workers import Done, Workers

from tests.faults import drive


class Alone(Workers):
    """Workers without a nursery."""

    def start(self) -> None:
        pass

    def run(self, job: dict[str, Any], *, seconds: float, cwd: str = "", argv: tuple[str, ...] = ()) -> Done:
        status, answer = perform(job)
        assert status == 0, answer
        return Done(answer)


if __name__ == "__main__":
    session.Workers = Alone  # type: ignore[misc]
    sys.exit(drive.main())
