"""The runtime API: what it answers to misuse, what it finds, when queued work runs, what kernels print."""

from __future__ import annotations

import programs_harness
import pytest
from programs_harness import PROGRAMS

ERRORS = PROGRAMS / "api" / "errors.cu"
pytestmark = pytest.mark.xdist_group("programs")

CASES = {
    "copy beyond the end": (0, ["cudaErrorInvalidValue"], "bad-api-call"),
    "copy in the wrong direction": (1, ["cudaErrorInvalidValue"], "bad-api-call"),
    "free twice": (2, ["cudaSuccess", "cudaErrorInvalidValue"], "bad-api-call"),
    "free host memory": (3, ["cudaErrorInvalidValue"], "bad-api-call"),
    "free the middle": (4, ["cudaErrorInvalidValue"], "bad-api-call"),
    "block too large": (5, ["cudaErrorInvalidConfiguration", "cudaSuccess"], "bad-launch"),
    "empty grid": (6, ["cudaErrorInvalidConfiguration"] * 2, "bad-launch"),
    "beyond the launch bounds": (7, ["cudaErrorLaunchOutOfResources"], "bad-launch"),
    "dynamic shared memory without opting in": (8, ["cudaErrorInvalidValue"], "bad-launch"),
    "more shared memory than there is": (9, ["cudaErrorInvalidValue"], "bad-api-call"),
    "an assertion is sticky": (10, ["cudaErrorAssert", "cudaErrorAssert", "cudaSuccess", "cudaSuccess"], "assertion"),
    "copy beyond a symbol": (11, ["cudaErrorInvalidValue"], "bad-api-call"),
    "a stream that was destroyed": (
        12,
        ["cudaSuccess", "cudaSuccess", "cudaErrorInvalidResourceHandle"],
        "bad-api-call",
    ),
    "an event that was not recorded": (13, ["cudaErrorInvalidResourceHandle"], "bad-api-call"),
    "pitch below the width": (15, ["cudaErrorInvalidPitchValue"], "bad-api-call"),
    "fill host memory": (16, ["cudaErrorInvalidValue"], "bad-api-call"),
    "not modelled": (19, ["cudaErrorNotSupported"], "unsupported"),
    "a copy to a device that is not there": (26, ["cudaErrorInvalidDevice"], "bad-api-call"),
    "a kernel called like a function": (23, ["cudaErrorMissingConfiguration"], "bad-api-call"),
}


@pytest.mark.parametrize("name", CASES)
def test_misuse_has_the_error_of_cuda_and_a_finding_with_its_line(name: str) -> None:
    case, errors, rule = CASES[name]
    done = programs_harness.run(ERRORS, "plain", str(case))
    assert done.out.split() == errors
    assert done.rules == [rule], done.found
    # A kernel that is called like a function, or fails, is named where it is declared.
    wanted = {10: "assert(p", 23: "void fill("}.get(case, f"case {case}:")
    line = next(n for n, text in enumerate(ERRORS.read_text().split("\n"), 1) if wanted in text)
    places = [party.place.span for party in done.found[0].parties if party.place.span]
    assert line in [span.line for span in places], done.found


@pytest.mark.parametrize(("case", "errors"), [(17, ["cudaErrorInvalidDevice"]), (18, ["cudaErrorMemoryAllocation"])])
def test_what_may_well_happen_is_no_finding(case: int, errors: list[str]) -> None:
    done = programs_harness.run(ERRORS, "plain", str(case))
    assert (done.out.split(), done.found) == (errors, ())


def test_use_after_free_ends_the_kernel() -> None:
    plain, checked = (programs_harness.run(ERRORS, mode, "14") for mode in ("plain", "check"))
    assert plain.out.split() == ["cudaErrorIllegalAddress"]
    assert plain.rules == ["invalid-address"]
    assert checked.rules[0] == "use-after-free"


@pytest.mark.parametrize(
    ("case", "rule", "line"),
    [
        (27, "out-of-bounds", "what == 27"),
        (28, "use-after-free", "what == 28"),
        (29, "bad-argument", "what == 29"),
        (30, "bad-argument", "what == 30"),
        (31, "bad-argument", "what == 31"),
        (32, "uninitialised-read", "what == 32"),
    ],
)
def test_misuse_of_the_heap_of_device_code(case: int, rule: str, line: str) -> None:
    (found,) = programs_harness.run(ERRORS, "check", str(case)).found
    span = found.parties[0].place.span
    assert span and (found.rule, line in ERRORS.read_text().split("\n")[span.line - 1]) == (rule, True), found


def test_half_a_tile_of_several_warps_waits_for_ever() -> None:
    (found,) = programs_harness.run(ERRORS, "plain", "33").found
    assert found.rule == "deadlock"
    waits, exited = found.parties
    assert "its tile: 32 of 64 threads have arrived" in waits.what and "threads 0-31, 64-95" in waits.threads
    assert "exited" in exited.role and "threads 32-63, 96-127" in exited.threads


def test_host_memory_in_a_kernel_is_out_of_bounds() -> None:
    """From the heap: the program's static data and the host's stack are not told apart from a kernel's own constants."""
    assert programs_harness.run(ERRORS, "check", "20").rules[0] in ("out-of-bounds", "invalid-address")


def test_host_code_that_dereferences_device_memory_dies_with_a_finding() -> None:
    done = programs_harness.run(ERRORS, "check", "21")
    assert done.status in (139, -11)
    assert done.rules == ["bad-api-call"]
    assert "device pointer" in done.found[0].sentence


def test_a_forgotten_synchronisation_shows_where_streams_are_lazy() -> None:
    assert programs_harness.run(ERRORS, "plain", "22", streams="eager").out.split() == ["5", "5"]
    assert programs_harness.run(ERRORS, "plain", "22", streams="lazy").out.split() == ["-1", "5"]
    assert programs_harness.run(ERRORS, "check", "22").out.split() == ["-1", "5"]
    # The copy is in another stream than the kernel, and nothing orders them.
    assert programs_harness.run(ERRORS, "plain", "22", "other", streams="lazy").out.split()[0] == "-1"


def test_a_capture_refuses_what_waits() -> None:
    done = programs_harness.run(ERRORS, "plain", "24")
    unsupported = "cudaErrorStreamCaptureUnsupported"
    assert done.out.split() == ["cudaSuccess", unsupported, "cudaSuccess", unsupported]


def test_a_write_past_the_end_is_seen_without_the_checkers() -> None:
    done = programs_harness.run(ERRORS, "plain", "25")
    assert done.out.split() == ["cudaErrorIllegalAddress"]
    assert done.rules == ["invalid-address"]


def test_kernels_print_in_the_order_of_threads() -> None:
    expected = "before\n"
    for block in (0, 1):
        expected += f"hello from block {block}, thread 0:  0.00 first\n"
        expected += f"hello from block {block}, thread 16:  8.00 later\n\n"
    for env in ({}, {"order": "random", "seed": "3"}):
        assert programs_harness.run(PROGRAMS / "api" / "output.cu", "plain", **env).out == expected + "after\n"


def test_occupancy_follows_the_device() -> None:
    source = PROGRAMS / "api" / "occupancy.cu"
    h200 = programs_harness.run(source, "plain").out.split("\n")
    assert h200[0] == "NVIDIA H200: 9.0, 132, 233472, 232448"
    assert h200[1:5] == ["8 2 32 5", "264 1024", "2112 128", "192 49152"]
    t4 = programs_harness.run(source, "plain", device="t4").out.split("\n")
    assert t4[0] == "Tesla T4: 7.5, 40, 65536, 65536"
    assert t4[1:3] == ["4 1 16 1", "40 1024"]


def test_an_unknown_device_is_named() -> None:
    done = programs_harness.run(PROGRAMS / "api" / "occupancy.cu", "plain", device="h900")
    assert done.status == 2
    assert "h900" in done.err and "h200" in done.err
