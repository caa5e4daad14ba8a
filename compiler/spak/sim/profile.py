"""The counters of a run in mode profile, as a table a kernel. Knows nothing of how they were counted, nor what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_SIZES = frozenset({"threads_a_block"})


def text(lines: str) -> str:
    """For people: each kernel with its launches and the sums of their counters."""
    kernels: dict[str, list[dict[str, Any]]] = {}
    for line in lines.splitlines():
        for launch in json.loads(line) if line.strip() else ():
            kernels.setdefault(launch["kernel"], []).append(launch)
    return "\n".join(_kernel(name, launches) for name, launches in kernels.items())


def total(launches: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The sum of each counter over launches, sorted by name, and the largest of what is a size and no count."""
    found: dict[str, float] = {}
    for launch in launches:
        for name, value in launch["counters"].items():
            before = found.get(name, 0)
            found[name] = max(before, value) if name in _SIZES else before + value
    return dict(sorted(found.items()))


def _kernel(name: str, launches: list[dict[str, Any]]) -> str:
    sums = total(launches)
    shapes = sorted({f"{_triple(launch.get('grid'))} x {_triple(launch.get('block'))}" for launch in launches})
    several = f", {len(launches)} launches" if len(launches) > 1 else ""
    width = max((len(counter) for counter in sums), default=0)
    rows = [f"  {counter:<{width}}  {_number(value):>16}" for counter, value in sums.items() if value]
    return "\n".join([f"profile of `{name}`, {', '.join(shapes[:4])}{several}", *rows]) + "\n"


def _triple(sizes: Any) -> str:
    return "(" + ",".join(str(size) for size in sizes) + ")" if isinstance(sizes, list) else str(sizes)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) or value == int(value) else f"{value:,.3f}"
