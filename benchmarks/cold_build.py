"""CPU seconds from a kernel's IR to an importable module on one target, with nothing cached, beside a bare pybind11 function.

Run as `python benchmarks/cold_build.py [UNIT.VARIANT [TARGET]]`. The runtime library is what all modules of an engine share: it
is compiled once and shown apart. The peer is a hand-written binding compiled by the same compiler with the same flags.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path

import pybind11

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compiler"))

BARE = """
#include <pybind11/numpy.h>
namespace py = pybind11;
PYBIND11_MODULE(bare, m) {
  m.def("f", [](py::array_t<float, py::array::c_style> a, py::array_t<float, py::array::c_style> b) {
    py::array_t<float> c(a.size());
    for (py::ssize_t i = 0; i < a.size(); ++i) c.mutable_data()[i] = a.data()[i] + b.data()[i];
    return c;
  });
}
"""


def main() -> None:
    """Measure and print."""
    from spak import build
    from spak.build import runtimelib
    from spak.effects import Effects
    from spak.pipeline.graph import graph

    kernel, target = [*sys.argv[1:], *["vector_add.flat", "cpu"][len(sys.argv) - 1 :]]
    with tempfile.TemporaryDirectory() as folder:
        for part in ("dodo.py", "specs", "targets", "generated", "spak.lock"):
            copy: Callable[..., object] = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, Path(folder) / part)
        os.chdir(folder)
        actions = {action.name: action for action in graph.load(Path(folder)).actions}
        compile_action = actions[f"compile:{kernel}@{target}"]
        library = next(a for a in actions.values() if compile_action.options["runtime"] in a.outputs)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "compiler")}
        ir = [sys.executable, "-m", "spak", "build", f"parse:{kernel.partition('.')[0]}", f"target:{target}"]
        subprocess.run(ir, env=environment, check=True, capture_output=True)
        shared = cpu(lambda: runtimelib.run(runtimelib.Options.model_validate(library.options), Effects()))
        module = cpu(lambda: build.run(build.Options.model_validate(compile_action.options), Effects()))
        bare = cpu(compile_bare)
    parts = f"runtime library {shared:.1f} s, module {module:.1f} s"
    print(f"{kernel}@{target}: {shared + module:.1f} s CPU with nothing built before: {parts}")
    print(f"a further module to a bare pybind11 function ({bare:.1f} s CPU): {module / bare:.2f}")


def compile_bare() -> None:
    """The peer."""
    Path("bare.cpp").write_text(BARE)
    include = [f"-I{pybind11.get_include()}", f"-I{sysconfig.get_paths()['include']}"]
    flags = ["-O3", "-std=c++20", "-shared", "-fPIC", "-fvisibility=hidden", *include]
    subprocess.run([os.environ.get("CXX", "g++"), *flags, "bare.cpp", "-o", "bare.so"], check=True)


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process and its children."""
    before = seconds()
    work()
    return seconds() - before


def seconds() -> float:
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    main()
