"""Kernels that wait for each other get their turn; kernels that never end are findings, and the process lives on."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import sim_harness
from pace import within

SCHEDULES = [{"order": "forward"}, {"order": "reverse"}, {"seed": 1}]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_blocks_that_spin_let_others_run(
    engine: sim_harness.Kernels, schedule: dict[str, object], threads: int
) -> None:
    for name in ("spins_on_volatile", "spins_on_blocks"):
        flag, out = np.zeros(1, np.int32), np.zeros(40, np.int32)
        engine.run(name, 40, 64, flag, out, threads=threads, **schedule)
        assert out[0] == 7 or out.min() > 1, name


def test_random_orders_interleave_blocks_at_barriers(engine: sim_harness.Kernels) -> None:
    def log(**schedule: object) -> list[int]:
        out, counter = np.zeros(48, np.int32), np.zeros(1, np.int32)
        engine.run("passes", 6, 64, counter, out, threads=1, **schedule)
        assert sorted(out.tolist()) == sorted(list(range(6)) * 8)
        return list(out.tolist())

    assert log(order="forward") == [block for block in range(6) for _ in range(8)]
    seeds = [log(seed=seed) for seed in range(4)]
    assert all(sum(a != b for a, b in itertools.pairwise(run)) > 6 for run in seeds)
    assert seeds[0] != seeds[1] and seeds[0] == log(seed=0)


ENDLESS = [
    ("polls_for_ever", (np.zeros(1, np.int32),), 167),
    ("loops_for_ever", (np.zeros(1, np.int32), 1), 173),
    ("waits_for_ever", (np.zeros(1, np.int32),), 179),
]


@pytest.mark.parametrize(("name", "arguments", "line"), ENDLESS, ids=[case[0] for case in ENDLESS])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_never_ends_is_a_finding_with_its_place(
    engine: sim_harness.Kernels, name: str, arguments: tuple[object, ...], line: int, threads: int
) -> None:
    def end() -> None:
        engine.findings()
        with pytest.raises(sim_harness.Fault) as caught:
            engine.run(name, 3, 64, *arguments, seconds=0.1, threads=threads)
        assert caught.value.rule == "no-progress" and "SPAK_SIM_SECONDS=0.1" in str(caught.value)

    assert within(1.0, end)
    (finding,) = engine.findings()
    (party,) = finding["parties"]
    assert (party["file"], party["line"]) == ("engine.cu", line) and "thread (" in party["threads"]
    assert finding["kernel"] == name


@pytest.mark.parametrize("blocked", [False, True], ids=["works", "blocked"])
def test_one_that_works_or_is_blocked_is_waited_for(engine: sim_harness.Kernels, blocked: bool) -> None:
    """The others poll for more than the 5 seconds of CPU time that are no progress if everybody polls."""
    told, flag = np.zeros(2, np.int32), np.zeros(1, np.int32)
    ours, theirs = os.pipe()
    began, over = time.process_time(), threading.Event()

    def tell() -> None:
        while time.process_time() - began < 6.5 and not over.wait(0.01):
            pass
        told[0] = 1
        os.write(theirs, b"!")

    teller = threading.Thread(target=tell)
    teller.start()
    try:
        engine.run("is_told_late", 3, 1, told, flag, ours if blocked else -1, threads=3)
    finally:
        over.set()
        teller.join()
        os.close(ours)
        os.close(theirs)
    assert flag[0] == 1


def test_each_module_of_a_process_is_looked_at(engine: sim_harness.Kernels, tmp_path: Path) -> None:
    """Modules have the engine in them each; the one that ran first is not forgotten when another has run."""
    flag, out = np.zeros(1, np.int32), np.zeros(40, np.int32)
    engine.run("spins_on_volatile", 40, 64, flag, out, threads=1)
    other = sim_harness.Kernels(Path(shutil.copy(engine.path, tmp_path / "other.so")))
    for kernels in (other, engine, other):
        flag[:] = out[:] = 0
        kernels.run("spins_on_volatile", 40, 64, flag, out, threads=1, seconds=5)
        assert out[0] == 7 or out.min() > 1
        with pytest.raises(sim_harness.Fault, match=r"SPAK_SIM_SECONDS=0\.1"):
            kernels.run("loops_for_ever", 3, 64, np.zeros(1, np.int32), 1, seconds=0.1)


def test_more_blocks_wait_than_are_resident(engine: sim_harness.Kernels) -> None:
    """On a device of one multiprocessor two blocks of 1024 threads run at a time: the third is never started."""
    arguments = np.zeros(1, np.int32), np.zeros(3, np.int32)
    engine.run("spins_on_blocks", 2, 1024, *arguments, multiprocessors=1, threads=1)
    arguments[0][:] = 0
    with pytest.raises(sim_harness.Fault) as caught:
        engine.run("spins_on_blocks", 3, 1024, *arguments, multiprocessors=1, threads=1, seconds=0.1)
    assert caught.value.rule == "no-progress"


TRAPS = [
    ("divides", (np.zeros(64, np.int32), 0), "arithmetic", 186),
    ("recurses", (np.zeros(4, np.int32),), "stack-overflow", 189),
    ("touches", (np.zeros(4, np.int32), 1 << 50), "invalid-address", 193),
]


@pytest.mark.parametrize(("name", "arguments", "rule", "line"), TRAPS, ids=[case[0] for case in TRAPS])
def test_traps_are_findings_with_their_place(
    engine: sim_harness.Kernels, name: str, arguments: tuple[object, ...], rule: str, line: int
) -> None:
    engine.findings()
    with pytest.raises(sim_harness.Fault):
        engine.run(name, 1, 64, *arguments)
    (finding,) = engine.findings()
    assert finding["rule"] == rule
    assert (finding["parties"][0]["file"], finding["parties"][0]["line"]) == ("engine.cu", line)


TWO_MODULES = """
import ctypes, sys, threading, numpy, sim_harness
from pathlib import Path

def fault(kernels, caught):
    for _ in range(100):
        try: kernels.run("touches", 3, 64, numpy.zeros(4, numpy.int32), 1 << 50, threads=1)
        except sim_harness.Fault as error: caught.append(error.rule)

modules = [sim_harness.Kernels(Path(path)) for path in sys.argv[1:]]
caught = [[] for _ in modules]
threads = [threading.Thread(target=fault, args=each) for each in zip(modules, caught)]
for each in threads: each.start()
for each in threads: each.join()
print(*(each == ["invalid-address"] * 100 for each in caught), flush=True)
ctypes.string_at(0)
"""


def test_modules_that_run_at_once_catch_their_own_traps(engine: sim_harness.Kernels, tmp_path: Path) -> None:
    other = shutil.copy(engine.path, tmp_path / "other.so")
    command = [sys.executable, "-X", "faulthandler", "-c", TWO_MODULES, engine.path, other]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.stdout == "True True\n", done.stderr
    assert done.returncode == -signal.SIGSEGV, "a trap of nobody's is left to whom it was left before"
    assert "Fatal Python error: Segmentation fault" in done.stderr


def test_exceptions(engine: sim_harness.Kernels) -> None:
    with pytest.raises(sim_harness.Fault, match="threw out of cheese") as caught:
        engine.run("throws_text", 1, 32)
    assert caught.value.rule == "exception"
    with pytest.raises(sim_harness.Fault, match="inside noexcept code"):
        engine.run("fails_in_noexcept", 1, 32)


def test_findings_count_and_quote(engine: sim_harness.Kernels) -> None:
    engine.findings()
    engine.run("reports", 1, 2, 3)
    found = engine.findings()
    assert len(found) == 100  # at most so many a launch
    assert found[0] == {
        "rule": "race-shared",
        "sentence": 'said "twice"',
        "hint": "line one\nline two",
        "count": 6,
        "kernel": "reports",
        "parties": [
            {"role": "writes", "file": "engine.cu", "line": 202, "pc": None, "threads": "a thread", "what": ""}
        ],
    }
    assert found[1]["count"] == 2 and engine.findings() == []
    engine.run("reports", 1, 1, 1)
    assert [finding["count"] for finding in engine.findings()[:2]] == [1, 1]


@pytest.mark.parametrize("setting", [{"mode": "fast"}, {"completion": "late"}, {"seconds": "0"}, {"seconds": "1s"}])
def test_bad_settings(engine: sim_harness.Kernels, setting: dict[str, object]) -> None:
    with pytest.raises(sim_harness.Fault, match="SPAK_SIM_") as caught:
        engine.run("throws_text", 1, 32, **setting)
    assert caught.value.rule == "bad-launch"


def test_plain_code_cannot_be_checked(engine: sim_harness.Kernels) -> None:
    with pytest.raises(sim_harness.Fault, match="not compiled for the checkers"):
        engine.run("throws_text", 1, 32, mode="check")


def test_two_billion_blocks_do_not_fit_in_the_time(engine: sim_harness.Kernels) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        engine.run("throws_text", (1 << 31, 1, 1), 32)
    assert caught.value.rule == "bad-launch" and "2147483647" in str(caught.value)
    with pytest.raises(sim_harness.Fault) as caught:
        engine.run("lanes", ((1 << 31) - 1, 1, 1), 32, np.zeros(32, np.int32), seconds=0.1)
    assert caught.value.rule == "no-progress" and "SPAK_SIM_SECONDS" in str(caught.value)
