"""CUDA machine code: compiled by NVRTC and carried inside the module. Knows no driver: that is the runtime's part."""

from __future__ import annotations

from spak.build import nvrtc
from spak.build.job import Job
from spak.build.parts import Parts, recipe
from spak.build.places import INCLUDE
from spak.build.render import prelude, render
from spak.effects import Do


def build(job: Job, do: Do) -> Parts:
    """The cubin, PTX where the target asks for it, and a launcher that embeds both."""
    toolchain = job.target.toolchain
    result = nvrtc.compile(
        job.source,
        name=job.file_name,
        arch=toolchain.arch,
        ptx=toolchain.ptx,
        do=do,
        include_dirs=[str(INCLUDE.resolve())],
        prelude=prelude(job),
        path=job.source_path,
    )
    environment = {"arch": toolchain.arch, "nvrtc": result.version, "flags": " ".join(result.options)}
    if not result.ok:
        return Parts(ok=False, diagnostics=result.diagnostics, nvrtc=result, environment=environment)
    launcher = render("nvrtc.cpp.j2", job, workspace="rt::cuda::Workspace", workspace_args=", call")
    return Parts(
        files={
            "launcher.cpp": launcher,
            "kernel.cubin": result.cubin,
            "kernel.ptx": result.ptx,
            "kernel.cmake": recipe(job, ["launcher.cpp"], []),
        },
        diagnostics=result.diagnostics,
        nvrtc=result,
        environment=environment,
    )
