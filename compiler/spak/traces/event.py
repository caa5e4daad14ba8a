"""One event of a run: a line of `trace.jsonl`. Knows its shape, not who writes it.

kind        step       data
----        ----       ----
run         ''         {program, source, procedure, flags}   the first event
event       id         {event, args}   what a service loop was given; its step is the event's number
step        id         {title, status: done|failed|skipped|manual, why: [diagnostic], round}   a step has ended
tool        id         {tool, args, does, result}   `does` says it to people; the plan's digest is `inputs`
query       id         {prompt, attempt}   the prompt's digest is `inputs`
answer      id         {text, value, by, attempt, accepted, why}
emit        id         {case, fields, source: emit|stdout|result|loop, line}
fact        id         {fact, value: true|false|null, on: [seq], numbers: {name: value}, scope: ''|why, why: ''|why it is unknown}
rule        id         {rule, kind: rule|hint, on: [seq], facts: {name: value}, apply: [...], recommend: [[name, op, value]]}
invariant   id         {invariant, value, numbers, why: ''|why it is unchecked}
set         id         {name, value}
trial       id         {loop, params, key, status, metrics, cached}
metric      id         {metric, value}
end         ''         {status: succeeded|failed, success, metrics, why: [diagnostic]}   the last event
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

KINDS = (
    "run", "event", "step", "tool", "query", "answer", "emit", "fact", "rule", "invariant", "set", "trial", "metric", "end",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """`seq` counts from 1 without gaps; `time` is UTC, ISO 8601 with microseconds; `duration` is in seconds; `inputs`
    and `outputs` are digests ("" where there is nothing); `cost` is in US dollars.
    """

    seq: int
    kind: str
    run: str
    step: str = ""
    time: str = ""
    inputs: str = ""
    outputs: str = ""
    duration: float | None = None
    exit_code: int | None = None
    model: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """One line of JSON with its newline: keys in the order of the fields, so that equal events are equal bytes."""
        parts = {name: getattr(self, name) for name in FIELDS}
        return (json.dumps(parts, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


FIELDS = tuple(Event.__dataclass_fields__)
