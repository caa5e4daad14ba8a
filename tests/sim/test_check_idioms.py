"""Kernels in the manner of published ones are clean under every schedule, and are not with any line less that they need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from async_maps import aligned
from check_expect import Bench, floats, ints

CLEAN: tuple[dict[str, Any], ...] = (
    {"completion": "lazy"},
    {"completion": "eager", "order": "reverse"},
    {"completion": "eager", "seed": 1},
    {"completion": "random", "order": "random", "seed": 7},
)
DEFAULT: tuple[dict[str, Any], ...] = ({"completion": "lazy"}, {"completion": "eager", "seed": 1})


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_idioms", flags=["-Wno-error"])


def numbers(count: int) -> Any:
    out = aligned(4 * count).view(np.int32)
    out[:] = np.arange(count)
    return out


def ws_persistent() -> list[Any]:
    return [numbers(7 * 5 * 64), numbers(7 * 64), 7]


# Kernel, grid, block, arguments, cluster, and how many of its lines may be left out, one at a time.
CASES: list[tuple[str, int, int, Any, int, int]] = [
    ("ws_persistent", 2, 96, ws_persistent, 1, 9),
    ("multistage", 1, 64, lambda: [numbers(256 * 7), ints(64), 7], 1, 3),
    ("attention", 1, 160, lambda: [numbers(128), floats(512), 6], 1, 3),
    ("scoped", 1, 128, lambda: [floats(512), 4], 1, 1),
    ("mainloop", 1, 160, lambda: [numbers(512), floats(512), 8], 1, 2),
    ("epilogue", 1, 64, lambda: [numbers(64), numbers(128 * 6), 6], 1, 5),
    ("multicast", 4, 64, lambda: [numbers(64 * 7), ints(128), 7], 2, 3),
    ("packed_look_back", 6, 32, lambda: [numbers(192), np.zeros(6, np.uint64), ints(192)], 1, 0),
    ("semaphore", 5, 64, lambda: [numbers(320), ints(64), ints(1), ints(64)], 1, 2),
    ("stream_k", 5, 64, lambda: [numbers(320), ints(64), ints(1), ints(64)], 1, 3),
    ("compact", 3, 64, lambda: [numbers(192), ints(1), ints(192)], 1, 3),
    ("tiles_of_eight", 1, 64, lambda: [numbers(64), ints(64)], 1, 2),
    ("narrow", 2, 64, lambda: [numbers(64), ints(128), np.zeros(256, np.uint8)], 1, 3),
    ("turns", 1, 64, lambda: [numbers(64), ints(32), 5], 1, 1),
    ("one_lane_waits", 1, 64, lambda: [numbers(64), ints(64)], 1, 2),
    ("cp_async_wgmma", 1, 256, lambda: [numbers(512), floats(512), 6], 1, 3),
    ("handed_over", 2, 64, lambda: [numbers(64), ints(1), ints(64)], 1, 4),
]


@pytest.mark.parametrize(("kernel", "grid", "block", "arguments", "cluster", "lines"), CASES, ids=[c[0] for c in CASES])
def test_idiom(bench: Bench, kernel: str, grid: int, block: int, arguments: Any, cluster: int, lines: int) -> None:
    for schedule in CLEAN:
        bench.clean(kernel, grid, block, *arguments(), *([0] if lines else []), cluster=cluster, **schedule)
    for line in range(1, lines + 1):
        for schedule in DEFAULT:
            assert bench.found(kernel, grid, block, *arguments(), line, cluster=cluster, **schedule), (line, schedule)


@pytest.mark.parametrize(
    "schedule", [{"order": "reverse"}, {"order": "random", "seed": 1}, {"order": "random", "seed": 5}]
)
@pytest.mark.parametrize("threads", [1, 2])
def test_blocks_that_poll_together_let_others_run(bench: Bench, schedule: dict[str, Any], threads: int) -> None:
    data, scan = numbers(192), ints(192)
    bench.kernels.run(
        "packed_look_back", 6, 32, data, np.zeros(6, np.uint64), scan, seconds=5, threads=threads, **schedule
    )
    assert np.array_equal(scan, np.cumsum(data))
    data, total = numbers(320), ints(64)
    bench.kernels.run("semaphore", 5, 64, data, ints(64), ints(1), total, 0, seconds=5, threads=threads, **schedule)
    assert np.array_equal(total, data.reshape(5, 64).sum(0))
