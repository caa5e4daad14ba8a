"""The runtime library of an engine, compiled once and linked into every module. Knows no kernel."""

from __future__ import annotations

from spak.effects import Do
from spak.model.base import Model
from spak.model.outcome import Outcome


class Options(Model):
    """`target` is the target's file, of which only the engine and the compiler matter; `out` is the library."""

    target: str
    out: str


def run(options: Options, do: Do) -> Outcome:
    """Compile `libspak_runtime.a`. Raises SpakError: the runtime is ours, so its failure is never a kernel's."""
    from spak.build.runtimelib.library import compile_library

    return compile_library(options, do)
