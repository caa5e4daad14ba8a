"""What a busy, slow or paused machine does to children is not held against them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from spak.effects.run import Limits, run
from spak.effects.service import Service
from spak.pipeline.execution.workers import Workers
from spak.verify.problem import Problem
from spak.verify.rig import Case, Rig
from support import VECTOR_ADD, build

ADDS = """extern "C" void kernel(const float* a, const float* b, float* c, ll N) {
  for (ll i = 0; i < N; ++i) c[i] = a[i] + b[i];
}"""
LATE = (
    "import sys, time; print('{}', flush=True); sys.stdin.readline(); time.sleep(1); print('{\"late\": 1}', flush=True)"
)


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Call it, and at one of its next looks at the clock this process finds that a quarter of an hour has passed."""
    real, looks = time.monotonic, [-1_000_000]

    def clock() -> float:
        looks[0] += 1
        return real() + (900 if looks[0] > 3 else 0)

    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(subprocess, "_time", clock)
    yield lambda: looks.__setitem__(0, 0)


def test_a_service_is_waited_for_over_a_pause(paused: Callable[[], None]) -> None:
    with Service([sys.executable, "-c", LATE], env=dict(os.environ)) as one:
        assert one.hello(wall_seconds=60, cpu_seconds=60).state == "ok"
        paused()
        assert one.call({}, wall_seconds=60, cpu_seconds=60).data == {"late": 1}


def test_a_program_is_waited_for_over_a_pause(paused: Callable[[], None]) -> None:
    paused()
    done = run([sys.executable, "-c", "import time; time.sleep(1); print('late')"], limits=Limits(wall_seconds=60))
    assert (done.how, done.stdout) == ("exit status 0", b"late\n")


def test_a_worker_is_waited_for_over_a_pause(tmp_path: Path, paused: Callable[[], None]) -> None:
    answer = "import sys, time; time.sleep(2); print('{\"ok\": true}')"
    paused()
    done = Workers(str(tmp_path), dict(os.environ)).run(
        {"stage": "any"}, seconds=60, argv=(sys.executable, "-c", answer)
    )
    assert done.outcome == {"ok": True}, done


def test_time_outs_are_kept() -> None:
    done = run([sys.executable, "-c", "import time; time.sleep(600)"], limits=Limits(wall_seconds=0.7))
    assert done.timed_out and done.returncode == -9


def test_all_that_a_program_said_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a process that was stopped while it read: as long as something comes, it goes on."""
    real = threading.Thread.join

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        real(thread, None if timeout is None else timeout / 5)

    monkeypatch.setattr(threading.Thread, "join", join)
    slow = "import os\nif os.fork(): os._exit(0)\nimport time\nfor _ in range(60): print('x', flush=True); time.sleep(0.05)"
    done = run([sys.executable, "-c", slow])
    assert done.stdout.count(b"x") == 60


def test_no_child_is_given_a_call_that_it_may_not_live_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel ends a child when its CPU time is used up: on a slow machine that is in the middle of a verification."""
    problem = Problem(VECTOR_ADD, "v")
    axes = {"N": 4}
    ones = np.ones(4, np.float32)
    case = Case(axes, {}, {"a": ones, "b": ones})
    with Rig(problem, str(build(tmp_path, VECTOR_ADD, ADDS)), device="cpu", call_seconds=20.0) as rig:
        first, second = rig.run(case), rig.run(case)
        assert rig.starts == 1
        monkeypatch.setattr(Service, "cpu", lambda _: 290.0, raising=False)
        third = rig.run(case)
        assert rig.starts == 2
    assert [one.outputs["c"].tolist() for one in (first, second, third)] == [[2.0] * 4] * 3
