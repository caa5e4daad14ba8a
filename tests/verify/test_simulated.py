"""What only the simulated target has: schedules that must agree, and sampled runs beyond 2**31 elements."""

from __future__ import annotations

from pathlib import Path

import kernels as k
import pytest
from kernels import changed
from spak.model.ir import Unit
from support import MATMUL, REDUCE, TRANSPOSE, VECTOR_ADD, judged

#: Does what the simulator's engine does with an order: element i reads what element i - 1 left behind, or what was
#: there.
RACE = """
extern "C" void kernel(const float* a, const float* b, float* c, ll n) {
  float shared = 0;
  const char* order = std::getenv("SPAK_SIM_ORDER");
  bool back = order && !std::strcmp(order, "reverse");
  for (ll s = 0; s < n; s++) { ll i = back ? n - 1 - s : s;
    c[i] = a[i] + b[i] + 0 * shared; shared = i < n ? a[i] : 0; }
  if (back && n > 3) c[2] = shared;
}"""

#: Runs blocks of 256, only the first, the last and a few others when asked to, as the simulator does.
SAMPLED = """
extern "C" void kernel(const float* a, const float* b, float* c, ll n) {
  const char* sample = std::getenv("SPAK_SIM_SAMPLE_BLOCKS");
  ll blocks = (n + 255) / 256, step = sample ? std::max<ll>(1, blocks / std::atoi(sample)) : 1;
  for (ll block = 0; block < blocks; block = block == blocks - 1 ? blocks : std::min(block + step, blocks - 1))
    for (unsigned thread = 0; thread < 256; thread++) {
      INDEX
      if (i < n) c[i] = a[i] + b[i];
    }
}"""
GRID = '[[launch]]\nkernel = "kernel"\ngrid = ["cdiv(N, 256)"]\n'
LARGE = VECTOR_ADD.model_copy(update={"large": ({"N": 2**31 + 1029}, {"N": 2**32 + 1029})})


def test_schedules_that_disagree_are_a_missing_barrier(tmp_path: Path) -> None:
    evidence = judged(tmp_path, VECTOR_ADD, RACE, target="sim")
    assert evidence.diagnostics[0]["code"] == "SPK618"
    assert "barrier" in evidence.diagnostics[0]["message"]
    assert "hygiene schedule" in {c.name for c in evidence.checks if c.verdict == "failed"}


def test_honest_code_passes_on_the_simulated_target(tmp_path: Path) -> None:
    evidence = judged(tmp_path, MATMUL, k.MATMUL_BLOCKED, target="sim")
    assert (evidence.verdict, evidence.diagnostics) == ("passed", ())
    assert "not run on a GPU" in evidence.not_checked


def test_indices_of_64_bits_pass_beyond_2_to_the_32(tmp_path: Path) -> None:
    source = changed(SAMPLED, "INDEX", "ll i = block * 256 + thread;")
    checks = {c.name: c for c in judged(tmp_path, LARGE, source, target="sim").checks}
    for name in ("round large-1", "round large-2"):
        assert checks[name].verdict == "passed", checks[name]
        assert checks[name].figures["cells"] > 20


WRAPS = {
    "signed": ("int i = int(block) * 256 + int(thread);", "index wraps"),
    "unsigned": ("unsigned i = unsigned(block) * 256u + thread;", "index wraps"),
    "narrowed offset": (
        "ll i = block * 256 + thread; if (i < n) { c[unsigned(i)] = a[i] + b[i]; } continue;",
        "index wraps",
    ),
    "narrowed source": (
        "ll i = block * 256 + thread; if (i < n) { c[i] = a[unsigned(i)] + b[i]; } continue;",
        "index wraps",
    ),
}


@pytest.mark.parametrize("name", WRAPS)
def test_indices_of_32_bits_wrap(name: str, tmp_path: Path) -> None:
    index, words = WRAPS[name]
    evidence = judged(tmp_path, LARGE, changed(SAMPLED, "INDEX", index), target="sim", flags=("-fwrapv",), plan=GRID)
    assert evidence.verdict == "failed"
    first = evidence.diagnostics[0]
    assert (first["code"], words in first["message"]) == ("SPK624", True), first


#: Blocks take turns: whichever comes to the last element, it is seldom the last block.
TURNS = """
extern "C" void kernel(const float* a, const float* b, float* c, ll n) {
  const char* sample = std::getenv("SPAK_SIM_SAMPLE_BLOCKS");
  ll blocks = GRID, step = sample ? std::max<ll>(1, blocks / std::atoi(sample)) : 1;
  for (ll block = 0; block < blocks; block = block == blocks - 1 ? blocks : std::min(block + step, blocks - 1))
    for (ll thread = 0; thread < 256; thread++)
      for (ll i = block * 256 + thread; i < n; i += blocks * 256) c[i] = a[i] + b[i];
}"""


@pytest.mark.parametrize(
    "grid, here",
    [
        ("min(cdiv(N, 256), 65536)", "std::min<ll>((n + 255) / 256, 65536)"),
        ("min(cdiv(N, 256), 8388610)", "std::min<ll>((n + 255) / 256, 8388610)"),  # the bound is just below the size
        ("cdiv(N, 1024)", "(n + 1023) / 1024"),
        ("4096", "4096"),
    ],
)
def test_blocks_that_take_turns_pass(grid: str, here: str, tmp_path: Path) -> None:
    plan = GRID.replace("cdiv(N, 256)", grid)
    evidence = judged(tmp_path, LARGE, changed(TURNS, "GRID", here), target="sim", plan=plan)
    checks = [c for c in evidence.checks if c.name.startswith("round large")]
    assert [c.verdict for c in checks] == ["passed"] * 2, checks
    assert any("none of which writes the last element along N" in c.detail for c in checks), checks


@pytest.mark.parametrize(
    "spec, axes", [(TRANSPOSE, {"M": 65537, "N": 32771}), (MATMUL, {"M": 65537, "N": 32769, "K": 3})]
)
def test_matrices_are_sampled_by_slices(spec: Unit, axes: dict[str, int], tmp_path: Path) -> None:
    """The kernel below writes the first and the last row of its result only, with 64-bit indices."""
    plain = k.TRANSPOSE if spec is TRANSPOSE else k.MATMUL_PLAIN
    if spec is TRANSPOSE:
        source = changed(plain, "for (ll i0 = 0; i0 < M; i0 += 32)", "STEP")
        sampled = 'const bool s = std::getenv("SPAK_SIM_SAMPLE_BLOCKS"); '
        step = sampled + "for (ll i0 = 0; i0 < M; i0 = s && i0 < M / 32 * 32 ? M / 32 * 32 : i0 + 32)"
        source = source.replace("STEP", step)
    else:
        sampled = 'const bool s = std::getenv("SPAK_SIM_SAMPLE_BLOCKS"); '
        step = sampled + "for (ll i = 0; i < M; i = s && i < M - 1 ? M - 1 : i + 1)"
        source = changed(plain, "for (ll i = 0; i < M; i++)", step)
    evidence = judged(tmp_path, spec.model_copy(update={"large": (axes,)}), source, target="sim")
    check = next(c for c in evidence.checks if c.name == "round large-1")
    assert check.verdict == "passed", check
    assert check.figures["cells"] > 1000


def test_a_sum_over_the_large_axis_is_said_to_be_unproved(tmp_path: Path) -> None:
    spec = REDUCE.model_copy(update={"large": ({"N": 2**31 + 5},)})
    evidence = judged(tmp_path, spec, k.REDUCE, target="sim")
    check = next(c for c in evidence.checks if c.name == "round large-1")
    assert check.verdict == "unproved"
    assert any("sums over N" in line for line in evidence.not_checked)
    assert evidence.verdict == "passed"
