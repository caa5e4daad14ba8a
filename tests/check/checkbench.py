"""Units, replies and one way to judge them, for the tests of the static checks."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak.check import Options, run
from spak.effects import Effects
from spak.errors import Diagnostic
from spak.model.base import canonical_json
from spak.model.ir import (
    Choice,
    Interface,
    Invariant,
    Reference,
    Require,
    Scalar,
    Signature,
    Tensor,
    TuningSpace,
    Unit,
    Variant,
    interface,
)
from spak.model.outcome import Outcome

ROOT = Path(__file__).parents[2]


def tensor(name: str, dtype: str, *shape: str, **more: Any) -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape, **more)  # type: ignore[arg-type]


def unit(
    params: tuple[Tensor | Scalar, ...], results: tuple[Tensor, ...], axes: str, require: str = "", **more: Any
) -> Unit:
    """A unit with one variant, `v`; `require` holds conditions separated by semicolons."""
    conditions = tuple(Require(expr=part.strip(), words=part.strip()) for part in require.split(";") if part.strip())
    return Unit(
        **{
            "name": "unit", "edition": 1, "version": 1,
            "signature": Signature(params=params, results=results, axes=tuple(axes.split())),
            "require": conditions, "reference": Reference(kind="numpy", expr="0"), "variants": (Variant(name="v"),),
            **more,
        }
    )  # fmt: skip


VECTOR_ADD = unit((tensor("a", "f32", "n"), tensor("b", "f32", "n")), (tensor("c", "f32", "n"),), "n", "n >= 1")
MATMUL = unit(
    (tensor("a", "f32", "M", "K"), tensor("b", "f32", "K", "N")),
    (tensor("c", "f32", "M", "N"),),
    "M K N",
    "M >= 1 && N >= 1 && K >= 1",
)
SOFTMAX = unit((tensor("x", "f32", "M", "N"),), (tensor("y", "f32", "M", "N"),), "M N", "M >= 1 && N >= 1")
TUNING = TuningSpace(
    parameters=(Choice(name="BM", values=(32, 64)), Choice(name="BN", values=(64, 128))),
    constraints=("BM * BN <= 4096",),
)
NO_SCRATCH = Invariant(name="NoScratch", statement="No buffers.", check="workspace_bytes == 0")
REDUCE = unit((tensor("x", "f32", "n"),), (tensor("y", "f32", "1"),), "n", "n >= 1")
UNITS = {
    "vector_add": VECTOR_ADD,
    "vector_add_any": VECTOR_ADD.model_copy(update={"require": ()}),
    "matmul": MATMUL,
    "matmul_tuned": MATMUL.model_copy(update={"tuning_space": TUNING}),
    "matmul_staged": MATMUL.model_copy(update={"design_space": (Choice(name="staging", values=("none", "shared")),)}),
    "softmax": SOFTMAX,
    "reduce": REDUCE,
    "reduce_no_scratch": REDUCE.model_copy(update={"invariants": (NO_SCRATCH,)}),
}


@dataclass(frozen=True)
class Judged:
    outcome: Outcome
    evidence: dict[str, Any]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return [Diagnostic.from_json(d) for d in self.outcome.diagnostics]

    @property
    def errors(self) -> list[str]:
        """`SPKnnn file:line` of every error, in order."""
        return [f"{d.code} {d.span.file}:{d.span.line}" for d in self.diagnostics if d.span and d.severity == "error"]

    @property
    def warnings(self) -> list[str]:
        return [f"{d.code} {d.span.file}:{d.span.line}" for d in self.diagnostics if d.span and d.severity == "warning"]

    def check(self, name: str) -> dict[str, Any]:
        return next(c for c in self.evidence["checks"] if c["name"] == name)


def judge(
    folder: Path,
    of: Unit,
    source: str | bytes,
    plan: str | bytes,
    target: str = "sm_90a",
    narrowed: Interface | None = None,
) -> Judged:
    """Run the stage in `folder` as a build would, and read back its evidence."""
    dialect = "cpp" if target == "cpu" else "cuda"
    name = "kernel.cpp" if dialect == "cpp" else "kernel.cu"
    (folder / "unit.json").write_bytes(canonical_json(of))
    (folder / "interface.json").write_bytes(canonical_json(narrowed or interface(of)))
    (folder / name).write_bytes(source.encode() if isinstance(source, str) else source)
    (folder / "plan.toml").write_bytes(plan.encode() if isinstance(plan, str) else plan)
    (folder / f"{target}.toml").write_bytes((ROOT / "targets" / f"{target}.toml").read_bytes())
    before = Path.cwd()
    os.chdir(folder)
    try:
        options = Options(
            ir="unit.json", interface="interface.json", variant="v", dialect=dialect, source=name, plan="plan.toml",
            target=f"{target}.toml", evidence="evidence/check.json",
        )  # fmt: skip
        outcome = run(options, Effects())
        return Judged(outcome, json.loads(Path("evidence/check.json").read_text()))
    finally:
        os.chdir(before)
