"""The runtime library of an engine, compiled once and linked into every module. Knows no kernel."""

from __future__ import annotations

from spak.effects import Do
from spak.model.base import Model
from spak.model.outcome import Outcome


class Options(Model):
    """`engine` and `compiler` are the target's: nothing else of it matters; `out` is the library."""

    engine: str
    compiler: str
    out: str


def run(options: Options, do: Do) -> Outcome:
    """Compile `libspak_runtime.a`. Raises SpakError: the runtime is ours, so its failure is never a kernel's."""
    from spak.build.runtimelib.library import compile_library

    return compile_library(options, do)
