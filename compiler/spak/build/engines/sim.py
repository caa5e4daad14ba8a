"""CUDA device code on the CPU: rewritten for the simulator and compiled by the host compiler. Knows no GPU."""

from __future__ import annotations

from dataclasses import replace

from spak.build import nvrtc
from spak.build.job import Job
from spak.build.parts import Parts, recipe
from spak.build.render import prelude, render
from spak.effects import Do
from spak.errors import Diagnostic, SpakError, Span
from spak.sim import flavours
from spak.sim import source as simsource


def build(job: Job, do: Do) -> Parts:
    """As for the host, but with the rewritten source. What cannot be simulated is a finding, placed in the source."""
    try:
        rewritten = simsource.rewrite(job.source, job.file_name)
    except SpakError as error:
        return Parts(ok=False, diagnostics=tuple(_placed(d, job) for d in error.diagnostics))
    toolchain = job.target.toolchain
    entries = render("sim_entries.cpp.j2", job).decode()
    unit = f'{prelude(job)}{rewritten}\n#line 1 "entries.cpp"\n{entries}'
    arch = [f"-march={toolchain.arch}"] if toolchain.arch else []
    plain, checked = ([*arch, *toolchain.flags, *flavour] for flavour in map(flavours.flags, ("plain", "check")))
    return Parts(
        files={
            "kernel.cpp": unit.encode(),
            "launcher.cpp": render("sim.cpp.j2", job),
            "kernel.cmake": recipe(job, ["kernel.cpp", "launcher.cpp"], plain, ["-pthread"], checked),
        },
        environment={
            "arch": toolchain.arch,
            "flags": " ".join(plain),
            "flags of the checked module": " ".join(checked),
        },
        toolkit_includes=nvrtc.locate().include_dirs,
        checked=unit.encode(),
    )


def _placed(found: Diagnostic, job: Job) -> Diagnostic:
    """A finding of the rewriter, in the file as people know it."""
    span = found.span
    if span is None or span.file != job.file_name:
        return found
    there = Span(job.source_path, span.line, span.col, span.end_line, span.end_col)
    return replace(found, span=there)
