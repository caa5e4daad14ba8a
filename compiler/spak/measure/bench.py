"""Modules timed against a baseline: warm-up, blocks in ABBA order, an A/A arm, paired ratios. Knows neither specs nor files.

The child reads the clock; the parent holds every claim against the wall clock and against the CPU time that the kernel charged
to the child, checks the results of every timed call, and draws the conclusions.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from spak.effects.run import Limits
from spak.effects.service import Service
from spak.errors import Diagnostic, SpakError
from spak.measure.verdict import Compared, compare, noise_of
from spak.measure.workload import POISON, Shared, Workload

LEAST, MOST = 7, 25  # rounds, unless somebody says how many
SECONDS = 2.0  # that the rounds of one workload are to take, between those bounds
EXTRA = 3  # so many times the rounds at most, where figures are too noisy
SAMPLE_NS = 2_000_000  # a sample lasts so long, as far as there are buffers
SETTLED = 0.03  # of the last three warm-up samples
WARM_UPS = 12
#: What the child may take outside of the calls it claims, by its CPU clock.
SLACK_NS, SLACK_CALL_NS, SLACK_SHARE = 400_000, 20_000, 0.25
#: Samples that took more than that before it is the child's doing: a host that takes the processor away is charged to it.
TRIES = 4
#: So many times the time-out, which is of CPU time, may pass by the wall clock: other processes may have the processor.
BUSY = 6


@dataclass(frozen=True, slots=True)
class Arm:
    """One module. `why` says why it has no figures; then it has none."""

    module: str
    seconds: tuple[float, ...] = ()  # a call, by round
    against: Compared | None = None  # the baseline; None for the baseline itself
    why: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass(frozen=True, slots=True)
class Bench:
    """`arms` in the order given, the baseline first. `noise` is how far the baseline seems to be from itself."""

    arms: tuple[Arm, ...]
    noise: float
    rounds: int
    calls: int
    sandbox: str = ""


@dataclass(slots=True)
class _State:
    times: list[list[float]]
    accepted: list[list[npt.NDArray[np.uint8]]] = field(default_factory=list)


def bench(
    modules: Sequence[str], workload: Workload, *, rounds: int = 0, timeout: float = 60.0, core: int = -1
) -> Bench:
    """Time modules against the first of them; `rounds` 0 is as many as fit into some seconds.

    A candidate that crashes, hangs or is wrong has a `why`; nothing else is its fault. Raises SpakError: SPK658 where the
    baseline itself cannot be timed or the process does not start.
    """
    left = list(range(1, len(modules)))
    lost: dict[int, str] = {}
    while True:
        arms = [0, *left]
        with _Timer(workload, timeout, core) as timer:
            try:
                done = timer.measure([modules[0], modules[0], *(modules[i] for i in left)], rounds)
            except _Candidate as broken:
                if broken.arm <= 1:
                    raise _no_baseline(workload, broken.why) from None
                index = left.pop(broken.arm - 2)
                lost[index] = broken.why
                continue
        found = _conclude(done)
        by_index = {index: found[position] for position, index in enumerate(arms)}
        made = tuple(
            Arm(module, why=lost[i]) if i in lost else Arm(module, by_index[i][0], by_index[i][1])
            for i, module in enumerate(modules)
        )
        return Bench(made, noise_of(done.times[0], done.times[1]), len(done.times[0]), timer.calls, timer.sandbox)


class _Candidate(Exception):
    """An arm that cannot go on; the process it ran in is of no use any more."""

    def __init__(self, arm: int, why: str) -> None:
        super().__init__(why)
        self.arm, self.why = arm, why


class _Timer:
    """A child and its memory."""

    def __init__(self, workload: Workload, timeout: float, core: int) -> None:
        self.workload, self.timeout, self.core = workload, timeout, core
        self.shared = Shared(workload)
        self.calls = 1
        self.sandbox = ""
        self._service: Service | None = None

    def __enter__(self) -> _Timer:
        try:
            self._service = _start(self.shared.fd)
            hello = self._service.hello(wall_seconds=300, cpu_seconds=30)
        except BaseException:
            self.__exit__()
            raise
        if hello.state != "ok":
            said = f"{hello.how}. {hello.said}"
            self.__exit__()
            raise SpakError(
                Diagnostic(
                    "SPK658", f"the measuring process does not start: {said}", None, "see the Python environment"
                )
            )
        self.sandbox = str(hello.data.get("sandbox", ""))
        if self.core >= 0:
            os.sched_setaffinity(self._service.pid, {self.core})
        return self

    def __exit__(self, *_: object) -> None:
        if self._service is not None:
            self._service.__exit__()
            self._service = None
        self.shared.close()

    def measure(self, modules: Sequence[str], rounds: int) -> _State:
        """All rounds, extended while too noisy. Raises _Candidate."""
        for arm, module in enumerate(modules):
            self._ask({"op": "load", "module": module, "unit": self.workload.unit}, arm)
        self._ask({"op": "arrays", "params": self.shared.params(), "outs": self.shared.outs()}, 0)
        state = _State([[] for _ in modules])
        for arm in range(len(modules)):
            self._accept(arm, state)
        rounds = self._warm_up(len(modules), state, rounds)
        for number in range(EXTRA * rounds):
            if number >= rounds and number % rounds == 0 and not _noisy(state):
                break
            self._round(state, number)
        return state

    def _accept(self, arm: int, state: _State) -> None:
        """The first result is judged; every other must be the same, or is judged as well."""
        self._sample(arm, 1)
        why = self.workload.judge(self.shared.results(0))
        if why:
            raise _Candidate(arm, f"its result is wrong: {why}")
        if not self.shared.inputs_intact():
            raise _Candidate(arm, "it changed its inputs")
        state.accepted.append(self.shared.image(0))

    def _warm_up(self, arms: int, state: _State, rounds: int) -> int:
        """Until every arm's last three samples agree; the fastest then says how many calls make a sample, the same for all.

        Returns the rounds to make.
        """
        fastest = math.inf
        for arm in range(arms):
            seen: list[float] = []
            while len(seen) < WARM_UPS and not _settled(seen):
                seen.append(self._sample(arm, 1))
            fastest = min(fastest, min(seen))
        self.calls = max(1, min(self.shared.buffers, math.ceil(SAMPLE_NS / max(fastest, 1.0))))
        began = time.monotonic()
        for arm in range(arms):
            self._checked(arm, state)
        fit = int(SECONDS / max(2 * (time.monotonic() - began), 1e-6))
        return rounds or max(LEAST, min(MOST, fit))

    def _round(self, state: _State, number: int) -> None:
        """A B ... B A: what drifts with time falls on all alike. Every other round starts at the other end."""
        order = list(range(len(state.times)))
        order = order if number % 2 == 0 else order[::-1]
        found = dict.fromkeys(order, 0.0)
        for arm in [*order, *order[::-1]]:
            found[arm] += self._checked(arm, state) / (2 * self.calls)
        for arm, nanoseconds in found.items():
            state.times[arm].append(nanoseconds / 1e9)

    def _checked(self, arm: int, state: _State) -> float:
        nanoseconds = self._sample(arm, self.calls)
        for buffer in self.shared.differing(self.calls, state.accepted[arm]):
            if self.workload.exact:
                raise _Candidate(arm, "a timed call gave another result than the first")
            why = self.workload.judge(self.shared.results(buffer))
            if why:
                raise _Candidate(arm, f"a timed call's result is wrong: {why}")
        return nanoseconds

    def _sample(self, arm: int, calls: int) -> float:
        """Nanoseconds that so many calls took. A sample that the clocks do not bear out counts for nothing."""
        for _ in range(TRIES):
            claimed, spent = self._claim(arm, calls)
            if spent - claimed <= SLACK_NS + SLACK_CALL_NS * calls + SLACK_SHARE * spent:
                return claimed
        raise _Candidate(arm, f"it claims {claimed:.0f} ns and used {spent:.0f} ns of the processor")

    def _claim(self, arm: int, calls: int) -> tuple[float, float]:
        """Nanoseconds that the child claims for so many calls, and those that the kernel charged it meanwhile."""
        assert self._service is not None
        self.shared.poison(calls)
        # What another processor has written would be fetched from there: the child writes the same again, and no clock runs.
        self._ask({"op": "own", "poison": POISON, "spans": self.shared.spans(calls)}, arm)
        cpu, began = _cpu_ns(self._service.pid), time.perf_counter_ns()
        said = self._ask({"op": "run", "arm": arm, "calls": calls}, arm).get("ns")
        claimed = float(said) if isinstance(said, int) else 0.0
        wall = time.perf_counter_ns() - began
        spent = _cpu_ns(self._service.pid) - cpu
        if claimed <= 0 or claimed > wall:
            raise _Candidate(arm, f"it claims {claimed:.0f} ns for what took {wall} ns")
        return claimed, spent

    def _ask(self, job: dict[str, object], arm: int) -> dict[str, object]:
        assert self._service is not None
        answer = self._service.call(job, wall_seconds=BUSY * self.timeout, cpu_seconds=self.timeout)
        if answer.state == "died":
            raise _Candidate(arm, f"it crashed: {answer.how}")
        if answer.state == "hung":
            raise _Candidate(arm, f"it did not return within {self.timeout:g} s")
        if not answer.data.get("ok"):
            raise _Candidate(arm, f"it raised {answer.data.get('raised', 'something')}")
        return answer.data


def _conclude(state: _State) -> list[tuple[tuple[float, ...], Compared | None]]:
    """(seconds, comparison) of the baseline and of each candidate; the A/A arm has served."""
    noise = noise_of(state.times[0], state.times[1])
    found: list[tuple[tuple[float, ...], Compared | None]] = [(tuple(state.times[0]), None)]
    for times in state.times[2:]:
        found.append((tuple(times), compare(state.times[0], times, noise)))
    return found


def _noisy(state: _State) -> bool:
    noise = noise_of(state.times[0], state.times[1])
    return any(compare(state.times[0], times, noise).verdict == "INCONCLUSIVE" for times in state.times[1:])


def _settled(seen: Sequence[float]) -> bool:
    last = seen[-3:]
    return len(last) == 3 and max(last) - min(last) <= SETTLED * min(last)


def _start(fd: int) -> Service:
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH", "")])])
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS") if name in os.environ}
    env = {**kept, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    argv = [sys.executable, "-P", "-m", "spak.measure.child", str(fd)]
    return Service(argv, env=env, fds=[fd], limits=Limits(wall_seconds=0, cpu_seconds=3600, output_bytes=16 << 20))


def _cpu_ns(pid: int) -> float:
    """Nanoseconds that the kernel has charged to the main thread of a process; 0 where it does not say."""
    try:
        return float(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0


def _no_baseline(workload: Workload, why: str) -> SpakError:
    hint = "verify the baseline: `spak build` and `spak verify`"
    return SpakError(
        Diagnostic("SPK658", f"the baseline of {workload.unit} ({workload.text}) cannot be timed: {why}", None, hint)
    )
