# ruff: noqa: E501 -- sources and messages stay in one line
"""A user's own CMake project, and an install of a whole package, through spak_add_kernel() and spak_add_package()."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from forge import ROOT
from spak.build import places
from spak.runtime.module import load_module

SPEC = """---
name: scale
edition: 1
version: 3
license: Apache-2.0
---
# Scaling

Multiplies a vector by a number.

```spak
kernel scale(x: f32[N], factor: f32 = 2.0) -> y: f32[N] {
  require: N >= 1
  reference: "factor * x"
  flops: N
  bytes: 8 * N
  variant plain { intent: "One pass." }
}
```
"""
SOURCE = 'extern "C" void scale(const float* x, float* y, long long N, float factor) { for (long long i = 0; i < N; ++i) y[i] = factor * x[i]; }\n'
PLAN = '[[launch]]\nkernel = "scale"\nargs = ["x", "y", "N", "factor"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A SPAK project with one unit and its reply, and a CMakeLists.txt of the user's."""
    root = tmp_path / "project"
    files = {
        "dodo.py": "",
        "specs/scale/SPEC.scale.md": SPEC,
        "specs/scale/tests.scale.yaml": "shapes: [{N: 1}]\n",
        "targets/cpu.toml": (ROOT / "targets/cpu.toml").read_text(),
        "generated/scale/plain/cpp/kernel.cpp": SOURCE,
        "generated/scale/plain/cpp/plan.toml": PLAN,
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def cmake(root: Path, *defines: str) -> subprocess.CompletedProcess[str]:
    """Configure and build as a person would."""
    program, ninja = places.tool("cmake"), places.tool("ninja")
    assert program and ninja
    spak_dir = subprocess.run(
        [sys.executable, "-m", "spak", "cmake-dir"], capture_output=True, text=True, check=True
    ).stdout.strip()
    argv = [
        program,
        "-S",
        str(root),
        "-B",
        str(root / "out"),
        "-G",
        "Ninja",
        f"-DCMAKE_MAKE_PROGRAM={ninja}",
        f"-Dspak_DIR={spak_dir}",
    ]
    argv += [f"-DSPAK_PYTHON={sys.executable}", *defines]
    done = subprocess.run(argv, capture_output=True, text=True)
    return (
        done
        if done.returncode
        else subprocess.run([program, "--build", str(root / "out")], capture_output=True, text=True)
    )


HEAD = "cmake_minimum_required(VERSION 3.24)\nproject(user LANGUAGES CXX)\nfind_package(spak REQUIRED)\n"


def test_a_users_project_builds_a_kernel(project: Path) -> None:
    (project / "CMakeLists.txt").write_text(HEAD + "spak_add_kernel(fast_scale UNIT scale TARGET cpu)\n")
    done = cmake(project)
    assert done.returncode == 0, done.stdout + done.stderr
    scale = load_module(str(project / "out/scale_cpu.so")).scale
    np.testing.assert_array_equal(scale(np.arange(3, dtype=np.float32)), [0, 2, 4])

    reply = project / "generated/scale/plain/cpp/kernel.cpp"
    reply.write_text(SOURCE.replace("factor * x[i]", "-factor * x[i]"))
    os.utime(reply, (reply.stat().st_mtime + 5,) * 2)
    assert cmake(project).returncode == 0
    script = "import sys, numpy; from spak.runtime.module import load_module; print(load_module(sys.argv[1]).scale(numpy.ones(1, 'f4')))"
    out = subprocess.run(
        [sys.executable, "-c", script, str(project / "out/scale_cpu.so")], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[-2.]"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            "spak_add_kernel(k UNIT scale TARGET cpu VARIANT tiled)",
            "SPK515: unit scale has no variant 'tiled' for cpu. hint: variants for cpu: plain",
        ),
        ("spak_add_kernel(k UNIT scale)", "spak_add_kernel(k): TARGET is missing"),
        ("spak_add_kernel(k UNIT scale TARGET cpu FAST)", "unexpected FAST"),
    ],
)
def test_mistakes_are_explained(project: Path, call: str, words: str) -> None:
    (project / "CMakeLists.txt").write_text(HEAD + call + "\n")
    done = cmake(project)
    assert done.returncode != 0
    assert words in done.stdout + done.stderr


def test_a_missing_reply_is_explained(project: Path) -> None:
    (project / "generated/scale/plain/cpp/kernel.cpp").unlink()
    (project / "CMakeLists.txt").write_text(HEAD + "spak_add_kernel(k UNIT scale TARGET cpu)\n")
    done = cmake(project)
    assert (
        "SPK516: generated/scale/plain/cpp/kernel.cpp is not there. hint: `doit build` makes the replies"
        in done.stdout + done.stderr
    )


def test_a_package_of_every_kernel(project: Path, tmp_path: Path) -> None:
    (project / "CMakeLists.txt").write_text(HEAD + "spak_add_package(my_kernels)\n")
    done = cmake(project, f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'site'}")
    assert done.returncode == 0, done.stdout + done.stderr
    program = places.tool("cmake")
    assert program
    subprocess.run([program, "--install", str(project / "out")], capture_output=True, check=True)
    script = (
        "import numpy as np, my_kernels\n"
        "import os; os.environ['SPAK_KERNELS'] = os.path.dirname(my_kernels.__file__)\n"
        "print(my_kernels.load('scale')(np.ones(2, np.float32), factor=3.0), my_kernels.__version__)"
    )
    out = subprocess.run([sys.executable, "-c", script], cwd=tmp_path / "site", capture_output=True, text=True)
    assert out.stdout.strip() == "[3. 3.] 1.3", out.stderr
