"""Figures as text: numbers, units, and what a missing one reads. Knows no trace and no format.

A figure is rounded here and nowhere else: every sentence, cell and chart that states one gets it from `show`.
"""

from __future__ import annotations

import json
import math
from typing import Any

#: What a report says where there is no figure. There are no estimates.
MISSING = "not measured"

MOST = 400  # characters of one cell

#: Rates and times that the charts know, best known first, with their units. Others are shown as they are.
UNITS = {
    "gflops": "GFLOP/s", "tflops": "TFLOP/s", "gbytes": "GB/s", "gbs": "GB/s", "gb_s": "GB/s", "bandwidth": "GB/s",
    "throughput": "", "speedup": "x", "seconds": "s", "latency": "", "latency_ms": "ms", "ms": "ms", "us": "us",
    "time": "", "score": "",
}  # fmt: skip


def number(value: Any) -> float | None:
    """A finite number, None for anything else: truth values, text, what is too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def show(value: Any, unit: str = "") -> str:
    """A value in a sentence or cell: four significant digits for what was measured, whole numbers whole."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = rounded(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return cut(f"{text} {unit}" if unit else text)


def rounded(value: float) -> str:
    """Four significant digits, no exponent for the sizes people read."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -5 <= size <= 8:
        return f"{value:.3e}"
    text = f"{value:.{max(0, 3 - size)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ratio(value: float, base: float) -> str:
    """`3.2 times`; a missing or zero base has no ratio."""
    return f"{rounded(value / base)} times" if base and math.isfinite(value / base) else MISSING


def percent(value: float, whole: float) -> str:
    """`42.1 %`."""
    return f"{100 * (value / whole):.1f} %" if whole and math.isfinite(value / whole) else MISSING


def count(number: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def cut(text: str, most: int = MOST) -> str:
    """Text on one line and of bounded length: what came out of a command may be anything."""
    flat = " ".join(text[: 4 * most].split())
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)
    return flat if len(flat) <= most and len(text) <= 4 * most else flat[: most - 1] + "…"
