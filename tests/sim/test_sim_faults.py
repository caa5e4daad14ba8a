"""Each defective kernel stops with a fault that names the rule, the place, the threads and what to do."""

from __future__ import annotations

import numpy as np
import pytest
import sim_harness

F32 = np.ones(4096, np.float32)


def fault_of(
    faults: sim_harness.Kernels, name: str, block: int, *arguments: object, **options: object
) -> tuple[str, str]:
    with pytest.raises(sim_harness.Fault) as caught:
        faults.run(name, 1, block, *arguments, **options)
    return caught.value.rule, str(caught.value)


CASES = [
    (
        "skipped_barrier",
        64,
        (),
        "divergent-barrier",
        [
            "`skipped_barrier`",
            "block (0,0,0)",
            "faults.cu:5",
            "threads 0-31: wait at __syncthreads, faults.cu:5",
            "threads 32-63: exited",
            "hint:",
        ],
    ),
    (
        "two_barriers",
        4,
        (),
        "divergent-barrier",
        [
            "different ones",
            "threads 0, 2: wait at __syncthreads, faults.cu:11",
            "threads 1, 3: wait at __syncthreads, faults.cu:10",
        ],
    ),
    ("return_before_barrier", 64, (40,), "divergent-barrier", ["faults.cu:18", "only 40 do", "threads 40-63: exited"]),
    ("mixed_barriers", 64, (), "divergent-barrier", ["faults.cu:22"]),
    ("barrier_in_reduction", 96, (), "divergent-barrier", ["faults.cu:27", "threads 64-95: exited"]),
    (
        "exited_lane",
        32,
        (20,),
        "inactive-lane",
        ["thread (4,0,0): faults.cu:34: __shfl_down_sync reads lane 20, which has exited or does not exist"],
    ),
    (
        "unnamed_lane",
        32,
        (),
        "inactive-lane",
        ["faults.cu:38", "__shfl_sync reads lane 20, which the mask does not name"],
    ),
    ("short_warp", 48, (), "inactive-lane", ["faults.cu:42", "thread (32,0,0)", "lane 16"]),
    ("not_in_mask", 32, (), "divergent-warp", ["thread (16,0,0): faults.cu:46", "own lane"]),
    ("masks_differ", 32, (), "divergent-warp", ["__ballot_sync with mask 0xffffffff", "0xfffffffe"]),
    (
        "shuffle_against_barrier",
        32,
        (),
        "deadlock",
        [
            "thread 3: wait at __syncthreads, faults.cu:57",
            "threads 0-2, 4-31: wait at __shfl_sync with mask 0xffffffff, faults.cu:58",
        ],
    ),
    ("bad_width", 32, (), "bad-argument", ["faults.cu:63", "width 12"]),
    ("past_the_end", 32, (), "shared-overflow", ["byte 128 of shared variable `rows` (faults.cu:67)", "has 128 bytes"]),
    (
        "before_the_start",
        32,
        (1,),
        "shared-overflow",
        ["bytes before the start of shared variable `cells` (faults.cu:74)"],
    ),
    ("unaligned_vector", 1, (), "misaligned", ["faults.cu:92", "spak::load"]),
    ("unaligned_float4", 64, (), "invalid-address", ["faults.cu:99 was passed last", "aligned"]),
    ("wild_pointer", 32, (1 << 50,), "invalid-address", ["faults.cu:104 was passed last", "invalid memory access"]),
    ("small_block", 128, (), "bad-launch", ["faults.cu:119", "__launch_bounds__"]),
    ("too_much_static", 32, (), "bad-launch", ["faults.cu:122", "48 KB"]),
    ("asserts", 32, (), "assertion", ["faults.cu:128", "out[0] > 5.0f"]),
]


@pytest.mark.parametrize(("name", "block", "extra", "rule", "parts"), CASES, ids=[case[0] for case in CASES])
def test_fault(
    faults: sim_harness.Kernels, name: str, block: int, extra: tuple[int, ...], rule: str, parts: list[str]
) -> None:
    found, message = fault_of(faults, name, block, F32.copy(), *extra)
    assert (found, [part for part in parts if part not in message]) == (rule, []), message


def test_divergence_is_found_in_every_order(faults: sim_harness.Kernels) -> None:
    for order in ("forward", "reverse", "random"):
        rule, message = fault_of(faults, "skipped_barrier", 64, F32.copy(), order=order, seed=3)
        assert rule == "divergent-barrier" and "threads 32-63: exited" in message


def test_dynamic_overflow_names_both_sizes(faults: sim_harness.Kernels) -> None:
    rule, message = fault_of(faults, "dynamic_too_small", 64, F32.copy(), smem=252)
    assert rule == "shared-overflow"
    assert "byte 252 of dynamic shared memory `staged` (faults.cu:80)" in message and "asked for 252 bytes" in message


def test_far_overflow_hits_the_guard_page(faults: sim_harness.Kernels) -> None:
    rule, message = fault_of(faults, "dynamic_far_too_small", 64, F32.copy(), smem=256)
    assert rule == "invalid-address" and "thread (1,0,0)" in message


def test_integer_division_by_zero(faults: sim_harness.Kernels) -> None:
    if sim_harness.os.uname().machine != "x86_64":
        pytest.skip("only x86 traps")
    rule, message = fault_of(faults, "divides_by_zero", 32, np.zeros(32, np.int32))
    assert rule == "arithmetic" and "thread (0,0,0)" in message


def test_stack_overflow(faults: sim_harness.Kernels) -> None:
    rule, message = fault_of(faults, "recursion", 32, np.zeros(1, np.int32))
    assert rule == "stack-overflow" and "SPAK_SIM_STACK_KB=64" in message


def test_a_local_array_cannot_jump_over_the_guard(faults: sim_harness.Kernels) -> None:
    out = np.zeros(1, np.int32)
    rule, _ = fault_of(faults, "large_local", 32, out, 5)
    assert rule == "stack-overflow" and out[0] == 0
    faults.run("large_local", 1, 32, out, 5, stack_kb=512)
    assert out[0] == 1


def test_trap_and_exception_carry_the_thread(faults: sim_harness.Kernels) -> None:
    rule, message = fault_of(faults, "traps", 32)
    assert rule == "assertion" and "thread (9,0,0): faults.cu:132" in message
    assert fault_of(faults, "throws", 32)[0] == "exception"


@pytest.mark.parametrize(
    ("grid", "block", "smem", "part"),
    [
        ((0, 1, 1), (32, 1, 1), 0, "grid (0,1,1)"),
        ((1, -1, 1), (32, 1, 1), 0, "grid (1,-1,1)"),
        ((1, 65536, 1), (32, 1, 1), 0, "65535"),
        ((1, 1, 1), (0, 1, 1), 0, "block (0,1,1)"),
        ((1, 1, 1), (1, 1, 65), 0, "(1024,1024,64)"),
        ((1, 1, 1), (64, 32, 1), 0, "2048 threads"),
        ((1, 1, 1), (32, 1, 1), 232449, "232449 bytes"),
        ((1, 1, 1), (32, 1, 1), -4, "-4 bytes"),
        ((1 << 31, 1, 1), (32, 1, 1), 0, "2147483647"),
    ],
)
def test_bad_launch(
    faults: sim_harness.Kernels, grid: tuple[int, ...], block: tuple[int, ...], smem: int, part: str
) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        faults.run("traps", grid, block, smem=smem)
    assert caught.value.rule == "bad-launch" and part in str(caught.value)


@pytest.mark.parametrize("setting", [{"order": "sideways"}, {"seed": "x"}, {"threads": "-1"}, {"stack_kb": 1}])
def test_bad_setting(faults: sim_harness.Kernels, setting: dict[str, object]) -> None:
    with pytest.raises(sim_harness.Fault, match="SPAK_SIM_"):
        faults.run("traps", 1, 32, **setting)


def test_a_fault_leaves_nothing_behind(faults: sim_harness.Kernels) -> None:
    """After a hundred faults the engine still works, and the same worker runs a good kernel."""
    for _ in range(100):
        fault_of(faults, "skipped_barrier", 64, F32.copy())
        fault_of(faults, "wild_pointer", 32, F32.copy(), 1 << 50)
    out = np.zeros(64, np.float32)
    faults.run("small_block", 1, 64, out)
    assert (out == 1).all()
