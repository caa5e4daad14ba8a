"""What the models say of wrong uses: the rule, the sentence, the line. Larger kernels that go wrong are in defects/."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import sim_harness
from async_maps import aligned, encode

SOURCE = Path(__file__).parent / "kernels" / "async_wrong.cu"

STOPPED = [
    (0, "mbarrier-misuse", "mbarrier_init with a count of 0"),
    (1, "mbarrier-misuse", "mbarrier_init with a count of 1048576"),
    (3, "mbarrier-misuse", "mbarrier_arrive of 3 at `bar`, which is in phase 0 .parity 0.: 2 of 2 arrivals pending"),
    (4, "mbarrier-misuse", "mbarrier_arrive on `other`, which has not been initialised"),
    (5, "mbarrier-misuse", "mbarrier_test_wait for a parity of 2"),
    (6, "mbarrier-misuse", "mbarrier_expect_tx of 1048576 bytes"),
    (7, "invalid-address", "the mbarrier of mbarrier_arrive is not in shared memory"),
    (8, "misaligned", "the address of the mbarrier of mbarrier_arrive is not a multiple of 8"),
    (9, "mbarrier-misuse", "mbarrier_arrive on `bar`, which has been invalidated"),
    (10, "bad-argument", "named barrier 16: a block has barriers 0 to 15"),
    (11, "bad-argument", "for 40 threads: the number must be a positive multiple of 32"),
    (12, "barrier-count", "for 256 threads in a block of 128"),
    (13, "barrier-count", "named barrier 1 is for (64|96) threads here, and for (96|64)"),
    (14, "divergent-barrier", "lanes of one warp come to named barriers with different numbers"),
    (15, "barrier-count", "arrives at the cluster's barrier again"),
    (16, "barrier-count", "waits at the cluster's barrier without having arrived"),
    (17, "bad-argument", "cp_async_zfill of 16 bytes reads 17"),
    (18, "misaligned", "the destination of a cp_async of 16 bytes is not a multiple of 16"),
    (19, "misaligned", "the source of a cp_async of 16 bytes is not a multiple of 16"),
    (20, "invalid-address", "the destination of cp_async is not in shared memory"),
    (21, "bad-argument", "bulk_load of 24 bytes: the size must be a multiple of 16"),
    (22, "misaligned", "the source of bulk_load is not a multiple of 16"),
    (23, "bad-argument", "the mask of bulk_load_multicast names no block"),
    (24, "bad-argument", "names the block of rank 1 in a cluster of 1"),
    (25, "invalid-address", "the source of bulk store is not in shared memory"),
    (26, "invalid-address", "the source of bulk_load is in shared memory"),
    (28, "register-budget", "registers_decrease to 256 registers a thread, from 248"),
    (29, "register-budget", "warps of one warpgroup ask for different numbers"),
    (30, "bad-argument", "block rank 1 is not in the cluster, which has 1 block"),
]
REPORTED = [
    (2, "mbarrier-misuse", "mbarrier_init on `bar`, which is an mbarrier already"),
    (27, "register-budget", "ask for 262144 registers in all"),
    (31, "missing-wait", "has exited without a wait for its bulk store"),
    (32, "missing-wait", "has exited without a wait for its bulk store"),
    (33, "missing-wait", "has exited while a bulk load is still writing to its shared memory"),
]
DEADLOCKS = [
    (34, "waits for parity 0 of `bar`, which is in phase 0 .parity 0.: 0 of 2 arrivals pending, 16 bytes outstanding"),
    (35, "in phase 0 .parity 0.: 1 of 2 arrivals pending, 0 bytes outstanding"),
    (36, "waits for parity 1 of `bar`, which is in phase 1 .parity 1.: 1 of 2 arrivals pending, 0 bytes outstanding"),
    (37, "nobody has ever arrived"),
    (38, "32 of 64 threads have arrived"),
]


@pytest.fixture(scope="module")
def kernels() -> sim_harness.Kernels:
    return sim_harness.build(SOURCE)


def line_of(case: int) -> int:
    text = SOURCE.read_text().split("\n")
    return next(i for i, line in enumerate(text, 1) if f"case {case}:" in line)


@pytest.mark.parametrize("completion", ["eager", "lazy"])
@pytest.mark.parametrize(("case", "rule", "sentence"), STOPPED)
def test_wrong_arguments_end_the_launch(
    kernels: sim_harness.Kernels, case: int, rule: str, sentence: str, completion: str
) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        kernels.run("wrong", 1, 128, case, aligned(4096).view(np.float32), completion=completion)
    (found,) = kernels.findings()
    assert caught.value.rule == found["rule"] == rule
    assert re.search(sentence, found["sentence"]) and "0x" not in found["sentence"]
    assert found["parties"][0]["line"] == line_of(case) and found["hint"]


@pytest.mark.parametrize(("case", "rule", "sentence"), REPORTED)
def test_what_can_go_on_is_reported(kernels: sim_harness.Kernels, case: int, rule: str, sentence: str) -> None:
    block = 512 if case == 27 else 128
    kernels.run("wrong", 1, block, case, aligned(4096).view(np.float32), completion="lazy")
    found = {finding["rule"]: finding for finding in kernels.findings()}
    assert re.search(sentence, found[rule]["sentence"].replace("131072", "262144"))
    assert line_of(case) in [party["line"] for party in found[rule]["parties"]]


def test_an_unwaited_store_is_reported_even_if_it_completes_at_once(kernels: sim_harness.Kernels) -> None:
    kernels.run("wrong", 1, 128, 31, aligned(4096).view(np.float32), completion="eager")
    assert [finding["rule"] for finding in kernels.findings()] == ["missing-wait"]


@pytest.mark.parametrize(("case", "sentence"), DEADLOCKS)
def test_a_deadlock_says_what_is_missing(kernels: sim_harness.Kernels, case: int, sentence: str) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        kernels.run("wrong", 1, 128, case, aligned(4096).view(np.float32), completion="random", seed=1)
    assert caught.value.rule == "deadlock"
    (found,) = kernels.findings()
    assert re.search(sentence, str(found))
    assert line_of(case) in [party["line"] for party in found["parties"]]


@pytest.mark.parametrize(
    ("case", "rule", "sentence"),
    [
        (100, "misaligned", "`tile` at byte 16, is not a multiple of 128"),
        (101, "misaligned", "`tile` at byte 128, is not a multiple of 1024 bytes: a 128-byte swizzle is shifted"),
        (102, "bad-tensor-map", "1 coordinate of a tensor map of rank 2"),
        (103, "bad-argument", "names the block of rank 1 in a cluster of 1"),
    ],
)
def test_wrong_tiles(kernels: sim_harness.Kernels, case: int, rule: str, sentence: str) -> None:
    data = aligned(32 * 4 * 4).view(np.float32)
    map_ = encode("float32", data.ctypes.data, (32, 4), (128,), (32, 4), swizzle=3)
    if case == 101:
        kernels.run("wrong_tile", 1, 32, case, map_)
    else:
        with pytest.raises(sim_harness.Fault):
            kernels.run("wrong_tile", 1, 32, case, map_)
    (found,) = kernels.findings()
    assert found["rule"] == rule and re.search(sentence, found["sentence"])
    assert found["parties"][0]["line"] == line_of(case)


@pytest.mark.parametrize("case", [200, 201, 202])
def test_a_block_that_has_exited_is_no_target(kernels: sim_harness.Kernels, case: int) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        kernels.run("left_alone", 2, 32, case, aligned(4096).view(np.float32), cluster=2, order="reverse")
    (found,) = kernels.findings()
    assert caught.value.rule == found["rule"] == "exited-peer" and "block (1,0,0)" in found["sentence"]
    assert found["parties"][0]["line"] == line_of(case)
