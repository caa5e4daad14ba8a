"""What was run: mode, device, schedule, and the shapes of launches. Knows nothing of what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SHOWN = 4  # shapes of one kernel in a sentence
SCHEDULE = ("order", "seed", "completion", "sample_blocks")  # what decides which interleaving is run
ENGINES_OWN = {"seed": "0", "completion": "lazy"}  # what is in force where nothing is said


def words(order: str, seed: object, completion: str) -> str:
    """`random order, seed 1, eager completion`."""
    return f"{order} order, {f'seed {seed}, ' if order == 'random' else ''}{completion} completion"


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a launch."""

    kernel: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    cluster: tuple[int, ...] = (1, 1, 1)
    shared_bytes: int = 0

    def __str__(self) -> str:
        cluster = f" in clusters of {_triple(self.cluster)}" if self.cluster != (1, 1, 1) else ""
        shared = f" with {self.shared_bytes} bytes" if self.shared_bytes else ""
        return f"{_triple(self.grid)} x {_triple(self.block)}{cluster}{shared}"


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a program. `options` are those of SCHEDULE that were given or stand in the environment."""

    mode: str
    device: str
    options: Mapping[str, str]
    shapes: tuple[Shape, ...] = ()

    @property
    def schedule(self) -> dict[str, str]:
        """Order, seed and completion, also where the engine chose them."""
        order = self.options.get("order") or ("random" if self.options.get("seed") else "forward")
        return {"order": order, **{key: self.options.get(key) or value for key, value in ENGINES_OWN.items()}}

    def __str__(self) -> str:
        sampled = self.options.get("sample_blocks")
        said = f"{self.mode} mode on {self.device}, {words(**self.schedule)}"
        said += f", first, last and {sampled} other blocks of each grid" if sampled else ""
        kernels = dict.fromkeys(shape.kernel for shape in self.shapes)
        return "; ".join([said, *map(self._kernel, kernels)]) if kernels else f"{said}; no kernel was launched"

    def _kernel(self, kernel: str) -> str:
        shapes = [str(shape) for shape in self.shapes if shape.kernel == kernel]
        more = f" and {len(shapes) - _SHOWN} more shapes" if len(shapes) > _SHOWN else ""
        return f"`{kernel}` {', '.join(shapes[:_SHOWN])}{more}"

    def data(self) -> dict[str, Any]:
        """The form of `--report json`."""
        schedule = self.schedule
        return {
            "mode": self.mode,
            "device": self.device,
            "order": schedule["order"],
            "seed": int(schedule["seed"]),
            "completion": schedule["completion"],
            "sample_blocks": int(self.options.get("sample_blocks") or 0),
            "launches": [
                {
                    "kernel": shape.kernel,
                    "grid": list(shape.grid),
                    "block": list(shape.block),
                    "cluster": list(shape.cluster),
                    "shared_bytes": shape.shared_bytes,
                }
                for shape in self.shapes
            ],
        }


def shapes(lines: str) -> tuple[Shape, ...]:
    """What a program has written of its launches, a line a shape, the last of which may be cut short."""
    found = []
    for line in lines.splitlines():
        try:
            row = json.loads(line)
            grid, block, cluster = (tuple(map(int, row[name])) for name in ("grid", "block", "cluster"))
            found.append(Shape(str(row["kernel"]), grid, block, cluster, int(row["shared_bytes"])))
        except (ValueError, KeyError, TypeError):
            continue
    return tuple(found)


def _triple(sizes: tuple[int, ...]) -> str:
    return "(" + ",".join(map(str, sizes)) + ")"
