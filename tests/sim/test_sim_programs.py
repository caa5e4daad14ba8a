"""Real kernels under many schedules: correct ones give the same bits, defective twins are caught by at least one."""

from __future__ import annotations

import mmap
import threading

import numpy as np
import pytest
import sim_harness
from test_sim_features import bf16

RNG = np.random.default_rng(11)
SCHEDULES = [{"order": "forward"}, {"order": "reverse"}, *({"seed": seed} for seed in range(6))]


def matmul(
    programs: sim_harness.Kernels, name: str, a: np.ndarray, b: np.ndarray, m: int, n: int, k: int, **schedule: object
) -> np.ndarray:
    c = np.full((m, n), np.nan, np.float32)
    programs.run(name, ((n + 15) // 16, (m + 15) // 16), (16, 16), a, b, c, m, n, k, **schedule)
    return c


@pytest.mark.parametrize("shape", [(1, 1, 1), (16, 16, 16), (33, 50, 47)])
def test_matmul_is_the_same_under_every_schedule(programs: sim_harness.Kernels, shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    a, b = RNG.standard_normal((m, k)).astype(np.float32), RNG.standard_normal((k, n)).astype(np.float32)
    results = [matmul(programs, "matmul", a, b, m, n, k, **schedule) for schedule in SCHEDULES]
    np.testing.assert_allclose(results[0], a.astype(np.float64) @ b, rtol=1e-5, atol=1e-5)
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_matmul_of_narrow_types(programs: sim_harness.Kernels) -> None:
    m, n, k = 40, 24, 30
    a, b = RNG.integers(-4, 5, (m, k)), RNG.integers(-4, 5, (k, n))  # exact in both
    half = matmul(programs, "matmul_f16", a.astype(np.float16), b.astype(np.float16), m, n, k)
    brain = matmul(programs, "matmul_bf16", bf16(a.astype(np.float64)), bf16(b.astype(np.float64)), m, n, k)
    assert np.array_equal(half, a @ b) and np.array_equal(brain, a @ b)


@pytest.mark.parametrize("defect", ["matmul_early_read", "matmul_early_write"])
def test_a_dropped_barrier_shows_in_some_schedule(programs: sim_harness.Kernels, defect: str) -> None:
    m = n = k = 48
    a, b = RNG.standard_normal((m, k)).astype(np.float32), RNG.standard_normal((k, n)).astype(np.float32)
    wrong = [
        not np.allclose(matmul(programs, defect, a, b, m, n, k, **schedule), a @ b, atol=1e-3) for schedule in SCHEDULES
    ]
    assert any(wrong)


def test_a_race_that_one_order_hides(programs: sim_harness.Kernels) -> None:
    x = RNG.standard_normal(64).astype(np.float32)
    want = np.concatenate([[0], x[:-1]])

    def right(**schedule: object) -> bool:
        y = np.zeros(64, np.float32)
        programs.run("neighbour", 1, 64, x, y, **schedule)
        return np.array_equal(y, want)

    assert right(order="forward") and not right(order="reverse")
    assert not all(right(seed=seed) for seed in range(4))


@pytest.mark.parametrize("columns", [1, 31, 256, 1000])
def test_softmax(programs: sim_harness.Kernels, columns: int) -> None:
    x = (RNG.standard_normal((5, columns)) * 10).astype(np.float32)
    outs = []
    for schedule in SCHEDULES:
        y = np.full_like(x, np.nan)
        programs.run("softmax", 5, 128, x, y, columns, **schedule)
        outs.append(y)
    want = np.exp(x - x.max(1, keepdims=True).astype(np.float64))
    np.testing.assert_allclose(outs[0], want / want.sum(1, keepdims=True), rtol=1e-5, atol=1e-9)
    assert all(np.array_equal(outs[0], other) for other in outs[1:])


def test_dynamic_shared_memory(programs: sim_harness.Kernels) -> None:
    x = RNG.standard_normal(5000)
    for block in (1, 32, 1000):
        out = np.zeros_like(x)
        programs.run("reverse", 1, block, x, out, len(x), smem=8 * len(x))
        assert np.array_equal(out, x[::-1])


def test_transpose(programs: sim_harness.Kernels) -> None:
    x = RNG.standard_normal((70, 45)).astype(np.float32)
    for schedule in SCHEDULES:
        y = np.zeros((45, 70), np.float32)
        programs.run("transpose", (2, 3), (32, 8), x, y, 70, 45, **schedule)
        assert np.array_equal(y, x.T)


def test_histogram_over_many_blocks(programs: sim_harness.Kernels) -> None:
    x = RNG.integers(0, 64, 20000).astype(np.int32)
    for schedule in (*SCHEDULES, {"threads": 4}):
        bins = np.zeros(64, np.uint32)
        programs.run("histogram", 17, 96, x, bins, len(x), **schedule)
        assert np.array_equal(bins, np.bincount(x, minlength=64))


def test_threads_that_poll_let_the_others_run(programs: sim_harness.Kernels) -> None:
    for schedule in SCHEDULES:
        lock, counter = np.zeros(1, np.int32), np.zeros(1, np.int32)
        programs.run("spin_lock", 8, 64, lock, counter, **schedule)
        assert counter[0] == 512
        flag, out = np.zeros(1, np.int32), np.zeros(1, np.int32)
        programs.run("wait_for_thread", 1, 64, flag, out, **schedule)
        assert out[0] == 7


def test_sampled_blocks_over_sparse_memory_show_a_32_bit_wrap(programs: sim_harness.Kernels) -> None:
    """More than 2^31 elements in memory that is only mapped; a run touches a few pages of it."""
    wrap, n = 1 << 31, (1 << 31) + (1 << 20) + 5
    blocks = (n + 255) // 256
    memory = np.frombuffer(
        mmap.mmap(-1, wrap + n, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0x4000)),
        np.uint8,
    )
    x = memory[wrap:]  # below it, room for the indices that wrap to negative ones
    programs.run("mark", blocks, 256, x, n, sample_blocks=50, seed=5)
    assert x[0] == 1 and (x[(blocks - 1) * 256 :] == 1).all()
    assert not memory[:4096].any()
    x[(blocks - 1) * 256 :] = 0
    programs.run("mark_wraps", blocks, 256, x, n, sample_blocks=50, seed=5)
    assert x[0] == 1 and not x[(blocks - 1) * 256 :].any()
    assert memory[(blocks - 1) * 256 + wrap - (1 << 32) :][:5].all()  # where the last block wrote instead


def test_a_sample_is_a_function_of_the_seed(programs: sim_harness.Kernels) -> None:
    def run(**setting: object) -> np.ndarray:
        x = np.zeros(64 * 1000, np.uint8)
        programs.run("mark", 1000, 64, x, len(x), **{"sample_blocks": 20, **setting})
        return x

    assert run(seed=3).sum() == 22 * 64
    assert np.array_equal(run(seed=3), run(seed=3, order="reverse", threads=1)) and not np.array_equal(
        run(seed=3), run(seed=4)
    )
    assert run(sample_blocks=999).sum() == 64 * 1000


def test_launches_from_several_threads_at_once(programs: sim_harness.Kernels) -> None:
    """ctypes releases the GIL, so these launches overlap; a faulty one must not disturb the others."""
    a, b = RNG.standard_normal((64, 64)).astype(np.float32), RNG.standard_normal((64, 64)).astype(np.float32)
    wrong: list[str] = []

    def good() -> None:
        for _ in range(20):
            if not np.allclose(matmul(programs, "matmul", a, b, 64, 64, 64), a @ b, atol=1e-3):
                wrong.append("matmul")

    def bad() -> None:
        for _ in range(20):
            try:
                programs.run("mark", (1, 0), 32, np.zeros(1, np.uint8), 1)
                wrong.append("no fault")
            except sim_harness.Fault:
                pass

    threads = [threading.Thread(target=target) for target in (good, bad, good)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
