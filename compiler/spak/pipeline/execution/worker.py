"""A worker: runs one stage in a process of its own. Knows nothing of the graph, of keys or of caches.

`python -m spak.pipeline.execution.worker` reads `{"stage": ..., "options": ...}` from stdin and prints the Outcome as JSON; its
exit status is
then 0, also for a subject that failed. What breaks the stage is printed as `{"diagnostics": [...]}` with exit status 4.
Whatever the
stage itself prints goes to stderr.
"""

# ruff: noqa: PTH123
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import json
import os
import sys
from typing import Any

BROKEN = 4


def main() -> int:
    """Serve the one job on stdin."""
    out = os.dup(1)
    os.dup2(2, 1)
    status, answer = perform(json.loads(sys.stdin.buffer.read()))
    sys.stdout.flush()
    with open(out, "wb") as file:
        file.write(json.dumps(answer, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass"))
    return status


def module_name(stage: str) -> str:
    """The module of a stage: `parse` is `spak.parse`; a dotted name is taken as it is."""
    return stage if "." in stage else f"spak.{stage}"


def perform(job: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Run a stage; returns the exit status and what to print. Exceptions other than SpakError are crashes and pass
    through.
    """
    import importlib

    from spak.effects import Effects
    from spak.errors import SpakError

    try:
        stage = importlib.import_module(module_name(job["stage"]))
        outcome = stage.run(stage.Options.model_validate(job["options"]), Effects())
    except SpakError as error:
        return BROKEN, {"diagnostics": [one.to_json() for one in error.diagnostics]}
    return 0, outcome.model_dump(mode="json")


if __name__ == "__main__":
    sys.exit(main())
