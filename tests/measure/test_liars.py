"""A measuring process that lies about its clock: the parent has clocks of its own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from spak.effects.service import Service
from spak.errors import SpakError
from spak.measure import bench as benches
from spak.measure.workload import Array, Shape, Workload

#: Answers as the real child does, but computes in Python and says what it likes of the time.
CHILD = """
import json, mmap, os, sys, time
memory = mmap.mmap(int(sys.argv[1]), 0)
print(json.dumps({"sandbox": "none"}), flush=True)
outs, runs = [], 0
for line in sys.stdin:
    job = json.loads(line)
    answer = {"ok": True}
    if job["op"] == "arrays":
        outs = job["outs"]
    if job["op"] == "run":
        runs += 1
        began = time.perf_counter_ns()
        while time.perf_counter_ns() - began < 20_000_000:
            pass
        for buffer in outs[: job["calls"]] if runs <= HONEST else []:
            at = buffer[0]["at"]
            memory[at : at + 16] = RESULT
        answer["ns"] = CLAIM
    print(json.dumps(answer), flush=True)
"""
RIGHT = np.arange(4, dtype=np.float32) * 2


def workload() -> Workload:
    form = Shape("x", "f32", "float32", (4,), (1,))

    def judge(results: Mapping[str, Array]) -> str:
        return "" if np.array_equal(results["y"], RIGHT) else "it is not 2 * x"

    return Workload(
        "double",
        ("x",),
        {"x": (form, np.arange(4, dtype=np.float32))},
        (Shape("y", "f32", "float32", (4,), (1,)),),
        judge,
        True,
        "4",
    )


def measured(
    monkeypatch: pytest.MonkeyPatch,
    claim: str,
    result: bytes = RIGHT.tobytes(),
    honest: int = 10**6,
    timeout: float = 60.0,
) -> Any:
    code = CHILD.replace("CLAIM", claim).replace("RESULT", repr(result)).replace("HONEST", str(honest))

    def start(fd: int) -> Service:
        return Service([sys.executable, "-c", code, str(fd)], env={}, fds=[fd])

    monkeypatch.setattr(benches, "_start", start)
    return benches.bench(["a", "b"], workload(), rounds=3, timeout=timeout)


def test_an_honest_one_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = measured(monkeypatch, "time.perf_counter_ns() - began")
    assert len(found.arms) == 2
    assert all(not arm.why for arm in found.arms)
    assert found.arms[1].median > 0


def test_one_that_waits_for_a_processor_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    late = "(time.sleep(1.5 if runs == 4 else 0) or time.perf_counter_ns()) - began"
    assert all(not arm.why for arm in measured(monkeypatch, late, timeout=1.0).arms)


def test_a_sample_that_a_host_disturbs_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One in five is charged 20 ms that nobody claims; none of them becomes a figure."""
    found = measured(monkeypatch, "1000 if runs % 5 == 0 else time.perf_counter_ns() - began")
    assert all(not arm.why for arm in found.arms)
    assert all(min(arm.seconds) > 0.005 / found.calls for arm in found.arms)


@pytest.mark.parametrize(
    ("claim", "what"),
    [
        ("1000", "used"),
        ("10 ** 12", "claims 1000000000000 ns for what took"),
        ("0", "claims 0 ns"),
        ("-5", "claims -5 ns"),
        ("'soon'", "claims 0 ns"),
    ],
)
def test_claims_that_other_clocks_deny(monkeypatch: pytest.MonkeyPatch, claim: str, what: str) -> None:
    with pytest.raises(SpakError, match="SPK658") as raised:
        measured(monkeypatch, claim)
    assert what in str(raised.value)


def test_a_wrong_result_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpakError, match="its result is wrong: it is not 2"):
        measured(monkeypatch, "time.perf_counter_ns() - began", bytes(16))


def test_a_call_that_does_nothing_leaves_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Right at first, and nothing afterwards: each buffer is poisoned before the call that is timed."""
    with pytest.raises(SpakError, match="another result than the first"):
        measured(monkeypatch, "time.perf_counter_ns() - began", honest=8)


def test_one_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benches, "_start", lambda fd: Service([sys.executable, "-c", "import sys; sys.exit(3)"], env={})
    )
    with pytest.raises(SpakError, match=r"SPK658.*exit status 3"):
        benches.bench(["a", "b"], workload(), rounds=3)
