"""Bounds, alignment, initialisation, constness, overflow: each defect found at its line, each repaired twin clean."""

from __future__ import annotations

import numpy as np
import pytest
from check_expect import Bench, floats, ints


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench("check_memory", flags=["-Wno-error"])


def test_over_the_end(bench: Bench) -> None:
    found = bench.finds("out-of-bounds", "over_the_end", 2, 32, floats(4), floats(50), 50)
    assert found["fault"] == "out-of-bounds"
    assert "`argument 1`" in found["sentence"] and "byte 200" in found["sentence"]
    assert found["parties"][0]["threads"] == "block (1,0,0), thread (18,0,0)"
    bench.clean("over_the_end_ok", 2, 32, floats(4), floats(50), 50)


def test_before_the_start(bench: Bench) -> None:
    found = bench.finds("out-of-bounds", "before_the_start", 1, 32, floats(32), floats(32))
    assert "4 bytes before the start of `argument 0`" in found["sentence"]


def test_without_regions_all_memory_is_allowed(bench: Bench) -> None:
    memory = floats(1 << 20)  # far from what was a region before
    bench.clean("before_the_start", 1, 32, memory[1 << 19 :], memory, regions={})


def test_freed(bench: Bench) -> None:
    gone, out = floats(32), floats(32)
    with bench.kernels.regions({"gone": gone}):
        bench.clean("freed", 1, 32, gone, out, regions={"out": out})
    found = bench.finds("use-after-free", "freed", 1, 32, gone, out, regions={"out": out})
    assert [party["role"] for party in found["parties"]] == ["reads", "allocated", "freed"]
    with bench.kernels.regions({"again": gone}):
        bench.clean("freed", 1, 32, gone, out, regions={"out": out})


def test_overlapping_regions(bench: Bench) -> None:
    memory = floats(64)
    regions = {"a": (memory[:40], {"writable": False}), "b": (memory[8:], {"writable": False}), "out": floats(32)}
    bench.clean("freed", 1, 32, memory, regions["out"], regions=regions)
    bench.clean("freed", 1, 32, memory[32:], regions["out"], regions=regions)


def test_misaligned(bench: Bench) -> None:
    found = bench.finds("misaligned", "vector_of_words", 1, 32, floats(64), floats(32))
    assert "multiple of 16" in found["sentence"]
    bench.clean("vector_of_words_ok", 1, 32, floats(64), floats(32))
    bench.finds("misaligned", "word_of_bytes", 1, 32, np.zeros(64, np.int8), ints(32))


def test_uninitialised_shared(bench: Bench) -> None:
    found = bench.finds("uninitialised-read", "never_written", 2, 32, floats(32), also=("race-global",))
    assert found["parties"][0]["what"] == "4 bytes of `s` at byte 128"
    assert found["parties"][0]["threads"] == "block (0,0,0), thread (31,0,0), and others"
    bench.clean("never_written_ok", 1, 32, floats(32))
    bench.finds("uninitialised-read", "half_written", 1, 64, ints(64))
    bench.clean("half_written_ok", 1, 64, ints(64))


def test_uninitialised_global(bench: Bench) -> None:
    buffer, out = floats(32), floats(32)
    fresh = {"initialised": False}
    found = bench.finds(
        "uninitialised-read", "buffer_read", 1, 32, buffer, out, regions={"x": (buffer, fresh), "y": out}
    )
    assert "`x`" in found["sentence"]
    with bench.kernels.regions({"x": (buffer, fresh)}):
        bench.clean("buffer_fill", 1, 32, buffer, regions={"y": out})
        bench.clean("buffer_read", 1, 32, buffer, out, regions={"y": out})


def test_const_write(bench: Bench) -> None:
    data, out = floats(32), floats(32)
    regions = {"x": (data, {"writable": False}), "y": out}
    found = bench.finds("const-write", "writes_input", 1, 32, data, out, regions=regions)
    assert found["parties"][1]["role"] == "passed"
    bench.clean("writes_input_ok", 1, 32, data, out, regions=regions)


def test_red_zones(bench: Bench) -> None:
    found = bench.finds("shared-overflow", "zone_write", 1, 32, floats(32))
    assert "byte 128 of `s`" in found["sentence"]
    assert found["parties"][0]["threads"] == "block (0,0,0), thread (31,0,0)"
    bench.finds("shared-overflow", "zone_read", 1, 32, floats(32))
    bench.finds("shared-overflow", "straddles", 1, 1, ints(1))
    bench.clean("zone_ok", 1, 32, floats(32))
    bench.finds("shared-overflow", "dynamic_write", 1, 32, floats(32), 8, smem=128)
    bench.clean("dynamic_write", 1, 32, floats(32), 8, smem=160)


def test_arithmetic(bench: Bench) -> None:
    found = bench.finds("index-overflow", "wide_index", 1, 32, floats(32), 40000)
    assert "40000 * 65536" in found["sentence"]
    bench.clean("wide_index", 1, 32, floats(32), 400)
    bench.clean("wide_index_ok", 1, 32, floats(32), 40000)
    assert bench.finds("arithmetic", "divides", 1, 32, ints(32), 5)["fault"] == "arithmetic"
    bench.clean("divides", 1, 32, ints(32), 50)


def test_array_index(bench: Bench) -> None:
    bench.finds("local-out-of-bounds", "local_index", 1, 32, floats(32), 6)
    bench.clean("local_index", 1, 32, floats(32), 4)
    found = bench.finds("shared-overflow", "shared_index", 1, 64, floats(64), 6)
    assert found["parties"][1]["what"].startswith("`s`")
    bench.clean("shared_index", 1, 64, floats(64), 4)


def test_local_of_another(bench: Bench) -> None:
    found = bench.finds("out-of-bounds", "local_of_another", 1, 32, floats(32), also=("race-global",))
    assert "another thread" in found["sentence"]


def test_blameless(bench: Bench) -> None:
    bench.clean("blameless", 1, 32, np.zeros(160, np.int8), ints(160), floats(32))
