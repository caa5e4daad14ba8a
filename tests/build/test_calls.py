"""What built kernels compute, and how they take and give arrays."""

from __future__ import annotations

import array
import inspect
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spak.runtime.raw import RawTensor

Kernels = Callable[..., Any]


def random(*shape: int) -> Any:
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("target", ["cpu", "sim"])
def test_matmul_is_right_and_allocates_its_result(kernels: Kernels, target: str) -> None:
    matmul = kernels("matmul", target)
    a, b = random(5, 6), random(6, 7)
    c = matmul(a, b, alpha=2.0)
    assert isinstance(c, np.ndarray) and c.dtype == np.float32 and c.flags.c_contiguous
    np.testing.assert_allclose(c, 2 * (a @ b), rtol=1e-5)


def test_out_is_written_in_place_and_returned(kernels: Kernels) -> None:
    a, b = random(3, 4), random(4, 2)
    c = np.full((3, 2), np.nan, np.float32)
    assert kernels("matmul")(a, b, out=c) is c
    np.testing.assert_allclose(c, a @ b, rtol=1e-5)


@pytest.mark.parametrize("target", ["cpu", "sim"])
@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_steps_alternatives_workspace_and_two_results(kernels: Kernels, target: str, n: int) -> None:
    x = random(n)
    total, doubled = kernels("moments", target)(x)
    np.testing.assert_allclose(total, [x.astype(np.float64).sum()], rtol=1e-12)
    np.testing.assert_array_equal(doubled, np.repeat(x, 2))


def test_two_results_are_taken_as_a_tuple(kernels: Kernels) -> None:
    x = random(4)
    out = (np.zeros(1), np.zeros(8, np.float32))
    given = kernels("moments")(x, out=out)
    assert given is out
    np.testing.assert_array_equal(out[1], np.repeat(x, 2))


def test_the_workspace_is_cleared_at_every_call(kernels: Kernels) -> None:
    x = random(9)
    first, second = kernels("moments")(x)[0][0], kernels("moments")(x)[0][0]
    assert first == second


@pytest.mark.parametrize("target", ["cpu", "sim"])
def test_every_dtype_and_scalar(kernels: Kernels, target: str) -> None:
    bf16 = pytest.importorskip("ml_dtypes").bfloat16
    rng = np.random.default_rng(3)
    n = 33
    x, h = rng.standard_normal(n).astype(bf16), rng.standard_normal(n).astype(np.float16)
    q, u = rng.integers(-128, 128, n).astype(np.int8), rng.integers(0, 256, n).astype(np.uint8)
    m, w = rng.integers(0, 2, n).astype(bool), rng.integers(-1000, 1000, n).astype(np.int32)
    y, z = kernels("narrow", target)(x, h, q, u, m, w, 1.5, shift=7, half=0.25)
    assert y.dtype == bf16 and z.dtype == np.int32
    expected = (x.astype(np.float32) * np.float32(1.5) + h.astype(np.float32) * np.float32(0.25)).astype(bf16)
    np.testing.assert_allclose(y.astype(np.float32), expected.astype(np.float32), rtol=2**-8)
    np.testing.assert_array_equal(z, np.where(m, q.astype(np.int32) + u + w + 7, -1))
    _, none = kernels("narrow", target)(x, h, q, u, m, w, 1.5, keep=False)
    assert (none == -1).all()


def test_layouts(kernels: Kernels) -> None:
    a = np.asfortranarray(random(3, 4))
    b = random(3, 10)[:, :4]
    c = kernels("layouts")(a, b)
    assert c.flags.f_contiguous and c.shape == (4, 3)
    np.testing.assert_allclose(c, (a + b).T)


def test_an_axis_that_only_the_result_knows(kernels: Kernels) -> None:
    c = np.zeros(5, np.float32)
    kernels("fill")(3.0, out=c)
    assert (c == 3).all()
    with pytest.raises(TypeError, match=r"axis n is not known from the inputs: pass out="):
        kernels("fill")(3.0)


def test_the_buffer_protocol(kernels: Kernels) -> None:
    x = array.array("f", [1, 2, 3])
    total, doubled = kernels("moments")(x)
    assert total[0] == 6 and isinstance(doubled, np.ndarray)
    for view in (memoryview(x), memoryview(x).toreadonly(), memoryview(bytes(x)).cast("f")):
        assert kernels("moments")(view)[0][0] == 6


def test_dlpack_of_both_generations(kernels: Kernels) -> None:
    data = random(6)

    class Old:
        """A producer from before DLPack 1.0: it knows no max_version."""

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

        def __dlpack__(self, *, stream: Any = None) -> Any:
            return RawTensor(data.ctypes.data, data.shape, "f32", owner=data).__dlpack__()

    for x in (RawTensor(data.ctypes.data, data.shape, "f32", owner=data), Old()):
        assert kernels("moments")(x)[0][0] == pytest.approx(data.astype(np.float64).sum())


def test_dlpack_consumers_let_go(kernels: Kernels) -> None:
    import sys

    data = random(6)
    raw = RawTensor(data.ctypes.data, data.shape, "f32", owner=data)
    before = sys.getrefcount(raw)
    for _ in range(10):
        kernels("moments")(raw)
        with pytest.raises(ValueError):
            kernels("matmul")(raw, raw)
    assert sys.getrefcount(raw) == before


def test_the_array_interface(kernels: Kernels) -> None:
    data = random(4)

    class Interface:
        __array_interface__ = data.__array_interface__

    assert kernels("moments")(Interface())[0][0] == pytest.approx(data.astype(np.float64).sum())


def test_raw_bf16_out(kernels: Kernels) -> None:
    words = np.zeros(2, np.uint16)
    bf = np.array([0x3F80, 0x4000], np.uint16)  # 1, 2
    ones = [np.ones(2, d) for d in (np.float16, np.int8, np.uint8, bool, np.int32)]
    x = RawTensor(bf.ctypes.data, (2,), "bf16", owner=bf)
    y = RawTensor(words.ctypes.data, (2,), "bf16", owner=words)
    z = np.zeros(2, np.int32)
    kernels("narrow")(x, *ones, 2.0, half=0.0, out=(y, z))
    assert words.tolist() == [0x4000, 0x4080]  # 2, 4


def test_torch_shares_memory_both_ways(kernels: Kernels) -> None:
    torch = pytest.importorskip("torch")
    a, b = torch.randn(3, 4), torch.randn(4, 5)
    c = kernels("matmul")(a, b)
    assert isinstance(c, torch.Tensor)
    torch.testing.assert_close(c, a @ b)
    out = torch.zeros(3, 5)
    assert kernels("matmul")(a, b, out=out) is out
    torch.testing.assert_close(out, c)
    with pytest.raises(ValueError, match="row-major"):
        kernels("matmul")(a, b.T.contiguous().T)
    ones = [torch.ones(3, dtype=d) for d in (torch.float16, torch.int8, torch.uint8, torch.bool, torch.int32)]
    y, z = kernels("narrow")(torch.ones(3, dtype=torch.bfloat16), *ones, 1.0)
    assert y.dtype == torch.bfloat16 and z.dtype == torch.int32


def test_jax_arrays_are_read_and_never_written(kernels: Kernels) -> None:
    jnp = pytest.importorskip("jax.numpy")
    a, b = jnp.ones((3, 4)), jnp.ones((4, 5))
    np.testing.assert_array_equal(kernels("matmul")(a, b), np.full((3, 5), 4.0))
    with pytest.raises(ValueError, match="read-only"):
        kernels("matmul")(a, b, out=jnp.zeros((3, 5)))


def test_threads_may_call_at_once(kernels: Kernels) -> None:
    matmul, a, b = kernels("matmul"), random(16, 16), random(16, 16)
    wanted = matmul(a, b)
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(200):
            if not np.array_equal(matmul(a, b), wanted):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_function_documents_itself(kernels: Kernels) -> None:
    matmul = kernels("matmul")
    assert str(inspect.signature(matmul)) == "(a, b, alpha=1.0, *, out=None)"
    assert "matmul(a: f32[M, K], b: f32[K, N], alpha: f32 = 1.0) -> c: f32[M, N]" in matmul.__doc__
    assert "requires M >= 1 && N >= 1 && K >= 1" in matmul.__doc__


def test_the_module_says_who_it_is(kernels: Kernels, forge: Any) -> None:
    from spak.runtime.module import load_module

    kernels("matmul")
    path = str(forge.folder / "cpu/matmul/matmul_cpu.so")
    facts = json.loads(load_module(path).__spak__)
    assert (facts["unit"], facts["target"], facts["variant"]) == ("matmul", "cpu", "plain")
    assert facts["digests"].keys() == {"interface", "plan", "source", "target"}
    manifest = json.loads(Path(path).with_name("module.json").read_text())
    assert manifest["digests"]["source"] == facts["digests"]["source"]


def test_two_variants_of_one_name_live_side_by_side(forge: Any, tmp_path: Path) -> None:
    from samples import SAMPLES
    from spak.runtime.module import load_module

    one = SAMPLES["fill"]
    values = []
    for number in (1, 2):
        source = one.cpp.replace("= value", f"= {number}.0f * value")
        outcome, options = forge.build(one.interface, source, one.cpp_plan, folder=tmp_path / str(number))
        assert outcome.ok
        out = np.zeros(1, np.float32)
        load_module(options.out).fill(10.0, out=out)
        values.append(float(out[0]))
    assert values == [10.0, 20.0]
