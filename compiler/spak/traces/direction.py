"""Which way a figure is better, by the words of its name. Knows names only: where a program says it, that is what holds."""

from __future__ import annotations

import re

_LOWER = re.compile(
    r"(?:^|_)(?:seconds|secs?|time|latency|duration|ms|us|ns|cost|price|tokens|errors?|err|failures?|failed|loss"
    r"|memory|regret|retries|attempts|misses|conflicts|warnings|violations)(?:_|$)"
)


def lower_is_better(name: str) -> bool:
    """Whether less is better: of times, costs and counts of what goes wrong. Of everything else more is."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace(".", "_")
    return _LOWER.search(spaced) is not None
