"""Values of a parameter as they are written: lists and ranges. Knows values, not what is searched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.reader import NOT_LITERAL, literal

MOST_VALUES = 4096


def read_values(value: tree.Value, name: str, found: Collector) -> tuple[Any, ...]:
    """`[a, b]`, `range [a, b]` (doubling), `range [a, b, step]`, or one value."""
    if isinstance(value, tree.Index) and value.target == tree.Name("range"):
        return _range([literal(item) for item in value.items], value, found)
    if isinstance(value, tree.Call) and value.fn == "range":
        return _range([literal(item) for item in value.args], value, found)
    items = value.items if isinstance(value, tree.ListLit) else (value,)
    values = [literal(item) for item in items]
    for item, one in zip(items, values, strict=True):
        if one is NOT_LITERAL or isinstance(one, list):
            found.add("SPK215", f"{name!r} needs a list of values", item.span, "write `[32, 64]` or `range [8, 128]`")
            return ()
    for index, one in enumerate(values):
        if any(type(one) is type(other) and one == other for other in values[:index]):
            found.add("SPK215", f"the value {one!r} stands twice", items[index].span, "keep one")
            return ()
    if not values:
        found.add("SPK215", f"{name!r} has no value to choose", value.span, "write `[32, 64]` or `range [8, 128]`")
    return tuple(values)


def _range(bounds: Sequence[Any], value: tree.Value, found: Collector) -> tuple[Any, ...]:
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in bounds)
    if (
        len(bounds) not in {2, 3}
        or not whole
        or bounds[0] > bounds[1]
        or (len(bounds) == 3 and bounds[2] < 1)
        or (len(bounds) == 2 and bounds[0] < 1)
    ):
        found.add(
            "SPK215", "a range is two positive whole numbers, the lower first", value.span,
            "write `range [8, 128]` or `range [8, 128, 8]`",
        )  # fmt: skip
        return ()
    low, high = bounds[0], bounds[1]
    if len(bounds) == 3:
        values = range(low, high + 1, bounds[2])
        if len(values) > MOST_VALUES:
            found.add("SPK215", f"a range of more than {MOST_VALUES} values", value.span, "use a larger step")
            return ()
        return tuple(values)
    doubled = []
    while low <= high:
        doubled.append(low)
        low *= 2
    return tuple(doubled)
