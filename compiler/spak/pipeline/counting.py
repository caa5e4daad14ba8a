"""The simulator's counters in verification evidence, as numbers that a trace can hold. Knows nothing of what is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Of the check in the evidence that holds them: `spak.verify.verification`.
CHECK = "counters"


def counters(evidence: str) -> dict[str, float]:
    """What the launches of one run counted, added up; empty where the evidence has none, as that of other targets."""
    try:
        checks = json.loads(Path(evidence).read_bytes())["checks"]
        launches = next(one["figures"]["launches"] for one in checks if one["name"] == CHECK)
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return {}
    return total(launches)


def total(launches: list[Mapping[str, Any]]) -> dict[str, float]:
    """The sum of each counter over launches, by name; `launches` is how many there were."""
    found: dict[str, float] = {}
    for launch in launches:
        for name, value in launch["counters"].items():
            found[name] = found.get(name, 0) + value
    return {"launches": len(launches), **dict(sorted(found.items()))} if launches else {}
