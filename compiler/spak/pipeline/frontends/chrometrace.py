"""A Chrome trace of a build, with its critical path. Knows only events and who needs whom."""

from __future__ import annotations

import json
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

from spak.pipeline.execution.events import Event
from spak.store import atomic


class ChromeTrace:
    """A listener; `write` makes the file that chrome://tracing and Perfetto read."""

    def __init__(self, needs: Mapping[str, tuple[str, ...]]) -> None:
        self._needs = needs
        self._began: dict[str, Event] = {}
        self._spans: dict[str, dict[str, Any]] = {}
        self._lanes: list[str] = []

    def __call__(self, event: Event) -> None:
        name = event.get("name", "")
        if event["event"] == "start":
            self._began[name] = event
            free = self._lanes.index("") if "" in self._lanes else len(self._lanes)
            self._lanes[free : free + 1] = [name]
        if event["event"] == "finish" and name in self._began:
            start = self._began.pop(name)
            lane = self._lanes.index(name)
            self._lanes[lane] = ""
            args = {"status": event["status"], "reason": start["reason"]}
            self._spans[name] = {
                "name": name, "cat": start["stage"], "ph": "X", "pid": 1, "tid": lane + 1,
                "ts": round(start["t"] * 1e6), "dur": round((event["t"] - start["t"]) * 1e6), "args": args,
            }  # fmt: skip

    def critical_path(self) -> list[str]:
        """The chain of actions that the build could not have been faster than, first to last."""
        best: dict[str, tuple[int, str]] = {}
        above = {name: self._above(name) for name in sorted(self._spans)}
        for name in TopologicalSorter(
            above
        ).static_order():  # not by time: an action judged anew ran after what needs it
            chain = [(best[other][0], other) for other in above[name]]
            longest, through = max(chain, default=(0, ""))
            best[name] = (longest + int(self._spans[name]["dur"]), through)
        path: list[str] = []
        name = max(best, key=lambda one: best[one][0], default="")
        while name:
            path.append(name)
            name = best[name][1]
        return path[::-1]

    def _above(self, name: str) -> list[str]:
        """The nearest actions above that ran: those between were up to date and took no time."""
        found, seen, todo = [], set(), list(self._needs.get(name, ()))
        while todo:
            other = todo.pop()
            if other in seen:
                continue
            seen.add(other)
            if other in self._spans:
                found.append(other)
            else:
                todo.extend(self._needs.get(other, ()))
        return found

    def write(self, path: str) -> None:
        """Write the trace. Raises SpakError (SPK701)."""
        critical = self.critical_path()
        for name in critical:
            self._spans[name]["args"]["critical"] = True
            self._spans[name]["cname"] = "terrible"
        body = {
            "traceEvents": sorted(self._spans.values(), key=lambda span: (span["ts"], span["name"])),
            "otherData": {"critical_path": critical, "critical_us": sum(self._spans[name]["dur"] for name in critical)},
        }
        atomic.write(path, json.dumps(body, sort_keys=True).encode(), durable=False)
