"""Limits of loops and contracts: steps, rounds, time, tokens, money. Knows how they are written, not who keeps them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.program import Limits
from spak.semantics.reader import literal, unknown

KEYS = ("max_steps", "loop_interval", "interval", "seconds", "tokens", "cost", "budget")
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|m|min|minutes?|h|hours?)?\Z")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(value: tree.Value, found: Collector) -> float:
    """Seconds: a number, or text such as `"500ms"`, `"2s"`, `"5m"`, `"1h"`."""
    number = literal(value)
    if isinstance(number, int | float) and not isinstance(number, bool) and number >= 0:
        return float(number)
    match = DURATION.match(number.strip()) if isinstance(number, str) else None
    if match is None:
        found.add("SPK243", "this is no length of time", value.span, 'write seconds, or "500ms", "2s", "5m", "1h"')
        return 0.0
    unit = match[2] or "s"
    return float(match[1]) * UNITS["ms" if unit == "ms" else unit[0]]


def read_limits(attributes: Mapping[str, tree.Value], found: Collector) -> Limits:
    """Limits out of attributes; `budget: { tokens: seconds: cost: }` may group them."""
    limits = Limits()
    for key, value in attributes.items():
        if key == "budget":
            inner = value.items if isinstance(value, tree.MapLit) else ()
            limits = _budget(inner, limits, value, found)
        elif key in {"loop_interval", "interval"}:
            limits = replace(limits, interval=duration(value, found))
        elif key == "seconds":
            limits = replace(limits, seconds=duration(value, found))
        elif key == "cost":
            limits = replace(limits, cost=float(_number(key, value, found)))
        elif key in {"max_steps", "tokens"}:
            number = _number(key, value, found)
            if number != int(number):
                found.add("SPK205", f"{key} must be a whole number", value.span, f"write `{key}: 50`")
            limits = (
                replace(limits, max_steps=int(number)) if key == "max_steps" else replace(limits, tokens=int(number))
            )
    return limits


def _budget(items: Sequence[tree.Item], limits: Limits, value: tree.Value, found: Collector) -> Limits:
    attributes: dict[str, tree.Value] = {}
    if not isinstance(value, tree.MapLit):
        found.add("SPK205", "a budget is a map", value.span, "write `budget: { seconds: 60, tokens: 10000 }`")
    for item in items:
        known = ("tokens", "seconds", "cost", "max_steps")
        if isinstance(item, tree.Attr) and item.key in known:
            attributes[item.key] = item.value
        else:
            unknown(item, "a budget", known, found)
    inner = read_limits(attributes, found)
    return Limits(
        inner.max_steps or limits.max_steps, limits.interval, inner.seconds or limits.seconds,
        inner.tokens or limits.tokens, inner.cost or limits.cost,
    )  # fmt: skip


def _number(key: str, value: tree.Value, found: Collector) -> int | float:
    number = literal(value)
    if isinstance(number, int | float) and not isinstance(number, bool) and number > 0:
        return number
    found.add("SPK205", f"{key} must be a positive number", value.span, f"write `{key}: 50`")
    return 0
