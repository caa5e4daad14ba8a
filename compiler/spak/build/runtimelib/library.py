"""Compiles the runtime library through CMake. Knows which sources an engine adds only through `spak_add_runtime`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from spak.build import cmake, gcc
from spak.build.render import plain
from spak.effects import Do
from spak.errors import Diagnostic, SpakError
from spak.model.outcome import Outcome
from spak.store import atomic

if TYPE_CHECKING:
    from spak.build.runtimelib import Options


def compile_library(options: Options, do: Do) -> Outcome:
    compiler, version = gcc.find(options.compiler, do)
    files = {"CMakeLists.txt": plain("runtime.CMakeLists.txt.j2", engine=options.engine)}
    with cmake.workshop(options.out) as folder:
        built = cmake.build(folder, files, {}, compiler, do, jobs=2)
        if not built.ok:
            lines = tuple(line for line in built.log.splitlines() if ": error" in line or ": fatal" in line)[:12]
            hint = "this is SPAK's own code: is the compiler complete, and are Python's headers installed?"
            raise SpakError(
                Diagnostic("SPK514", "the runtime library does not compile", None, hint, lines or (built.log[-400:],))
            )
        data = (built.folder / "libspak_runtime.a").read_bytes()
    atomic.write(options.out, data)
    return Outcome(
        summary={"compiler": f"{Path(compiler).name} {version}", "bytes": len(data), "file": Path(options.out).name}
    )
