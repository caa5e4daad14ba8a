"""Writes the ticket of an action that a runbook knows; anything else is refused. It acts on nothing by itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ACTIONS = {
    "restart": "kubectl rollout restart deployment/{}",
    "rollback": "kubectl rollout undo deployment/{}",
    "scale": "kubectl scale deployment/{} --replicas=4",
    "wait": "true",
}


def main() -> int:
    action, service, file = sys.argv[1:4]
    if action not in ACTIONS or not service.isidentifier():
        print(f"the runbook has no {action!r} for {service!r}", file=sys.stderr)
        return 2
    command = ACTIONS[action].format(service)
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(json.dumps({"action": action, "service": service, "command": command}, indent=2) + "\n")
    print(command)
    return 0


if __name__ == "__main__":
    sys.exit(main())
