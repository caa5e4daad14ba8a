"""What paired times say, rooflines, environments: numbers only, no clock."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from spak.errors import SpakError
from spak.measure.environment import Environment, machine, require_same
from spak.measure.peaks import Peaks, Roofline
from spak.measure.verdict import compare, noise_of
from spak.model.statistics import difference, interval, tied

PEAKS = Peaks(100e9, 50e9, ((1 << 15, 200e9), (1 << 20, 80e9), (1 << 27, 20e9)))


def times(middle: float, spread: float, seed: int, count: int = 15) -> list[float]:
    random = Random(seed)
    return [middle * (1 + random.uniform(-spread, spread)) for _ in range(count)]


def test_an_interval_holds_the_median_and_is_the_same_every_time() -> None:
    samples = times(1.0, 0.1, 3)
    low, high = interval(samples)
    assert low <= sorted(samples)[7] <= high
    assert interval(samples) == (low, high)
    assert interval([4.0]) == (4.0, 4.0)


def test_more_samples_narrow_an_interval() -> None:
    widths = [high - low for low, high in (interval(times(1.0, 0.1, 3, count)) for count in (5, 200))]
    assert widths[1] < widths[0]


def test_differences_that_noise_explains_are_ties() -> None:
    assert tied(times(1.0, 0.1, 1), times(1.005, 0.1, 2))
    assert not tied(times(1.0, 0.02, 1), times(1.3, 0.02, 2))
    low, high = difference(times(1.3, 0.02, 1), times(1.0, 0.02, 2))
    assert 0.2 < low < high < 0.4


@pytest.mark.parametrize(
    ("middle", "verdict"), [(1.0, "tied"), (0.5, "faster"), (2.0, "slower"), (1.01, "tied"), (0.99, "tied")]
)
def test_verdicts(middle: float, verdict: str) -> None:
    baseline = times(1.0, 0.01, 1)
    noise = noise_of(baseline, times(1.0, 0.01, 2))
    found = compare(baseline, times(middle, 0.01, 3), noise)
    assert found.verdict == verdict
    assert found.low <= found.ratio <= found.high


def test_a_baseline_that_differs_from_itself_concludes_nothing() -> None:
    baseline = times(1.0, 0.9, 1)
    noise = noise_of(baseline, times(1.0, 0.9, 2))
    assert compare(baseline, times(0.8, 0.9, 3), noise).verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("middle", "noise", "verdict"),
    [
        (1 / 1.4, 0.3, "faster"),
        (1 / 1.4, 0.5, "INCONCLUSIVE"),
        (1 / 1.7, 0.6, "INCONCLUSIVE"),  # beyond the floor, but a floor so high is not sharp
        (1 / 3, 0.6, "faster"),
        (3, 0.6, "slower"),
        (1 / 60, 2.0, "faster"),  # a busy machine hides much, but not sixty times
        (60, 2.0, "slower"),
        (1, 2.0, "INCONCLUSIVE"),
    ],
)
def test_what_a_high_noise_floor_lets_through(middle: float, noise: float, verdict: str) -> None:
    assert compare(times(1.0, 0.01, 1), times(middle, 0.01, 3), noise).verdict == verdict


def test_a_wide_interval_is_no_tie() -> None:
    found = compare(times(1.0, 0.01, 1), times(1.0, 0.5, 3), noise=0.01)
    assert found.verdict == "INCONCLUSIVE"


def test_what_drifts_falls_on_both() -> None:
    """The machine slows down by half during the measurement: the ratio of each round does not."""
    drift = [1 + i / 15 for i in range(15)]
    baseline, candidate = ([middle * d for d in drift] for middle in (1.0, 0.8))
    assert compare(baseline, candidate, 0.01).ratio == pytest.approx(1.25)


def test_the_roofline() -> None:
    compute = Roofline(operations=1e9, moved=1e6, working_set=1e6)
    assert compute.seconds(PEAKS) == pytest.approx(0.01)
    assert compute.percent(PEAKS, 0.02) == pytest.approx(50.0)
    assert compute.limit(PEAKS) == "compute"
    memory = Roofline(operations=1e6, moved=2e9, working_set=2e9)
    assert memory.seconds(PEAKS) == pytest.approx(0.1)
    assert memory.limit(PEAKS) == "memory"
    assert replace(compute, cores=2).seconds(PEAKS) == pytest.approx(0.005)
    assert replace(compute, dtype="f64").seconds(PEAKS) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("size", "rate"), [(1, 200e9), (1 << 15, 200e9), (1 << 16, 200e9), (1 << 21, 80e9), (1 << 30, 20e9)]
)
def test_a_working_set_reaches_what_the_next_smaller_one_does(size: int, rate: float) -> None:
    assert PEAKS.reach(size) == rate


def test_peaks_as_facts_name_them() -> None:
    assert PEAKS.constants() == {"PEAK_GFLOPS": 100.0, "PEAK_TFLOPS": 0.1, "PEAK_GFLOPS_F64": 50.0, "MAX_BW": 20e9}


@pytest.mark.parametrize(
    "data", [{}, {"f32": 0, "f64": 1, "bandwidth": [[1, 1]]}, {"f32": 1, "f64": 1, "bandwidth": []}]
)
def test_what_are_no_peaks(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        Peaks.from_json(data)


def test_environments_are_not_compared() -> None:
    one = Environment.of({**machine(), "compiler": "g++ 12.2.0"})
    require_same(one, Environment.of({**machine(), "compiler": "g++ 12.2.0"}))
    with pytest.raises(SpakError) as raised:
        require_same(one, Environment.of({**machine(), "compiler": "g++ 13.1.0"}))
    assert "SPK655" in str(raised.value)
    assert "compiler: g++ 12.2.0 | g++ 13.1.0" in str(raised.value)
    assert "python" not in str(raised.value)


def test_threads_are_part_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measured process inherits the variable: with another value the same module is another matter."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "threads" not in machine()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert machine()["threads"] == "1"


def test_the_environment_says_what_it_does_not_know() -> None:
    found = machine()
    assert all(found.values())
    assert {"cpu", "governor", "kernel", "python"} <= found.keys()
