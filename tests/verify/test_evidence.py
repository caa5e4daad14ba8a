"""Evidence: the same bytes every time, a replay for every round, and what was not checked."""

from __future__ import annotations

import json
from pathlib import Path

import kernels as k
import pytest
from kernels import changed
from spak.effects import Effects
from spak.errors import SpakError
from spak.model.base import canonical_json
from spak.model.ir import Invariant, Vector
from spak.verify import run
from spak.verify.verification import verify
from support import MATMUL, SOFTMAX, VECTOR_ADD, judged, options, unit

WRONG = changed(k.MATMUL_PLAIN, "k < K", "k < K / 8 * 8")


@pytest.mark.parametrize("source", [k.MATMUL_PLAIN, WRONG, changed(k.MATMUL_PLAIN, "c[i * N + j]", "c[i * N + j + 3]")])
def test_the_same_bytes_every_time(source: str, tmp_path: Path) -> None:
    given = options(tmp_path, MATMUL, source)
    assert canonical_json(verify(given)) == canonical_json(verify(given))


def test_no_paths(tmp_path: Path) -> None:
    text = canonical_json(judged(tmp_path, MATMUL, WRONG)).decode()
    assert str(tmp_path) not in text
    assert str(Path.home()) not in text


def test_the_stage_writes_its_evidence_and_a_failure_is_a_value(tmp_path: Path) -> None:
    given = options(tmp_path, MATMUL, WRONG)
    outcome = run(given, Effects())
    assert not outcome.ok
    assert outcome.diagnostics[0]["code"] == "SPK616"
    written = json.loads(Path(given.evidence).read_bytes())
    assert written["verdict"] == "failed"
    assert {"spec", "source", "plan", "module", "target"} <= set(written["subject"])


def test_a_round_is_repeated_exactly_by_name_and_seed(tmp_path: Path) -> None:
    given = options(tmp_path, MATMUL, WRONG)
    whole = verify(given)
    check = next(c for c in whole.checks if c.verdict == "failed" and c.name == "round odd-primes")
    words = check.replay.split()
    assert words[:3] == ["spak", "verify", "matmul.v@cpu"]
    alone = verify(given, only=words[words.index("--round") + 1], seed=int(words[words.index("--seed") + 1]))
    assert [c.name for c in alone.checks] == ["round odd-primes"]
    assert alone.checks[0].figures == check.figures
    other = verify(given, only="odd-primes", seed=1)
    assert other.checks[0].figures != check.figures


def test_seeds_follow_the_source_and_the_spec(tmp_path: Path) -> None:
    one = judged(tmp_path / "1", VECTOR_ADD, k.ADD)
    two = judged(tmp_path / "2", VECTOR_ADD, changed(k.ADD, "ll i = 0", "ll i  = 0"))
    assert {c.seed for c in one.checks if c.seed}.isdisjoint({c.seed for c in two.checks if c.seed})


def test_an_unknown_round_lists_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK607.*odd-primes"):
        judged(tmp_path, VECTOR_ADD, k.ADD, only="odd-9")


def test_the_smallest_failure_is_small_and_really_fails(tmp_path: Path) -> None:
    found = judged(tmp_path, MATMUL, WRONG).smallest_failure
    assert found is not None
    assert found["axes"] == {"M": 1, "K": 1, "N": 1}
    assert found["wrong"]["got"] == 0
    a, b = found["inputs"]["a"][0][0], found["inputs"]["b"][0][0]
    assert found["wrong"]["expected"] == pytest.approx(a * b * found["scalars"]["alpha"])


def test_requires_are_kept(tmp_path: Path) -> None:
    spec = MATMUL.model_copy(
        update={"require": unit("u", [], [], "", require=("K % 16 == 0", "M == N", "M >= 2")).require}
    )
    evidence = judged(tmp_path, spec, k.MATMUL_PLAIN)
    assert evidence.verdict == "passed"
    for check in evidence.checks:
        if check.name.startswith("round "):
            sizes = dict(part.split("=") for part in check.detail.split(";")[0].split(", "))
            assert (int(sizes["K"]) % 16, sizes["M"] == sizes["N"], int(sizes["M"]) >= 2) == (0, True, True)


def test_requires_that_nothing_small_meets(tmp_path: Path) -> None:
    spec = VECTOR_ADD.model_copy(update={"require": unit("u", [], [], "", require=("N > 100000000",)).require})
    evidence = judged(tmp_path, spec, k.ADD)
    assert evidence.verdict == "failed"
    assert evidence.diagnostics[0]["code"] == "SPK606"


def test_not_checked_is_said(tmp_path: Path) -> None:
    prose = Invariant(name="NoCopies", statement="Nothing is copied.")
    evidence = judged(tmp_path, VECTOR_ADD.model_copy(update={"invariants": (prose,), "large": ({"N": 2**31},)}), k.ADD)
    said = "\n".join(evidence.not_checked)
    for words in ("invariant NoCopies: UNCHECKED", "timing", "N=2147483648: sampled runs", "axes of size 0"):
        assert words in said


def vector(**more: object) -> Vector:
    return Vector.model_validate(
        {"name": "v", "shape": {"N": 3}, "inputs": {"a": [1, 2, "nan"], "b": [1, "inf", 0]}, **more}
    )


def test_vectors_are_rounds(tmp_path: Path) -> None:
    spec = VECTOR_ADD.model_copy(update={"vectors": (vector(expect={"c": [2, "inf", "nan"]}),)})
    evidence = judged(tmp_path, spec, k.ADD)
    assert [c.verdict for c in evidence.checks if c.name == "round vector-v"] == ["passed"]


def test_a_vector_that_contradicts_the_reference(tmp_path: Path) -> None:
    spec = VECTOR_ADD.model_copy(update={"vectors": (vector(expect={"c": [3, "inf", "nan"]}),)})
    evidence = judged(tmp_path, spec, k.ADD)
    assert [d["code"] for d in evidence.diagnostics] == ["SPK627"]
    assert "is 3, the reference gives 2" in evidence.diagnostics[0]["message"]


@pytest.mark.parametrize("inputs, words", [({"a": [1, 2]}, "shape 2"), ({"a": "gaussian"}, "not a distribution")])
def test_a_vector_that_does_not_fit(inputs: dict[str, object], words: str, tmp_path: Path) -> None:
    spec = VECTOR_ADD.model_copy(update={"vectors": (vector(inputs=inputs),)})
    with pytest.raises(SpakError, match=rf"SPK605.*{words}"):
        judged(tmp_path, spec, k.ADD)


@pytest.mark.parametrize(
    "reference, words",
    [
        ("a + d", "uses d"),
        ("a +", "not an expression"),
        ("a.sum()", None),
        ("(a, b)", "shape"),
        ("np.stack([a, b])", "shape"),
        ("np.nothing(a)", "AttributeError"),
        ("a.__class__", "may not use __class__"),
    ],
)
def test_a_wrong_reference_is_the_specs_fault(reference: str, words: str | None, tmp_path: Path) -> None:
    spec = unit("vector_add", ["a: f32[N]", "b: f32[N]"], ["c: f32[N]"], reference)
    if words is None:  # a number fits any shape of one element only
        words = "shape of a number"
    with pytest.raises(SpakError, match=rf"SPK604.*{words}"):
        judged(tmp_path, spec, k.ADD)


def test_a_reference_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "reference.py").write_text("import numpy as np\ndef add(a, b):\n    return np.add(a, b)\n")
    base = VECTOR_ADD.reference
    reference = base.model_copy(
        update={"kind": "python", "file": str(tmp_path / "reference.py"), "function": "add", "expr": ""}
    )
    spec = VECTOR_ADD.model_copy(update={"reference": reference})
    assert judged(tmp_path, spec, k.ADD, reference=str(tmp_path / "reference.py")).verdict == "passed"
    with pytest.raises(SpakError, match=r"SPK604.*no function sub"):
        judged(
            tmp_path,
            VECTOR_ADD.model_copy(update={"reference": reference.model_copy(update={"function": "sub"})}),
            k.ADD,
        )


def test_an_untraceable_reference_is_bounded_coarsely_and_says_so(tmp_path: Path) -> None:
    spec = unit("vector_add", ["a: f32[N]", "b: f32[N]"], ["c: f32[N]"], "np.fft.ifft(np.fft.fft(a + b)).real")
    evidence = judged(tmp_path, spec, k.ADD)
    normal = next(c for c in evidence.checks if c.name == "round normal")
    assert normal.verdict == "passed"
    assert "np.fft" in normal.figures["c"]["coarse_bound"] or "fft" in normal.figures["c"]["coarse_bound"]


def test_a_missing_module_is_an_error_not_a_verdict(tmp_path: Path) -> None:
    given = options(tmp_path, VECTOR_ADD, k.ADD)
    Path(given.module).unlink()
    with pytest.raises(SpakError, match="SPK603"):
        verify(given)


def test_a_module_that_does_not_load_is_a_failure(tmp_path: Path) -> None:
    given = options(tmp_path, VECTOR_ADD, k.ADD)
    Path(given.module).write_bytes(b"\x7fELF nonsense")
    evidence = verify(given)
    assert (evidence.verdict, evidence.diagnostics[0]["code"]) == ("failed", "SPK602")


PROPERTIES = {
    "rows_sum_to(1)": (changed(k.SOFTMAX, "/ sum", "/ (sum * 1.001f)"), "sums to"),
    "permutation_equivariant(x, 0)": (changed(k.SOFTMAX, "/ sum", "/ sum * (i == 3 ? 1.001f : 1.0f)"), "not permuted"),
}


@pytest.mark.parametrize("check", PROPERTIES)
def test_declared_properties_are_tested(check: str, tmp_path: Path) -> None:
    spec = SOFTMAX.model_copy(update={"invariants": (Invariant(name="Law", check=check),)})
    good = judged(tmp_path / "good", spec, k.SOFTMAX)
    assert [c.verdict for c in good.checks if c.name == "property-Law"] == ["passed"]
    source, words = PROPERTIES[check]
    bad = judged(tmp_path / "bad", spec, source)
    found = next(c for c in bad.checks if c.name == "property-Law")
    assert (found.verdict, words in found.detail) == ("failed", True), found


def test_scaling_shows_what_a_threshold_hides(tmp_path: Path) -> None:
    """Terms below 2**-40 are dropped: far below every tolerance at ordinary sizes, and yet not linear."""
    spec = MATMUL.model_copy(update={"invariants": (Invariant(name="Linear", check="linear(a)"),)})
    evidence = judged(
        tmp_path, spec, changed(k.MATMUL_PLAIN, "a[i * K + k] * b[k * N + j]", "a[i * K + k] * b[k * N + j] + 1e-9f")
    )
    failed = [c.name for c in evidence.checks if c.verdict == "failed"]
    assert "property-scaled-up" in failed


def test_a_device_target_without_a_device_says_so(tmp_path: Path) -> None:
    from spak.verify.gpu import missing

    if not missing():
        pytest.skip("there is a device here")
    with pytest.raises(SpakError, match=r"SPK601.*needs a CUDA device"):
        judged(tmp_path, VECTOR_ADD, k.ADD, target="sm_80")
