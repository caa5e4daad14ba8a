"""A small project to vary: one unit with prose, tests, a reference and two domains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from spak.model.base import canonical_json
from spak.parse.load import load_unit

SPEC = """---
name: gemv
edition: 1
version: 3
license: Apache-2.0
family: products
---
# Matrix times vector

Multiplies a matrix by a vector. It is bound by memory; wrapping
of lines means nothing here.

- first point, which runs
  over two lines
- second point

```spak
use memory
kernel gemv(a: f32[M, K], x: f32[K], alpha: f32 = 1.0, ld: i32) -> (y: f32[M], s: f32[1]) {
  require: M >= 1 && K >= 1
  require: [ld >= K, "K // 2 * 2 == K || M < 1024"]
  require "alpha is not zero": alpha != 0
  reference: reference.py:gemv
  accumulate: f32
  tolerance: { factor: 4, rtol: 1e-5 }
  flops: 2 * M * K
  bytes: 4 * (M * K + K + M)
  linear: [x]
  attempts: 2
  variant naive { intent: "One thread a row." staging: none }
  variant tiled {
    intent: \"\"\"
      Stage x once
      for a block of rows.
    \"\"\"
    staging: shared
    require: M >= 64
    targets: [sim]
  }
}
design_space { staging: [none, shared]  width: [1, 2] }
tuning_space { BM: [32, 64]  BK: range [8, 64]  constraint: BM * BK <= 2048 }
invariant NoScratch { assert: "Nothing is stored." check: workspace_bytes <= 4 * M }
invariant Linear { check: linear(x) }
rule "Read once" { when: "always" apply: "read a once" }
```
"""

TESTS = """vectors:
  - name: by_hand
    shape: {M: 1, K: 2}
    inputs: {a: [[1, 2]], x: [3, .inf], alpha: 2, ld: 2}
    expect: {y: [.nan]}
shapes:
  - {M: 1, K: 2}
large:
  - {M: 2000000000, K: 2}
"""

MEMORY = """use cache
domain memory {
  axiom: "Memory moves in lines."
  rule "Coalesce" { when: "a warp reads"  apply: "neighbours read neighbours" }
}
"""

CACHE = 'domain cache { hint "Reuse" { trigger: "twice" suggestion: "keep it" } }\n'


class Project:
    """Files under a root, and the unit as canonical bytes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("specs/gemv/SPEC.gemv.md", SPEC)
        self.write("specs/gemv/tests.gemv.yaml", TESTS)
        self.write(
            "specs/gemv/reference.py",
            "import numpy as np\n\n\ndef gemv(a, x, alpha, ld):\n    return alpha * (a @ x), np.zeros(1)\n",
        )
        self.write("specs/domains/memory.dsl", MEMORY)
        self.write("specs/domains/cache.dsl", CACHE)

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        before = (self.root / name).read_text()
        after = change(before)
        assert after != before, "the edit changes nothing"
        self.write(name, after)

    def ir(self) -> bytes:
        return canonical_json(load_unit(self.root, "specs/gemv").unit)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
