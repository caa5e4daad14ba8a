"""The counters of a run in mode profile, as a table a kernel with its costliest lines. Knows nothing of how they were counted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.errors import Span
from spak.sim import findings

_SIZES = frozenset({"threads_a_block"})
_SHAPES, _LINES = 4, 8  # of one kernel, that are shown


@dataclass(frozen=True, slots=True)
class Profile:
    """One kernel: the shapes of its launches, how many there were, and their counters, in all and by source line."""

    kernel: str
    shapes: tuple[str, ...]
    launches: int
    counters: Mapping[str, float]
    lines: tuple[tuple[Span, Mapping[str, float]], ...] = ()

    def data(self) -> dict[str, Any]:
        """The form of `--report json`."""
        return {
            "kernel": self.kernel,
            "shapes": list(self.shapes),
            "launches": self.launches,
            "counters": dict(self.counters),
            "lines": [{"file": at.file, "line": at.line, "counters": dict(counted)} for at, counted in self.lines],
        }


def read(text: str, module: Path | None = None, sources: Mapping[str, str] | None = None) -> tuple[Profile, ...]:
    """The arrays of take_counters(), one a line. `module` and `sources` are as for `findings.read`."""
    kernels: dict[str, list[dict[str, Any]]] = {}
    for line in text.splitlines():
        for launch in json.loads(line) if line.strip() else ():
            kernels.setdefault(launch["kernel"], []).append(launch)
    places = [row for launches in kernels.values() for launch in launches for row in launch.get("places", ())]
    spans = findings.spans(module, {int(row["pc"], 16) for row in places}, sources) if module else {}
    return tuple(_profile(name, launches, spans) for name, launches in kernels.items())


def _profile(name: str, launches: Sequence[Mapping[str, Any]], spans: Mapping[int, Span]) -> Profile:
    shapes = sorted({f"{_triple(launch.get('grid'))} x {_triple(launch.get('block'))}" for launch in launches})
    lines: dict[Span, list[Mapping[str, Any]]] = {}
    for launch in launches:
        for row in launch.get("places", ()):
            if span := spans.get(int(row["pc"], 16)):
                lines.setdefault(span, []).append(row)
    by_line = tuple((span, total(lines[span])) for span in sorted(lines))
    return Profile(name, tuple(shapes), len(launches), total(launches), by_line)


def total(launches: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The sum of each counter over launches, sorted by name, and the largest of what is a size and no count."""
    found: dict[str, float] = {}
    for launch in launches:
        for name, value in launch["counters"].items():
            before = found.get(name, 0)
            found[name] = max(before, value) if name in _SIZES else before + value
    return dict(sorted(found.items()))


def text(profiles: Iterable[Profile]) -> str:
    """For people: the counters of each kernel, and the lines that take more sectors or wavefronts than they have to."""
    return "\n".join(map(_kernel, profiles))


def _kernel(one: Profile) -> str:
    several = f", {one.launches} launches" if one.launches > 1 else ""
    width = max((len(counter) for counter in one.counters), default=0)
    out = [f"profile of `{one.kernel}`, {', '.join(one.shapes[:_SHAPES])}{several}"]
    out += [f"  {counter:<{width}}  {_number(value):>16}" for counter, value in one.counters.items() if value]
    return "\n".join([*out, *_costly(one)]) + "\n"


def _costly(one: Profile) -> list[str]:
    """The lines with an excess, the largest first."""
    found = []
    for at, counted in one.lines:
        for name, least in counted.items():
            value = counted.get(name.removesuffix("_least"), 0)
            if name.endswith("_least") and value > least > 0:
                times = f"{_number(value)}, where {_number(least)} would do ({value / least:.1f} times)"
                found.append((least - value, f"    {at.file}:{at.line}: {name.removesuffix('_least')} {times}"))
    shown = [line for _, line in sorted(found)[:_LINES]]
    return ["  more than the least:", *shown] if shown else []


def _triple(sizes: Any) -> str:
    return "(" + ",".join(str(size) for size in sizes) + ")" if isinstance(sizes, list) else str(sizes)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) or value == int(value) else f"{value:,.3f}"
