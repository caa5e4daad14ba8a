"""wgmma against its rules: descriptors that are wrong, registers touched in flight, fences, groups and warps left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sim_harness

SOURCE = Path(__file__).parent / "kernels" / "tensor_rules.cu"
NAMES = SOURCE.read_text().split("enum What {")[1].split("}")[0].replace("\n", " ").split(",")
WHAT = {name.strip(): i for i, name in enumerate(NAMES) if name.strip()}


@pytest.fixture(scope="module")
def plain() -> sim_harness.Kernels:
    return sim_harness.build(SOURCE)


@pytest.fixture(scope="module")
def checked() -> sim_harness.Kernels:
    return sim_harness.build(SOURCE, "instrumented")


def run(kernels: sim_harness.Kernels, what: str, **env: Any) -> np.ndarray[Any, Any]:
    out = np.zeros((128, 32), np.float32)
    kernels.findings()
    kernels.run("rules", 1, 128, out, WHAT[what], **env)
    return out


@pytest.mark.parametrize("what", ["right", "base_offset"])
def test_what_is_right_is_clean(plain: sim_harness.Kernels, what: str) -> None:
    np.testing.assert_array_equal(run(plain, what), 17.0)
    assert plain.findings() == []


@pytest.mark.parametrize("completion", ["eager", "lazy"])
def test_what_is_right_is_clean_when_checked(checked: sim_harness.Kernels, completion: str) -> None:
    np.testing.assert_array_equal(run(checked, "right", mode="check", completion=completion), 17.0)
    assert checked.findings() == []


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("unaligned", "begins 512 bytes into the pattern of its swizzle"),
        ("reserved", "reserved bits"),
        ("beyond", "beyond the 18 bits of shared memory"),
        ("bad_stride", "stride that is not a multiple of its swizzle's pattern of 1024"),
        ("no_leading", "has no leading offset"),
        ("wide_row", "begins 112 bytes into a row of 128"),
        ("disagree", "different descriptors"),
    ],
)
def test_wrong_descriptors(plain: sim_harness.Kernels, what: str, sentence: str) -> None:
    with pytest.raises(sim_harness.Fault, match=sentence) as caught:
        run(plain, what)
    assert caught.value.rule == "bad-descriptor"
    assert "tensor_rules.cu:" in str(caught.value)


def test_a_part_of_a_warpgroup(plain: sim_harness.Kernels) -> None:
    with pytest.raises(sim_harness.Fault) as caught:
        run(plain, "half_a_warpgroup")
    assert caught.value.rule == "bad-warpgroup"


def test_a_part_of_a_warp(plain: sim_harness.Kernels) -> None:
    with pytest.raises(sim_harness.Fault, match=r"wgmma\.fence takes all 32 lanes") as caught:
        run(plain, "part_of_a_warp")
    assert caught.value.rule == "divergent-warp"


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("no_fence", "without a wgmma.fence before it"),
        ("changed_without_fence", "follows without a wgmma.fence"),
        ("written_in_flight", "written while a wgmma"),
        ("other_shape", "of another shape"),
    ],
)
@pytest.mark.parametrize("completion", ["eager", "lazy"])
def test_registers_out_of_order(plain: sim_harness.Kernels, what: str, sentence: str, completion: str) -> None:
    run(plain, what, completion=completion)
    found = plain.findings()
    assert {finding["rule"] for finding in found} == {"accumulator-in-flight"}
    assert sentence in found[0]["sentence"]
    assert found[0]["parties"][0]["file"].endswith("tensor_rules.cu")


def test_accumulators_in_flight_hold_nan(plain: sim_harness.Kernels) -> None:
    assert np.isnan(run(plain, "read_in_flight").ravel()[:128]).all()
    assert np.isnan(run(plain, "no_commit")).all(), "a wgmma in no group is not waited for"


@pytest.mark.parametrize(
    ("what", "rules"),
    [
        ("read_in_flight", {"accumulator-in-flight"}),
        ("written_in_flight", {"accumulator-in-flight"}),
        ("fragment_changed", {"accumulator-in-flight"}),
        ("no_proxy_fence", {"missing-proxy-fence"}),
        ("overwritten", {"in-flight-overwrite"}),
    ],
)
@pytest.mark.parametrize("completion", ["eager", "lazy"])
def test_what_only_the_checkers_see(checked: sim_harness.Kernels, what: str, rules: set[str], completion: str) -> None:
    run(checked, what, mode="check", completion=completion)
    assert {finding["rule"] for finding in checked.findings()} == rules
