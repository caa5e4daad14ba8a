"""The ladder: what each level of a design reached, in the order in which the levels were climbed. Knows traces, not pages."""

from __future__ import annotations

from dataclasses import dataclass

from spak.report.figures import MISSING, UNITS, percent, ratio, show
from spak.report.view import RunView, Sample, main_figure
from spak.traces.direction import lower_is_better

MOST_RUNGS = 24


@dataclass(frozen=True, slots=True)
class Rung:
    """One level: its latest figure and how many times it was measured; `share` is of the longest bar, from 0 to 1."""

    label: str
    value: float | None
    text: str
    count: int
    seq: int
    share: float
    against_first: str
    of_peak: str
    noise: str
    spread: float | None
    beyond: bool


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels that were measured alike: one case, one target, one shape."""

    title: str
    figure: str
    unit: str
    rungs: tuple[Rung, ...]
    left_out: int
    sentences: tuple[str, ...]


def ladders(run: RunView) -> list[Ladder]:
    """One for each case, target, shape and environment that has a figure to compare: no others are ever compared."""
    groups: dict[tuple[str, str, str, str], list[Sample]] = {}
    for sample in run.samples:
        where = show(sample.measured.figures.get("environment_digest") or "") if sample.measured else ""
        groups.setdefault((sample.case, sample.target, sample.shape, where), []).append(sample)
    named = {case: main_figure(samples) for case, samples in run.of_case().items()}
    found: dict[tuple[str, str, str, str], list[Sample]] = {}
    for key, samples in groups.items():
        if any(sample.figure(named[key[0]]) is not None for sample in samples):
            found[key] = [*found.get(key, []), *samples]
        else:  # what has no figure has no measurement that says where it belongs: it stands beside what was tried last
            same = [other for other in found if other[0] == key[0]]
            if same:
                found[same[-1]] += samples
    return [_ladder(key, named[key[0]], samples, run.peaks) for key, samples in found.items()]


def _ladder(key: tuple[str, str, str, str], figure: str, samples: list[Sample], peaks: dict[str, float]) -> Ladder:
    levels: dict[str, list[Sample]] = {}
    for sample in samples:
        levels.setdefault(sample.label, []).append(sample)
    latest = {label: _latest(found, figure) for label, found in levels.items()}
    longest = max((value for value in (one.figure(figure) for one in latest.values()) if value is not None), default=0)
    first = next((value for one in latest.values() if (value := one.figure(figure)) is not None), None)
    peak = peaks.get({"tflops": "gflops"}.get(figure, figure))
    rungs = []
    for label, sample in list(latest.items())[:MOST_RUNGS]:
        value = sample.figure(figure)
        flops = None if value is None else value * (1000 if figure == "tflops" else 1)
        rungs.append(
            Rung(
                label=label,
                value=value,
                text=show(value, UNITS[figure]),
                count=len(levels[label]),
                seq=sample.seq,
                share=max(value, 0) / longest if value is not None and longest > 0 else 0,
                against_first=ratio(value, first) if value is not None and first else MISSING,
                of_peak=percent(flops, peak) if flops is not None and peak else MISSING,
                noise=percent(noise, 1.0) if (noise := _noise(sample)) is not None else MISSING,
                spread=noise,
                beyond=bool(flops is not None and peak and flops > peak),
            )
        )
    case, target, shape, _ = key
    title = ", ".join(part for part in (case, f"on {target}" if target else "", shape) if part)
    return Ladder(title, figure, UNITS[figure], tuple(rungs), len(latest) - len(rungs), _sentences(figure, rungs, peak))


def _apart(one: Rung, other: Rung) -> float:
    """How far two figures are from each other, as a part of the larger."""
    values = sorted(abs(value or 0.0) for value in (one.value, other.value))
    return (values[1] - values[0]) / values[1] if values[1] else 0.0


def _noise(sample: Sample) -> float | None:
    return sample.measured.noise if sample.measured is not None else sample.figure("noise")


def _latest(samples: list[Sample], figure: str) -> Sample:
    return next((one for one in reversed(samples) if one.figure(figure) is not None), samples[-1])


def _sentences(figure: str, rungs: list[Rung], peak: float | None) -> tuple[str, ...]:
    measured = [rung for rung in rungs if rung.value is not None and not rung.beyond]
    found = []
    if measured:
        lower = lower_is_better(figure)
        best = (min if lower else max)(measured, key=lambda rung: rung.value or 0.0)
        first = measured[0]
        found.append(f"`{best.label}` has the best {figure} of {len(measured)} measured: {best.text}.")
        if best is not first:
            found.append(f"That is {best.against_first} the {first.text} of `{first.label}`, the first.")
        found += [
            f"`{one.label}` cannot be told apart from it: {one.text} lies within the noise of {percent(noise, 1.0)}."
            for one in measured
            if one is not best and (noise := max(one.spread or 0.0, best.spread or 0.0)) and _apart(one, best) <= noise
        ]
    if peak and measured and figure in {"gflops", "tflops", "gbytes"}:
        unit = "GB/s" if figure == "gbytes" else "GFLOP/s"
        found.append(f"`{best.label}` reaches {best.of_peak} of the peak of {show(peak, unit)}.")
    elif figure in {"gflops", "tflops", "gbytes"}:
        found.append(f"The share of the machine's peak: {MISSING}, as no trace holds the peak.")
    for rung in rungs:
        if rung.beyond:
            found.append(f"`{rung.label}` is above the machine's peak at {rung.text} and therefore rejected.")
        if rung.value is None:
            found.append(f"`{rung.label}`: {MISSING}.")
    return tuple(found)
