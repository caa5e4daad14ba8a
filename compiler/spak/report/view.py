"""A run as a report sees it: what its trace says, sorted by kind. Knows events, not how anything is shown.

Nothing is added here: what no event says is None, and reads `not measured` in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spak.report.figures import UNITS, cut, number, show
from spak.traces.event import Event

#: Fields that say what a trace is of, best first.
LABELS = ("level", "variant", "step_name", "stage", "kernel", "config", "label", "name")

#: Figures by which a trace is known to be of a measurement.
LINKING = ("gflops", "seconds", "gbytes")

#: Names under which traces carry the machine's peaks, and which one each is: GFLOP/s and GB/s in the end.
PEAKS = {
    "PEAK_GFLOPS": ("gflops", 1.0), "peak_gflops": ("gflops", 1.0), "PEAK_TFLOPS": ("gflops", 1000.0),
    "MAX_BW": ("gbytes", 1.0), "max_bw": ("gbytes", 1.0), "PEAK_GBYTES": ("gbytes", 1.0), "peak_gbytes": ("gbytes", 1.0),
}  # fmt: skip

BYTES = 1e6  # a bandwidth above it is in bytes a second, as targets have it: no memory moves 10^6 GB/s, or less than 10^6 B/s


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it is on disk: its events, and the constants of the machine that it was started with."""

    events: Sequence[Event]
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What `tool.bench` found, beside what a program chose to emit of it."""

    figures: Mapping[str, Any]
    shape: str
    target: str

    @property
    def environment(self) -> Mapping[str, Any]:
        return _map(self.figures.get("environment"))

    @property
    def noise(self) -> float | None:
        """The spread of the machine against itself, as a part of the time."""
        return number(self.figures.get("noise"))


@dataclass(frozen=True, slots=True)
class Sample:
    """One emitted trace. `measured` is the measurement that its figures are of, where the run made one itself."""

    seq: int
    step: str
    case: str
    fields: Mapping[str, Any]
    target: str = ""
    measured: Measured | None = None

    @property
    def label(self) -> str:
        """What it is a measurement of: `level: "tiled"`, or else the step that emitted it."""
        for name in LABELS:
            value = self.fields.get(name)
            if isinstance(value, str) and value:
                return cut(value, 80)
            if isinstance(value, int) and not isinstance(value, bool):
                return cut(f"{name} {value}", 80)
        return self.step or f"trace {self.seq}"

    @property
    def shape(self) -> str:
        """The sizes it was measured at: fields in capitals that are whole numbers, or a field `shape`."""
        stated = self.fields.get("shape", self.fields.get("shapes"))
        if isinstance(stated, Mapping):
            return cut(" ".join(f"{name}={show(value)}" for name, value in list(stated.items())[:16]), 120)
        if isinstance(stated, str | list | int) and stated:
            return cut(show(stated), 120)
        sizes = [(k, v) for k, v in self.fields.items() if k.isupper() and len(k) <= 4 and type(v) is int]
        if not sizes and self.measured is not None:
            return self.measured.shape
        return cut(" ".join(f"{k}={v}" for k, v in sizes), 120)

    def known(self, name: str) -> float | None:
        """A figure of the trace, or of the measurement behind it."""
        own = self.figure(name)
        return own if own is not None or self.measured is None else number(self.measured.figures.get(name))

    def figure(self, name: str) -> float | None:
        """A field as a finite number."""
        return number(self.fields.get(name))


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration of a sweep."""

    seq: int
    params: Mapping[str, Any]
    status: str
    metrics: Mapping[str, Any]
    cached: bool
    metric: str = ""
    objective: str = ""
    why: str = ""


@dataclass(slots=True)
class RunView:
    """One run. Lists are in the order of the trace."""

    id: str
    program: str = ""
    procedure: str = ""
    target: str = ""
    status: str = "unfinished"
    success: Any = None
    why: Any = None
    events: int = 0
    samples: list[Sample] = field(default_factory=list)
    steps: list[Event] = field(default_factory=list)
    facts: list[Event] = field(default_factory=list)
    rules: list[Event] = field(default_factory=list)
    invariants: list[Event] = field(default_factory=list)
    sets: list[Event] = field(default_factory=list)
    loops: dict[str, list[Trial]] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    queries: int = 0
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None
    peaks: dict[str, float] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    by_figure: dict[tuple[str, float], Measured] = field(default_factory=dict)  # the latest with that very figure

    def of_case(self) -> dict[str, list[Sample]]:
        """Samples by case, in the order in which cases first appear."""
        found: dict[str, list[Sample]] = {}
        for sample in self.samples:
            found.setdefault(sample.case, []).append(sample)
        return found


def view(recorded: Recorded) -> RunView:
    """Sort the events of one run."""
    run = RunView("")
    _peaks(run, recorded.constants)
    for event in recorded.events:
        run.events += 1
        run.id = run.id or event.run
        _take(run, event, event.data)
    return run


def _take(run: RunView, event: Event, data: Mapping[str, Any]) -> None:
    kind = event.kind
    if kind == "run":
        flags = _map(data.get("flags"))
        run.program = _text(data.get("program") or data.get("source"))
        run.procedure = _text(data.get("procedure"))
        run.target = _text(data.get("target") or flags.get("target"))
        _peaks(run, _map(data.get("constants")))
    elif kind == "emit":
        fields = _map(data.get("fields"))
        measured = _behind(fields, run)
        target = _text(fields.get("target")) or (measured.target if measured else "") or run.target
        run.samples.append(Sample(event.seq, event.step, _text(data.get("case")), fields, target, measured))
        _peaks(run, fields)
    elif kind == "tool" and data.get("tool") == "bench":
        _bench(run, _map(data.get("args")), _map(_map(data.get("result")).get("value")))
    elif kind == "trial":
        trial = Trial(
            event.seq, _map(data.get("params")), _text(data.get("status")), _map(data.get("metrics")),
            data.get("cached") is True, _text(data.get("metric")), _text(data.get("objective")), _text(data.get("why")),
        )  # fmt: skip
        run.loops.setdefault(_text(data.get("loop")), []).append(trial)
    elif kind == "fact":
        run.facts.append(event)
        _peaks(run, _map(data.get("numbers")))
    elif kind == "metric":
        run.metrics[_text(data.get("metric"))] = data.get("value")
    elif kind == "end":
        run.status, run.success = _text(data.get("status")) or "unfinished", data.get("success")
        run.why = data.get("why")
        run.metrics.update({cut(name, 200): value for name, value in _map(data.get("metrics")).items()})
    elif kind in {"step", "rule", "invariant", "set"}:
        {"step": run.steps, "rule": run.rules, "invariant": run.invariants, "set": run.sets}[kind].append(event)
    elif kind == "query":
        run.queries += 1
    _spend(run, event)


def _bench(run: RunView, args: Mapping[str, Any], value: Mapping[str, Any]) -> None:
    shapes = args.get("shapes")
    first = _map(shapes[0]) if isinstance(shapes, list) and len(shapes) == 1 else {}
    shape = " ".join(f"{name}={show(size)}" for name, size in list(first.items())[:16])
    more = f"{len(shapes)} shapes" if isinstance(shapes, list) and len(shapes) > 1 else ""
    if value:
        found = Measured(value, cut(shape or more, 120), _text(args.get("target")))
        run.measured.append(found)
        run.by_figure |= {(name, figure): found for name in LINKING if (figure := number(value.get(name))) is not None}


def _behind(fields: Mapping[str, Any], run: RunView) -> Measured | None:
    """The latest measurement that has a figure of these fields, digit for digit."""
    keys = ((name, figure) for name in LINKING if (figure := number(fields.get(name))) is not None)
    return next((run.by_figure[key] for key in keys if key in run.by_figure), None)


def _spend(run: RunView, event: Event) -> None:
    """Add up what is known; a count that no event states stays None."""
    if event.tokens_in is not None:
        run.tokens_in = (run.tokens_in or 0) + event.tokens_in
    if event.tokens_out is not None:
        run.tokens_out = (run.tokens_out or 0) + event.tokens_out
    if event.cost is not None:
        run.cost = (run.cost or 0.0) + event.cost


def _peaks(run: RunView, numbers: Mapping[str, Any]) -> None:
    for name, (which, factor) in PEAKS.items():
        value = number(numbers.get(name))
        if value is not None and value > 0:
            run.peaks[which] = value / 1e9 if which == "gbytes" and value >= BYTES else value * factor


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return cut(value, 200) if isinstance(value, str) else ""


def main_figure(samples: Iterable[Sample]) -> str:
    """The field that a case is about: the best known rate or time that any of its traces has, '' if there is none."""
    present = {name for sample in samples for name in sample.fields if sample.figure(name) is not None}
    return next((name for name in UNITS if name in present), "")
