"""A project whose one kernel is as slow, and as wrong, as its parameters say. Knows no test.

`PASSES` is how often the result is computed. `MODE` 0 is right, 1 is wrong, 2 is wrong past a multiple of eight and fast,
3 does not compile, 4 crashes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import spak

from tests.e2e.built import CACHE, SEEDED

SPEC = """\
---
name: work
edition: 1
version: 1
license: Apache-2.0
---
# Work

Doubles every element: `y = 2 * x`.

```spak
kernel work(x: f32[N]) -> y: f32[N] {
  require: N >= 1
  reference: "2 * x"
  accumulate: f32
  tolerance: { factor: 2 }
  flops: N
  bytes: 8 * N
  linear: [x]

  variant first {
    intent: "One pass."
  }
  variant passes {
    intent: "As many passes as asked for."
  }
}

tuning_space {
  PASSES: [1, 2, 64]
  MODE: [0, 1, 2, 3, 4]
  constraint: PASSES + MODE <= 66
}
```
"""

FIRST = """\
One pass.

```cpp
extern "C" void work(const float* x, float* y, long long N) {
  for (long long i = 0; i < N; ++i) {
    y[i] = 2.0f * x[i];
  }
}
```

```toml
[[launch]]
kernel = "work"
args = ["x", "y", "N"]
```
"""

PASSES = """\
Passes.

```cpp
static __attribute__((noinline)) void pass(const float* x, float* y, long long N, float by) {
  for (long long i = 0; i < N; ++i) {
    y[i] = by * x[i];
  }
}

extern "C" void work(const float* x, float* y, long long N) {
  static_assert(MODE != 3, "mode 3 does not exist");
  if (MODE == 4) {
    y[N * 1000000000LL] = 1.0f;
  }
  if (MODE == 2) {
    pass(x, y, N / 8 * 8, 2.0f);
    return;
  }
  for (int i = PASSES - 1; i >= 0; --i) {
    pass(x, y, N, 2.0f + static_cast<float>(i) + (MODE == 1 ? 1.0f : 0.0f));
  }
}
```

```toml
[params]
PASSES = 64
MODE = 0

[[launch]]
kernel = "work"
args = ["x", "y", "N"]
```
"""

DOMAIN_TARGET = Path(__file__).resolve().parents[2] / "targets" / "cpu.toml"
SHAPE = {"N": 8192}


def spak_run(root: Path, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `spak` in a project, in a process of its own."""
    return python_run(root, "-m", "spak", *args, env=env)


def python_run(root: Path, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The same for Python, with the compiler under test."""
    path = os.pathsep.join([str(Path(spak.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    whole = {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", **(env or {})}
    return subprocess.run(
        [sys.executable, *args],
        cwd=root,
        env=whole,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def lay_out(root: Path) -> None:
    """The project with its replies, built and verified."""
    (root / "specs" / "work").mkdir(parents=True)
    (root / "targets").mkdir()
    (root / "dodo.py").write_text("from spak.pipeline.frontends.doit_glue import *\n")
    (root / "specs" / "work" / "SPEC.work.md").write_text(SPEC)
    shutil.copy(DOMAIN_TARGET, root / "targets" / "cpu.toml")
    seeded = python_run(root, "-c", SEEDED, str(CACHE), "runtime:")
    assert seeded.returncode == 0, seeded.stderr
    waiting = spak_run(root, "build", "--handler", "suspend")
    assert waiting.returncode == 3, waiting.stdout + waiting.stderr
    for variant, reply in (("first", FIRST), ("passes", PASSES)):
        (root / ".spak" / "pending" / f"work.{variant}.cpp" / "answer.md").write_text(reply)
    done = spak_run(root, "build", "--handler", "suspend")
    assert done.returncode == 0, done.stdout + done.stderr


def shared(factory: pytest.TempPathFactory) -> Path:
    """The built project, one for all processes of a test session: nobody touches it."""
    base = factory.getbasetemp()
    folder = (base.parent if "popen-gw" in base.name else base) / "tune"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder / "project", ignore_errors=True)
            lay_out(folder / "project")
            (folder / "done").touch()
    return folder / "project"
