"""`spak.load` in a built project: what it dispatches to, what it refuses and how it says so, and that it copies nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import built
import numpy as np
import pytest
import spak
from spak.runtime.devices import runs
from spak.runtime.loader import Kernel, KernelNotFound, first_array

pytestmark = pytest.mark.xdist_group("load")
UNITS = ("matmul", "matmul_bf16", "saxpy", "vector_add")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = built.copy(tmp_path_factory.mktemp("load") / "project")
    tree.spak("build", *UNITS, "--targets", "cpu")
    tree.spak("build", "vector_add", "--targets", "sim,sm_90a")
    return tree.root


@pytest.fixture(autouse=True)
def there(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPAK_KERNELS", raising=False)
    monkeypatch.chdir(project / "specs")  # anywhere within the project


def floats(*shape: int) -> Any:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def said(error: type[Exception], kernel: Kernel, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(error) as caught:
        kernel(*args, **kwargs)
    return str(caught.value)


def test_numpy_arrays_are_multiplied() -> None:
    a, b = floats(33, 57), floats(57, 41)
    c = spak.load("matmul")(a, b)
    assert (type(c), c.dtype, c.shape) == (np.ndarray, np.float32, (33, 41))
    np.testing.assert_allclose(c, a.astype("f8") @ b, rtol=1e-4, atol=1e-4)


def test_a_family_is_dispatched_by_dtype() -> None:
    from ml_dtypes import bfloat16

    matmul, a, b = spak.load("matmul"), floats(8, 16), floats(16, 8)
    assert {e.unit for e in matmul.entries} == {"matmul", "matmul_bf16"}
    c = matmul(a.astype(bfloat16), b.astype(bfloat16))
    assert c.dtype == bfloat16
    exact = a.astype(bfloat16).astype("f8") @ b.astype(bfloat16).astype("f8")
    np.testing.assert_allclose(c.astype("f8"), exact, rtol=2**-7, atol=2**-6)
    assert matmul(a, b).dtype == np.float32
    assert matmul(b=b, a=a).dtype == np.float32


def test_implementations_can_be_pinned() -> None:
    x = floats(100)
    for target in ("cpu", "sim"):
        kernel = spak.load("vector_add", target=target)
        assert [e.target for e in kernel.entries] == [target]
        np.testing.assert_array_equal(kernel(x, x), x + x)
    naive = spak.load("matmul", variant="naive", target="cpu")
    assert {e.variant for e in naive.entries} == {"naive"}
    assert {e.variant for e in spak.load("matmul").entries} == {"tiled"}
    np.testing.assert_allclose(naive(floats(3, 4), floats(4, 5)), floats(3, 4) @ floats(4, 5), rtol=1e-5)


def test_the_cpu_is_preferred_to_the_simulator() -> None:
    kernel = spak.load("vector_add")
    assert kernel.choose(floats(3)).target == "cpu"


def test_scalars_are_keywords_or_defaults_and_arrays_may_come_later() -> None:
    saxpy, x, y = spak.load("saxpy"), floats(10), floats(10)
    np.testing.assert_array_equal(saxpy(x, y), x + y)
    np.testing.assert_allclose(saxpy(alpha=2.0, y=y, x=x), 2 * x + y, rtol=1e-6)
    np.testing.assert_allclose(saxpy(x, y, -0.5), y - x / 2, rtol=1e-6, atol=1e-6)
    assert "gamma" in said(TypeError, saxpy, x, y, gamma=1.0)
    assert "'y'" in said(TypeError, saxpy, x)


def test_dispatch_looks_past_scalars_for_an_array() -> None:
    x = floats(3)
    assert first_array((2.0, x, 1.0)) is x
    assert first_array((2.0, 1.0)) == 2.0
    assert first_array(()) is None


def test_out_is_written_and_returned() -> None:
    x, out = floats(1000), np.full(1000, np.nan, np.float32)
    assert spak.load("vector_add")(x, x, out=out) is out
    np.testing.assert_array_equal(out, x + x)


def test_a_wrong_argument_is_refused_in_the_words_of_the_spec() -> None:
    matmul, a, b = spak.load("matmul", target="cpu"), floats(3, 4), floats(4, 5)
    assert "a is f64, but must be f32[M, K]" in said(TypeError, matmul, a.astype("f8"), b)
    assert "b has shape (5, 4), but axis K is 4 from a" in said(ValueError, matmul, a, floats(5, 4))
    assert "a is" in said(TypeError, matmul, [[1.0]], b)
    for transposed in (np.asfortranarray(floats(3, 4)), floats(3, 8)[:, ::2], floats(6, 4)[::-2]):
        assert "must be dense and row-major" in said(ValueError, matmul, transposed, b)
    assert "requires M >= 1 && N >= 1 && K >= 1" in said(ValueError, matmul, a[:0], b)
    assert "M = 0" in said(ValueError, matmul, a[:0], b)
    assert "out has shape (3, 6)" in said(ValueError, matmul, a, b, out=floats(3, 6))
    assert "out is f64" in said(TypeError, matmul, a, b, out=np.zeros((3, 5)))
    locked = floats(3, 5)
    locked.flags.writeable = False
    assert "out is read-only" in said(ValueError, matmul, a, b, out=locked)
    assert "matmul(a: f32[M, K], b: f32[K, N]) -> c: f32[M, N]" in said(TypeError, matmul)


def test_read_only_inputs_are_welcome() -> None:
    x = floats(5)
    x.flags.writeable = False
    np.testing.assert_array_equal(spak.load("vector_add")(x, x), x + x)


def test_what_is_not_built_is_said() -> None:
    with pytest.raises(
        KernelNotFound, match="no kernel named 'matmull'; built: matmul, matmul_bf16, saxpy, vector_add"
    ):
        spak.load("matmull")
    with pytest.raises(KernelNotFound, match=r"no kernel matmul@sm_80; built: matmul\.naive@cpu"):
        spak.load("matmul", target="sm_80")


def test_nothing_built_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(KernelNotFound, match="nothing is built here: run `doit build`, or set SPAK_KERNELS"):
        spak.load("matmul")


def test_a_folder_of_kernels_can_be_named(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPAK_KERNELS", str(project / "build" / "kernels"))
    np.testing.assert_array_equal(spak.load("saxpy")(floats(3), floats(3)), 2 * floats(3))


def test_help_shows_the_signature() -> None:
    text = spak.load("saxpy").__doc__
    assert "saxpy(x: f32[N], y: f32[N], alpha: f32 = 1.0) -> z: f32[N]" in text
    assert "requires N >= 1" in text


def test_a_cuda_module_is_imported_without_a_driver_and_says_what_is_missing(project: Path) -> None:
    """Also where there is a driver: the child is kept from finding it."""
    code = """
import numpy as np, spak
kernel = spak.load("vector_add", target="sm_90a")
assert "vector_add(a: f32[N], b: f32[N])" in kernel.__doc__
try:
    kernel(np.ones(4, np.float32), np.ones(4, np.float32))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=built.environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "cuda" in done.stdout.lower(), done.stdout


def test_other_threads_run_during_a_call() -> None:
    naive = spak.load("matmul", variant="naive", target="cpu")
    a, b = floats(700, 700), floats(700, 700)
    began, ended = threading.Event(), threading.Event()
    ticks: list[float] = []

    def tick() -> None:
        while not ended.wait(0.0005):
            ticks.append(time.perf_counter())
            began.set()

    other = threading.Thread(target=tick)
    other.start()
    began.wait()
    seen = []
    for _ in range(30):  # one where a busy machine lets the other one tick while this one computes
        start = time.perf_counter()
        naive(a, b)
        stop = time.perf_counter()
        seen.append(sum(start < t < stop for t in list(ticks)))
        if seen[-1] > 10:
            break
    ended.set()
    other.join()
    assert seen[-1] > 10, seen


def test_nothing_is_copied() -> None:
    """A call on arrays of 120 MB each takes no memory worth speaking of, in a process that measures its own peak."""
    code = """
import json, resource
import numpy as np, spak
x, out = np.ones(30_000_000, np.float32), np.zeros(30_000_000, np.float32)
out.fill(3)
kernel = spak.load("vector_add", target="cpu"); kernel(x[:8], x[:8])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = kernel(x, x, out=out)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([before, after, result is out, result.ctypes.data == out.ctypes.data, bool((out == 2).all())]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=built.environment(), capture_output=True, text=True, check=True
    )
    before, after, *held = json.loads(done.stdout)
    assert held == [True, True, True]
    assert after - before < 20_000, f"{after - before} KiB more"


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    matmul = spak.load("matmul")
    a, b = torch.randn(17, 23), torch.randn(23, 9)
    c = matmul(a, b)
    assert isinstance(c, torch.Tensor)
    torch.testing.assert_close(c, a @ b, rtol=1e-4, atol=1e-4)
    low = matmul(a.bfloat16(), b.bfloat16())
    assert (type(low), low.dtype) == (torch.Tensor, torch.bfloat16)
    torch.testing.assert_close(low.float(), a.bfloat16().float() @ b.bfloat16().float(), rtol=1e-2, atol=5e-2)
    out = torch.empty(17, 9)
    assert matmul(a, b, out=out) is out
    torch.testing.assert_close(out, c)
    assert "a is f64, but must be f32[M, K]" in said(TypeError, matmul, a.double(), b)
    assert "must be dense and row-major" in said(ValueError, matmul, torch.randn(23, 17).T, b)


@pytest.mark.parametrize(
    "arch, ptx, device, fits",
    [
        ("sm_80", "", (8, 0), True),
        ("sm_80", "", (8, 6), True),
        ("sm_86", "", (8, 0), False),
        ("sm_80", "", (9, 0), False),
        ("sm_90a", "", (9, 0), True),
        ("sm_90a", "compute_90", (8, 0), False),
        ("sm_90a", "compute_90", (10, 0), True),
        ("sm_100a", "", (10, 3), False),
        ("sm_100a", "", (10, 0), True),
    ],
)
def test_machine_code_fits_devices(arch: str, ptx: str, device: tuple[int, int], fits: bool) -> None:
    assert runs(arch, ptx, device) is fits
