"""All mutants of a reply in one module, chosen by an environment variable at each call: one compile for all of them.

The device code is repeated once a mutant, with its kernels renamed, below one copy of the headers; the entries that the
launcher calls pick the copy. Everything else is the shipped engine's. Knows no mutant.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mutants import Mutant
from spak.build import cmake, gcc
from spak.build.engines import sim
from spak.build.job import make_job
from spak.build.render import plain
from spak.effects import Effects
from spak.model.ir import Unit, interface
from spak.model.target import read_target
from spak.verify.attempt import Attempt, Setup, attempt
from spak.verify.checked import LOOSE, SCHEDULES, of_runs, plan
from spak.verify.problem import Problem
from spak.verify.rig import Rig
from spak.verify.rounds import case_of

REPO = Path(__file__).parent.parent.parent
VARIABLE = "SPAK_MUTANT"


@dataclass(frozen=True)
class Reply:
    """A shipped reply for the simulator with its mutants; 0 is what is shipped."""

    unit: Unit
    variant: str
    mutants: Sequence[Mutant]

    @property
    def folder(self) -> str:
        return f"generated/{self.unit.name}/{self.variant}/cuda"

    def problem(self) -> Problem:
        read = tomllib.loads((REPO / self.folder / "plan.toml").read_text())
        launches = tuple((str(one.get("step", "")), str(one.get("when", "true"))) for one in read["launch"])
        grids = tuple(tuple(map(str, one["grid"])) for one in read["launch"] if "grid" in one)
        return Problem(self.unit, self.variant, tuple(sorted(read.get("params", {}).items())), grids, launches)

    def module(self, folder: Path, runtime: str) -> Path:
        """The instrumented module, built in `folder`, without optimisation of its loops: it runs on small shapes only."""
        target = read_target(REPO / "targets" / "sim.toml")
        job = make_job(
            interface(self.unit), self.variant, target, f"{self.folder}/kernel.cu", f"{self.folder}/plan.toml", REPO
        )
        job = replace(
            job, source=_copies(job.source, [m.apply(job.source) for m in self.mutants], _kernels(job.source))
        )
        parts = sim.build(job, Effects())
        assert parts.ok, parts.diagnostics
        code = _dispatched(parts.checked.decode(), _kernels(job.source), len(self.mutants))
        recipe = parts.files["kernel.cmake"].decode()
        options = next(line for line in recipe.splitlines() if line.startswith("set(SPAK_CHECKED_OPTIONS"))
        recipe = re.sub(
            r"set\(SPAK_KERNEL_OPTIONS.*\)", options.replace("CHECKED", "KERNEL").replace("-O2", "-O1"), recipe
        )
        lists = plain("CMakeLists.txt.j2", module=job.module, checked=False)
        files = {**parts.files, "kernel.cpp": code.encode(), "kernel.cmake": recipe.encode(), "CMakeLists.txt": lists}
        defines = {"SPAK_RUNTIME": runtime, "SPAK_TOOLKIT_INCLUDES": ";".join(parts.toolkit_includes)}
        built = cmake.build(folder, files, defines, gcc.find("g++", Effects())[0], Effects())
        assert built.ok, built.log
        return built.folder / f"{job.module}.so"


def _kernels(source: str) -> list[str]:
    return sorted(set(re.findall(r"__global__[^;{]*?\b(\w+)\(\s*const", source)))


def _copies(source: str, changed: Sequence[str], kernels: Sequence[str]) -> str:
    """The headers once, then the source and each of its mutants in a namespace, every kernel with its number."""
    lines = source.split("\n")
    headers = "\n".join(line for line in lines if line.startswith("#include"))
    copies = []
    for number, text in enumerate((source, *changed)):
        body = "\n".join(line for line in text.split("\n") if not line.startswith("#include"))
        for kernel in kernels:
            body = re.sub(rf"\b{kernel}\(", f"{kernel}_{number}(", body)
        copies.append(f"namespace mutant_{number} {{\n{body}\n}}\n")
    return "\n".join([headers, *copies, *(f"using namespace mutant_{n};" for n in range(len(copies)))])


def _dispatched(code: str, kernels: Sequence[str], mutants: int) -> str:
    """The translation unit with entries that call the copy of a kernel that the environment names."""
    for kernel in sorted({re.sub(r"_\d+$", "", name) for name in kernels}):
        call = re.compile(rf"^    {kernel}\((.*)\);$", re.MULTILINE)
        cases = " ".join(f"case {n}: {kernel}_{n}(\\1); break;" for n in range(mutants + 1))
        code = call.sub(f"    switch (chosen) {{ {cases} }}", code)
    chosen = f'const int chosen = __builtin_atoi_of("{VARIABLE}");'
    code = code.replace("  spak::sim::Config config;\n", f"  {chosen}\n  spak::sim::Config config;\n")
    code = code.replace(f'__builtin_atoi_of("{VARIABLE}")', f'std::atoi(std::getenv("{VARIABLE}"))')
    return f"#include <cstdlib>\n{code}"


@contextmanager
def rig_of(reply: Reply, module: Path) -> Iterator[Rig]:
    """A rig for the module; the reference of a unit may be a file of its specs."""
    file = reply.unit.reference.file
    with Rig(
        reply.problem(), str(module), device="cpu", call_seconds=20, reference_file=str(REPO / file) if file else ""
    ) as rig:
        yield rig


def tried(rig: Rig, number: int) -> tuple[str, str]:
    """(round, what was found first) of a mutant under two schedules of check mode; two empty strings where nothing is."""
    for round_ in plan(rig.problem, "mutants"):
        schedules = [{**one, VARIABLE: str(number)} for one in SCHEDULES[:2]]
        done: Attempt = attempt(rig, case_of(rig.problem, round_), Setup(LOOSE, tuple(schedules)))
        found = next(of_runs(done.runs, schedules, "", "kernel.cu", set()), None)
        if found:
            return round_.name, f"{found.code} {found.message}"
        if not done.ok:
            return round_.name, done.worst
    return "", ""
