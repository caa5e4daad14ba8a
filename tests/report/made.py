"""Traces made by hand: a climb of four levels with facts, a rule, a sweep and a question."""

from __future__ import annotations

from typing import Any

from spak.traces.event import Event

RUN = "climb-0001"


class Trace:
    """Events with numbers of their own, in the order in which they are added."""

    def __init__(self, run: str = RUN) -> None:
        self.run = run
        self.events: list[Event] = []

    def add(self, kind: str, step: str = "", /, *, more: dict[str, Any] | None = None, **data: Any) -> int:
        """Add an event and say its number."""
        seq = len(self.events) + 1
        time = f"2026-11-21T12:00:{seq % 60:02d}.000000Z"
        self.events.append(Event(seq, kind, self.run, step, time, data=data, **(more or {})))
        return seq

    def emit(self, step: str = "s", case: str = "TraceItem.Performance", **fields: Any) -> int:
        """Add a trace."""
        return self.add("emit", step, case=case, fields=fields, source="stdout", line=1)

    def fact(self, name: str, value: bool | None, on: list[int], **numbers: Any) -> int:
        """Add a fact's value."""
        return self.add("fact", "s", fact=name, value=value, on=on, numbers=numbers, scope="", why="")

    def fired(self, name: str, on: list[int], apply: str, facts: dict[str, bool]) -> int:
        """Add a rule that fired."""
        recommend = [["level", "=", "next"]]
        return self.add("rule", "s", rule=name, kind="rule", on=on, facts=facts, apply=[apply], recommend=recommend)

    def trial(self, status: str = "ok", cached: bool = False, *, params: dict[str, Any], **metrics: Any) -> int:
        """Add a trial of a sweep."""
        return self.add(
            "trial", "tune", loop="Tuner", params=params, key="", status=status, metrics=metrics, cached=cached
        )

    def bytes(self) -> bytes:
        """The file."""
        return b"".join(event.to_line() for event in self.events)


def climb() -> Trace:
    """A run as the step machine records it."""
    t = Trace()
    flags = {"target": "cpu"}
    t.add("run", program="specs/climb/climb.dsl", source="sha256:00", procedure="Climb", flags=flags)
    peaks = {"PEAK_GFLOPS": 97.8, "MAX_BW": 21.5}
    first = t.emit("naive", level="naive", M=512, gflops=1.27, gbytes=5.1)
    t.fact("is_slow", True, [first], **{"t.gflops": 1.27, **peaks})
    t.fired("Block for reuse", [first], "block the loops", {"is_slow": True})
    t.add("set", "naive", name="level", value="blocked")
    t.add("step", "naive", title="Naive", status="done", more={"duration": 1.5})
    second = t.emit("blocked", level="blocked", M=512, gflops=11.2, gbytes=1.4)
    t.fact("is_slow", False, [second], **{"t.gflops": 11.2, **peaks})
    t.add("step", "blocked", title="Blocked", status="done", more={"duration": 0.25})
    for mr, nr, rate in ((4, 8, 30.0), (4, 16, 38.5), (8, 8, 36.25), (8, 16, None)):
        status = "ok" if rate else "failed"
        t.trial(status, cached=mr == 4, params={"MR": mr, "NR": nr}, gflops=rate)
    t.emit("tune", level="tuned", M=512, gflops=38.5, gbytes=1.2)
    t.emit("tune", level="packed", M=512, gflops=None)
    t.emit("check", "TraceItem.Correctness", passed=True)
    t.add("invariant", "check", invariant="Monotonic", value=True, numbers={"best": 38.5}, why="")
    t.add("invariant", "check", invariant="Deterministic", value=None, numbers={}, why="it is prose only")
    t.add("query", "ask", prompt="sha256:11", attempt=1, more={"inputs": "sha256:11"})
    t.add("answer", "ask", text="yes", value="yes", by="hand", attempt=1, accepted=True, why="")
    why = [{"code": "SPK930", "message": "step tune failed: exit code 1", "hint": "look", "span": None}]
    t.add("step", "tune", title="Tune", status="failed", why=why, more={"duration": 4.0, "exit_code": 1})
    t.add("metric", "score", metric="score", value=0.8)
    t.add("end", status="failed", success=False, metrics={"score": 0.8}, why=[])
    return t
