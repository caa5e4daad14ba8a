"""A unit that no project has yet, with a right and a wrong reply to it. Knows nothing of who gives them."""

from __future__ import annotations

from realproject import Project

NAME = "scale.plain.cpp"
FOLDER = "generated/scale/plain/cpp"

SPEC = """\
---
name: scale
edition: 1
version: 1
license: Apache-2.0
---
# Multiple of a vector

Multiplies every element by a number.

```spak
kernel scale(x: f32[N], alpha: f32) -> y: f32[N] {
  require: N >= 1
  reference: "alpha * x"
  accumulate: f32
  attempts: 2
  targets: [cpu]
  variant plain { intent: "One loop." }
}
```
"""

TESTS = "shapes:\n  - {N: 1}\n  - {N: 33}\n"

REPLY = """\
Here it is.

```cpp
extern "C" void scale(const float* x, float alpha, float* y, long long N) {
  for (long long i = 0; i < N; ++i) {
    y[i] = alpha * x[i];
  }
}
```

```toml
[[launch]]
kernel = "scale"
args = ["x", "alpha", "y", "N"]
```
"""

SKIPS_THE_LAST = REPLY.replace("i < N", "i < N - 1")


def add_scale(project: Project) -> Project:
    """Put the spec into a project."""
    project.put("specs/scale/SPEC.scale.md", SPEC)
    project.put("specs/scale/tests.scale.yaml", TESTS)
    return project
