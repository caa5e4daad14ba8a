"""One trace as facts see it, and whether it is what its case declares. Knows neither runs nor where traces come from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from spak.semantics.program import Case
from spak.semantics.types import mismatch

MOST_DEPTH = 32  # of a value: far above any schema, far below what recursion bears
MOST_BITS = 4096  # of an integer, as in expressions


@dataclass(frozen=True, slots=True)
class Item:
    """A validated trace. `case` is full (`TraceItem.Performance`), `seq` the number of the event that recorded it.

    `target` and `shape` say where it was measured; empty where the trace does not say.
    """

    case: str
    fields: Mapping[str, Any]
    seq: int = 0
    step: str = ""
    run: str = ""
    target: str = ""
    shape: Mapping[str, int] = field(default_factory=dict)


def full_name(cases: Mapping[str, Case], name: str) -> str:
    """The full name of a case given in full or by its last part; '' if there is none, or more than one."""
    if name in cases:
        return name
    found = [one for one in cases if one.rsplit(".", 1)[-1] == name]
    return found[0] if len(found) == 1 else ""


def undeclared(cases: Mapping[str, Case], name: str) -> str:
    """Why a name is no case, as a hint."""
    short = [one for one in cases if one.rsplit(".", 1)[-1] == name]
    if len(short) > 1:
        return f"{name} may be {' or '.join(short)}: give the whole name"
    near = get_close_matches(name, [*cases, *(one.rsplit(".", 1)[-1] for one in cases)], 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"cases are: {', '.join(cases)}" if cases else "declare it in a `trace_schema`"


def check_item(cases: Mapping[str, Case], case: str, fields: Mapping[str, Any]) -> str:
    """Why these fields are no trace of the case, '' if they are. `case` is a full name or its last part."""
    name = full_name(cases, case)
    if not name:
        return f"{case!r} is no case of the trace schema; {undeclared(cases, case)}"
    return unrecordable(fields) or mismatch(cases[name].type, fields)


def unrecordable(value: Any, path: str = "", depth: int = 0) -> str:
    """Why a value cannot stand in a trace, '' if it can: traces are JSON in UTF-8, where NaN has no place."""
    where = f"{path} " if path else "the value "
    if depth > MOST_DEPTH:
        return f"{where}has more than {MOST_DEPTH} levels"
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return "" if value.isascii() or _encodable(value) else f"{where}is text that has no UTF-8 form"
    if isinstance(value, int):
        return "" if value.bit_length() <= MOST_BITS else f"{where}is an integer of more than {MOST_BITS} bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{where}is {value}, which no trace may hold"
    if isinstance(value, Mapping):
        bad = next((key for key in value if not isinstance(key, str) or not _encodable(key)), None)
        if bad is not None:
            return f"{where}has a key that is not text: {bad!r}"
        return _first(unrecordable(one, f"{path}.{key}" if path else key, depth + 1) for key, one in value.items())
    if isinstance(value, list | tuple):
        return _first(unrecordable(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value))
    return f"{where}is a {type(value).__name__}, which JSON does not have"


def _first(whys: Iterable[str]) -> str:
    return next((why for why in whys if why), "")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
