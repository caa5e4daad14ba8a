"""The roofline: what was reached against what the machine can do at that intensity. Knows traces, not pages.

A roof is min(peak, bandwidth x intensity), with the peaks that the traces carry; Williams, Waterman and Patterson, 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from spak.report.figures import MISSING, number, percent, show
from spak.report.view import RunView, Sample

MOST_POINTS = 60

LEFT, RIGHT, TOP, BOTTOM = 64.0, 616.0, 20.0, 300.0  # the plot's edges, in units of the drawing


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement; `x` and `y` are places in the drawing."""

    label: str
    seq: int
    intensity: float
    gflops: float
    of_roof: str
    x: float
    y: float
    beyond: bool


@dataclass(frozen=True, slots=True)
class Roofline:
    """Without peaks there are no points and no drawing, and the sentences say what is missing."""

    points: tuple[Point, ...]
    left_out: int
    roof: tuple[tuple[float, float], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    sentences: tuple[str, ...]


def roofline(run: RunView) -> Roofline | None:
    """The roofline of every measurement with a rate and an intensity; None where no trace has a rate of arithmetic."""
    rated = [(one, rate) for one in run.samples if (rate := _gflops(one)) is not None and _plausible(rate)]
    if not rated:
        return None
    peak, bandwidth = run.peaks.get("gflops"), run.peaks.get("gbytes")
    said = [
        f"Peak of arithmetic: {show(peak, 'GFLOP/s') if peak else MISSING}.",
        f"Bandwidth of memory: {show(bandwidth, 'GB/s') if bandwidth else MISSING}.",
    ]
    placed = [(one, rate, at) for one, rate in rated if (at := _intensity(one, rate)) is not None and _plausible(at)]
    if missing := len(rated) - len(placed):
        said.append(f"Intensity of {missing} of {len(rated)} measurements: {MISSING}.")
    if not peak or not bandwidth or not placed or not (_plausible(peak) and _plausible(bandwidth)):
        return Roofline((), 0, (), (), (), tuple(said))
    return _drawn(placed, peak, bandwidth, said)


def _plausible(value: float) -> bool:
    """What an axis can show. No machine is outside; what a command printed may be."""
    return 1e-12 < value < 1e12


def _gflops(sample: Sample) -> float | None:
    rate = sample.known("gflops")
    tera = sample.figure("tflops")
    return rate if rate is not None else (1000 * tera if tera is not None else None)


def _intensity(sample: Sample, gflops: float) -> float | None:
    """Operations for each byte of memory: stated, from counts, or from two rates of one measurement."""
    stated = sample.known("intensity") or sample.known("arithmetic_intensity")
    if stated is not None and stated > 0:
        return stated
    flops, moved = sample.known("flops"), sample.known("bytes")
    if flops and moved and flops > 0 and moved > 0:
        return flops / moved
    rate = next((r for name in ("gbytes", "gbs", "gb_s", "bandwidth") if (r := sample.known(name))), None)
    return gflops / rate if rate and rate > 0 else None


def _drawn(placed: list[tuple[Sample, float, float]], peak: float, bandwidth: float, said: list[str]) -> Roofline:
    ridge = peak / bandwidth
    x_low, x_high = _span([at for _, _, at in placed] + [ridge])
    y_low, y_high = _span([rate for _, rate, _ in placed] + [peak])

    def x(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (math.log10(value) - x_low) / (x_high - x_low), 2)

    def y(value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (math.log10(value) - y_low) / (y_high - y_low), 2)

    points = []
    for sample, rate, at in placed[:MOST_POINTS]:
        roof = min(peak, bandwidth * at)
        points.append(
            Point(sample.label, sample.seq, at, rate, percent(rate, roof), x(at), y(rate), rate > roof * 1.0000001)
        )
    said.append(f"Below {show(ridge)} operations a byte memory is the bound, above it arithmetic.")
    for one in points:
        if one.beyond:
            said.append(
                f"`{one.label}` (trace {one.seq}) lies above the roof at {show(one.gflops, 'GFLOP/s')}: rejected."
            )
    start = max(10**x_low, 10**y_low / bandwidth)
    roof_line = ((x(start), y(bandwidth * start)), (x(ridge), y(peak)), (x(10**x_high), y(peak)))
    return Roofline(
        tuple(points),
        len(placed) - len(points),
        roof_line,
        tuple((x(10.0**e), _power(e)) for e in range(x_low, x_high + 1)),
        tuple((y(10.0**e), _power(e)) for e in range(y_low, y_high + 1)),
        tuple(said),
    )


def _span(values: list[float]) -> tuple[int, int]:
    """Whole decades round the values."""
    known = [value for value in values if number(value) and value > 0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return low, max(high, low + 1)


def _power(exponent: int) -> str:
    return f"{10.0**exponent:g}" if -3 <= exponent <= 6 else f"1e{exponent}"
