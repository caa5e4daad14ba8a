"""C++ kernels for the CPU: compiled by the host compiler for a stated level. Knows no simulator and no GPU."""

from __future__ import annotations

from spak.build.job import Job
from spak.build.parts import Parts, recipe
from spak.build.render import prelude, render
from spak.effects import Do


def build(job: Job, do: Do) -> Parts:
    """The device code with its entries behind it, as one translation unit, and the launcher as another."""
    toolchain = job.target.toolchain
    openmp = ["-fopenmp"] if job.interface.openmp else []
    entries = render("host_entries.cpp.j2", job).decode()
    unit = f'#include <spak/cpu/types.h>\n{prelude(job)}#line 1 "{job.file_name}"\n{job.source}\n#line 1 "entries.cpp"\n{entries}'
    return Parts(
        files={
            "kernel.cpp": unit.encode(),
            "launcher.cpp": render("host.cpp.j2", job),
            "kernel.cmake": recipe(
                job, ["kernel.cpp", "launcher.cpp"], [*_arch(toolchain.arch), *toolchain.flags, *openmp], openmp
            ),
        },
        environment={"arch": toolchain.arch, "flags": " ".join([*toolchain.flags, *openmp])},
    )


def _arch(arch: str) -> list[str]:
    return [f"-march={arch}"] if arch else []
