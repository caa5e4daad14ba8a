"""Compare what the checkers found with the marks in a kernel's source. Knows nothing of the rules themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import sim_harness

KERNELS = Path(__file__).parent / "kernels"


def marks(source: Path, kernel: str) -> dict[int, set[int]]:
    """The lines that carry `//1` and `//2` in the body of a kernel."""
    out: dict[int, set[int]] = {1: set(), 2: set()}
    inside = False
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if started := re.search(r"__global__ void\s+(?:__\w+__\s*\([^)]*\)\s*)*(\w+)\s*\(", line):
            inside = started[1] == kernel
        for mark in re.findall(r"//([12]+)\b", line) if inside else []:
            for digit in mark:
                out[int(digit)].add(number)
    return out


class Bench:
    """Runs kernels of one file in mode check; `clean` and `finds` say what is expected."""

    def __init__(self, name: str, **options: Any) -> None:
        self.source = KERNELS / f"{name}.cu"
        self.kernels = sim_harness.build(self.source, flavour="instrumented", **options)

    def found(self, kernel: str, grid: Any, block: Any, *arguments: Any, **settings: Any) -> list[dict[str, Any]]:
        """The findings of a launch, and the rule of the fault that ended it, if any, as `fault` of each."""
        fault = None
        self.kernels.findings()
        try:
            self.kernels.run(kernel, grid, block, *arguments, **{"mode": "check", **settings})
        except sim_harness.Fault as error:
            fault = error.rule
        return [{**finding, "fault": fault} for finding in self.kernels.findings()]

    def clean(self, kernel: str, grid: Any, block: Any, *arguments: Any, **settings: Any) -> None:
        found = self.found(kernel, grid, block, *arguments, **settings)
        assert not found, found

    def finds(
        self,
        rule: str,
        kernel: str,
        grid: Any,
        block: Any,
        *arguments: Any,
        also: tuple[str, ...] = (),
        **settings: Any,
    ) -> dict[str, Any]:
        """Expects findings of this rule (and of `also`), and one at the marked lines, which it returns."""
        found = self.found(kernel, grid, block, *arguments, **settings)
        assert rule in {finding["rule"] for finding in found} <= {rule, *also}, found
        marked = marks(self.source, kernel)
        for finding in found:
            lines = [party["line"] for party in finding["parties"]]
            if finding["rule"] != rule or lines[0] not in marked[1]:
                continue
            if not marked[2] or lines[1] in marked[2]:
                assert finding["sentence"] and finding["hint"], finding
                return finding
        raise AssertionError((marked, found))

    def finds_either_way(self, rule: str, *arguments: Any, **settings: Any) -> dict[str, Any]:
        """The same, where the schedule decides which of the two comes first."""
        found = self.found(*arguments, **{key: value for key, value in settings.items() if key != "also"})
        assert rule in {finding["rule"] for finding in found} <= {rule, *settings.get("also", ())}, found
        marked = marks(self.source, arguments[0])
        for finding in found:
            first, second = (party["line"] for party in finding["parties"][:2])
            if finding["rule"] == rule and (
                (first in marked[1] and second in marked[2]) or (first in marked[2] and second in marked[1])
            ):
                return finding
        raise AssertionError((marked, found))


def floats(n: int) -> np.ndarray:
    return np.zeros(n, np.float32)


def ints(n: int) -> np.ndarray:
    return np.zeros(n, np.int32)
