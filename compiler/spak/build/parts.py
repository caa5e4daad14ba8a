"""What an engine makes of a job: the files of a CMake project, and what it found out on the way. Knows no engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from spak.build.job import Job
from spak.build.nvrtc import NvrtcResult
from spak.build.render import render
from spak.errors import Diagnostic


@dataclass(frozen=True)
class Parts:
    """`files` lie in one folder with `kernel.cmake`; `ok` False means that the device code did not compile.

    `checked` is the device code of the module that only verification loads, where the engine makes one.
    """

    ok: bool = True
    files: Mapping[str, bytes] = field(default_factory=dict)
    diagnostics: Sequence[Diagnostic] = ()
    nvrtc: NvrtcResult | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    toolkit_includes: Sequence[str] = ()
    checked: bytes = b""


def recipe(
    job: Job, sources: Sequence[str], options: Sequence[str], link: Sequence[str] = (), checked: Sequence[str] = ()
) -> bytes:
    """`kernel.cmake`, which tells spak_add_kernel() what to compile and how."""
    return render("kernel.cmake.j2", job, sources=sources, options=options, link=link, checked=checked)
