"""Judges the reply that lies in a tree as the build would: executes `check`, `verify` and what they need.

`python judging.py UNIT.VARIANT@TARGET`, run in the tree. Only `codegen` is left out, which would refuse a reply that was
edited by hand. Prints `{"stage": the first that rejects it or "", "said": [...]}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from spak.pipeline.execution.session import Session


def judge(session: Session, name: str) -> dict[str, object]:
    """Execute check, compile and verify of one module, and what they read, up to the first rejection."""
    network = session.network
    wanted = network.closure([f"check:{name}", f"verify:{name}"])
    for step in (s for s in network.order if s in wanted and not network.actions[s].inline):
        result = session.executor.execute(network.actions[step])
        if not result.ok:
            said = [f"{d.code} {d.message} {d.hint}" for d in result.diagnostics]
            return {"stage": step.partition(":")[0], "said": said}
    return {"stage": "", "said": []}


if __name__ == "__main__":
    session = Session(Path.cwd())
    session.open()
    try:
        print(json.dumps(judge(session, sys.argv[1])))
    finally:
        session.close()
