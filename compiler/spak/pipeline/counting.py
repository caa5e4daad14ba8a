"""The simulator's counters in verification evidence, as numbers that a trace can hold. Knows nothing of what is counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spak.sim import profile

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


def total(launches: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The counters of all launches, by name; `launches` is how many there were."""
    return {"launches": len(launches), **profile.total(launches)} if launches else {}
