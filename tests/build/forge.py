# ruff: noqa: E501 -- sources and messages stay in one line
"""Builds a kernel from strings, and the samples that tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spak import build
from spak.effects import Effects
from spak.model.base import canonical_json
from spak.model.ir import Interface, Require, Scalar, Signature, Tensor
from spak.model.outcome import Outcome
from spak.runtime.module import load_module

ROOT = Path(__file__).parents[2]


def tensor(name: str, words: str, **layout: Any) -> Tensor:
    """`tensor("a", "f32[M, K]")`."""
    dtype, _, shape = words.rstrip("]").partition("[")
    return Tensor(name=name, dtype=dtype, shape=tuple(s.strip() for s in shape.split(",")), **layout)  # type: ignore[arg-type]


def interface(
    name: str,
    params: Sequence[Tensor | Scalar],
    results: Sequence[Tensor],
    axes: str,
    require: Sequence[str] = (),
    openmp: bool = False,
) -> Interface:
    return Interface(
        name=name,
        version=1,
        summary=f"The sample {name}.",
        signature=Signature(params=tuple(params), results=tuple(results), axes=tuple(axes.split())),
        require=tuple(Require(expr=r, words=r) for r in require),
        openmp=openmp,
    )


@dataclass(frozen=True)
class Sample:
    interface: Interface
    cpp: str
    cpp_plan: str
    cuda: str = ""
    cuda_plan: str = ""


class Forge:
    def __init__(self, folder: Path, runtimes: Callable[[str], str]) -> None:
        self.folder, self.runtimes = folder, runtimes
        self._built: dict[tuple[str, str], Any] = {}

    def build(
        self,
        iface: Interface,
        source: str,
        plan: str,
        target: str = "cpu",
        *,
        folder: Path | None = None,
        target_file: str = "",
    ) -> tuple[Outcome, build.Options]:
        """Run the build stage on strings; the outcome and the options, which say where everything is."""
        place = folder or self.folder / target / iface.name
        place.mkdir(parents=True, exist_ok=True)
        dialect = "cpp" if target == "cpu" else "cuda"
        code = place / f"kernel.{'cpp' if dialect == 'cpp' else 'cu'}"
        code.write_text(source)
        (place / "plan.toml").write_text(plan)
        (place / "interface.json").write_bytes(canonical_json(iface))
        options = build.Options(
            interface=str(place / "interface.json"), unit=iface.name, variant="plain", dialect=dialect, source=str(code),
            plan=str(place / "plan.toml"), target=target_file or str(ROOT / f"targets/{target}.toml"), runtime=self.runtimes(target),
            out=str(place / f"{iface.name}_{target}.so"), checked=str(place / f"checked/{iface.name}_sim.so") if target == "sim" else "",
            manifest=str(place / "module.json"), evidence=str(place / "compile.json"),
        )  # fmt: skip
        return build.run(options, Effects()), options

    def sample(self, name: str, target: str = "cpu") -> Any:
        """The function of a sample."""
        key = (name, target)
        if key not in self._built:
            from samples import SAMPLES

            one: Sample = SAMPLES[name]
            cpp = target == "cpu"
            outcome, options = self.build(
                one.interface, one.cpp if cpp else one.cuda, one.cpp_plan if cpp else one.cuda_plan, target
            )
            assert outcome.ok, outcome.diagnostics
            self._built[key] = getattr(load_module(options.out), one.interface.name)
        return self._built[key]
