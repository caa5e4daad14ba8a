"""Launch overhead of a `cpu` kernel on tiny arrays, against a bare hand-written pybind11 function taking the same arrays.

Run as `python benchmarks/launch_overhead.py`. Both are built here, by one compiler with the same flags, and timed in turns in one
process. The ratio of medians is printed with the figures it is made of; the baseline is the fastest of three hand-written forms.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pybind11

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compiler"))

ROUNDS, CALLS = 40, 4_000

BARE = """
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
namespace py = pybind11;
using Array = py::array_t<float>;
void add(const float* x, const float* y, float* z, py::ssize_t n) {
  for (py::ssize_t i = 0; i < n; ++i) z[i] = x[i] + y[i];
}
PYBIND11_MODULE(bare, m) {
  m.def("array_t", [](const Array& a, const Array& b, Array& c) { add(a.data(), b.data(), c.mutable_data(), a.shape(0)); });
  m.def("noconvert", [](const Array& a, const Array& b, Array& c) { add(a.data(), b.data(), c.mutable_data(), a.shape(0)); },
        py::arg().noconvert(), py::arg().noconvert(), py::arg().noconvert());
  // No dtype is looked at: as bare as a function that takes arrays can be.
  m.def("untyped", [](const py::array& a, const py::array& b, py::array& c) {
    add(static_cast<const float*>(a.data()), static_cast<const float*>(b.data()), static_cast<float*>(c.mutable_data()),
        a.shape(0));
  });
}
"""
SOURCE = """
extern "C" void vector_add(const float* a, const float* b, float* c, long long N) {
  for (long long i = 0; i < N; ++i) c[i] = a[i] + b[i];
}
"""
PLAN = '[[launch]]\nkernel = "vector_add"\nargs = ["a", "b", "c", "N"]\n'


def bare(folder: Path) -> Any:
    """The hand-written functions, three ways of writing one."""
    from spak.runtime.module import load_module

    (folder / "bare.cpp").write_text(BARE)
    includes = [f"-I{sysconfig.get_path('include')}", f"-I{pybind11.get_include()}"]
    flags = ["-std=c++20", "-O3", "-march=x86-64-v3", "-fPIC", "-shared", "-fvisibility=hidden"]
    subprocess.run(["g++", *flags, *includes, str(folder / "bare.cpp"), "-o", str(folder / "bare.so")], check=True)
    return load_module(str(folder / "bare.so"))


def ours(folder: Path) -> Any:
    """The same function through the build stage."""
    from spak import build
    from spak.build import runtimelib
    from spak.effects import Effects
    from spak.model.base import canonical_json
    from spak.model.ir import Interface, Require, Signature, Tensor
    from spak.runtime.module import load_module

    arrays = {name: Tensor(name=name, dtype="f32", shape=("N",)) for name in "abc"}
    signature = Signature(params=(arrays["a"], arrays["b"]), results=(arrays["c"],), axes=("N",))
    require = (Require(expr="N >= 1", words="N >= 1"),)
    interface = Interface(name="vector_add", version=1, summary="", signature=signature, require=require, openmp=False)
    files = {"interface": "i.json", "source": "kernel.cpp", "plan": "plan.toml", "runtime": "libspak_runtime.a"}
    files["out"] = "vector_add_cpu.so"
    paths = {key: str(folder / name) for key, name in files.items()}
    Path(paths["interface"]).write_bytes(canonical_json(interface))
    Path(paths["source"]).write_text(SOURCE)
    Path(paths["plan"]).write_text(PLAN)
    target = str(ROOT / "targets/cpu.toml")
    runtimelib.run(runtimelib.Options(engine="host", compiler="g++", out=paths["runtime"]), Effects())
    records = {"manifest": str(folder / "module.json"), "evidence": str(folder / "compile.json")}
    options = build.Options(unit="vector_add", variant="flat", dialect="cpp", target=target, **paths, **records)
    assert build.run(options, Effects()).ok
    return load_module(paths["out"]).vector_add


def nanoseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    for _ in range(CALLS):
        call()
    return (time.perf_counter_ns() - began) / CALLS


def main() -> None:
    """Print one line of JSON."""
    a, b, c = (np.ones(4, np.float32) for _ in range(3))
    with tempfile.TemporaryDirectory() as name:
        hand, kernel = bare(Path(name)), ours(Path(name))
        arms: dict[str, Callable[[], object]] = {
            "bare_array_t_ns": lambda: hand.array_t(a, b, c),
            "bare_noconvert_ns": lambda: hand.noconvert(a, b, c),
            "bare_untyped_ns": lambda: hand.untyped(a, b, c),
            "kernel_ns": lambda: kernel(a, b, out=c),
            "kernel_allocating_ns": lambda: kernel(a, b),
        }
        times: dict[str, list[float]] = {arm: [] for arm in arms}
        for number in range(ROUNDS):
            for arm, call in list(arms.items())[:: 1 if number % 2 else -1]:
                times[arm].append(nanoseconds(call))
    figures = {arm: round(statistics.median(t), 1) for arm, t in times.items()}
    fastest = min(value for arm, value in figures.items() if arm.startswith("bare"))
    figures["ratio"] = round(figures["kernel_ns"] / fastest, 3)  # against the fastest, which checks the least
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
