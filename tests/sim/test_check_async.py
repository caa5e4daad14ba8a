"""Asynchronous copies and matrix operations: touched too early, reused too early, not visible to the other proxy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from check_expect import Bench, floats

SCHEDULES: list[dict[str, Any]] = [
    {"completion": "lazy"}, {"completion": "eager", "order": "reverse"}, {"completion": "random", "order": "random", "seed": 7},
]  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_async", flags=["-Wno-error"])


def numbers(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.float32)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_cp_async(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("copied_ok", 1, 32, numbers(128), floats(32), **schedule)
    found = bench.finds("in-flight-read", "copied_no_wait", 1, 32, numbers(128), floats(32), **schedule)
    assert found["parties"][1]["role"] == "issued (cp.async)"
    bench.finds_either_way(
        "race-shared", "copied_no_barrier", 1, 64, numbers(256), floats(64), also=("in-flight-read",), **schedule
    )
    bench.finds("in-flight-overwrite", "overwritten_early", 1, 32, numbers(128), floats(32), **schedule)
    bench.finds("in-flight-overwrite", "source_overwritten", 1, 32, numbers(128), floats(32), **schedule)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_bulk(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("loaded_ok", 1, 64, numbers(64), floats(64), **schedule)
    rules = {finding["rule"] for finding in bench.found("loaded_no_wait", 1, 64, numbers(64), floats(64), **schedule)}
    assert rules & {"in-flight-read", "race-shared"}, rules  # threads may read before the copy is even issued
    out = floats(64)
    bench.clean("stored_ok", 1, 64, out, **schedule)
    assert np.array_equal(out, numbers(64))
    bench.clean("fence_by_issuer_ok", 1, 64, floats(64), **schedule)
    for kernel, rule in (
        ("stored_no_fence", "missing-proxy-fence"),
        ("stored_no_barrier", "race-shared"),
        ("stored_reused", "in-flight-overwrite"),
    ):
        rules = {finding["rule"] for finding in bench.found(kernel, 1, 64, floats(64), **schedule)}
        assert rule in rules, (kernel, rules)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_ring(bench: Bench, schedule: dict[str, Any]) -> None:
    data, out = numbers(640), floats(32)
    bench.clean("ring_ok", 1, 64, data, out, 10, **schedule)
    assert np.array_equal(out, (data.reshape(10, 64)[:, :32] + data.reshape(10, 64)[:, :31:-1]).sum(0))
    found = bench.found("ring_given_back_early", 1, 64, data, out, 10, **schedule)
    assert {finding["rule"] for finding in found} & {
        "race-shared",
        "in-flight-overwrite",
        "in-flight-read",
        "mbarrier-misuse",
    }, found


def test_abandoned(bench: Bench) -> None:
    out = floats(64)
    assert "out-of-bounds" in {finding["rule"] for finding in bench.found("abandoned", 1, 64, out, 1 << 16)}
    bench.clean("stored_ok", 1, 64, out)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_peers(bench: Bench, schedule: dict[str, Any]) -> None:
    bench.clean("neighbours_ok", 4, 32, floats(128), cluster=2, **schedule)
    found = bench.found("neighbours_gone", 4, 32, floats(128), cluster=2, **schedule)
    assert {finding["rule"] for finding in found} == {"exited-peer"}, found


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_wgmma(bench: Bench, schedule: dict[str, Any]) -> None:
    out = floats(512)
    bench.clean("multiplied_ok", 1, 128, out, **schedule)
    assert (out == 16).all()
    found = bench.found("multiplied_no_fence", 1, 128, floats(512), **schedule)
    assert {finding["rule"] for finding in found} == {"missing-proxy-fence"}
    found = bench.found("multiplied_no_wait", 1, 128, floats(512), **schedule)
    assert [finding["rule"] for finding in found] == ["accumulator-in-flight"]
    assert [(party["role"], party["line"]) for party in found[0]["parties"]] == [
        ("reads", 184),
        ("issued (wgmma)", 181),
    ]
