"""The build stage: device code, a plan and an interface become an importable native module. Knows no verification."""

from __future__ import annotations

from typing import Literal

from spak.effects import Do
from spak.model.base import Model
from spak.model.outcome import Outcome


class Options(Model):
    """Paths relative to the project's root. `runtime` is the target's `libspak_runtime.a`; `sass` are the unit's contracts.

    `tuned` is the file of parameters tuned for the target, where there is one. `checked` is where the simulator's second
    module goes, whose device code says what it accesses; it is for verification, and never shipped.
    """

    interface: str
    unit: str
    variant: str
    dialect: Literal["cpp", "cuda"]
    source: str
    plan: str
    tuned: str = ""
    target: str
    runtime: str
    sass: tuple[str, ...] = ()
    out: str
    checked: str = ""
    manifest: str
    evidence: str


def run(options: Options, do: Do) -> Outcome:
    """Write the module, `module.json` and the compile evidence. Device code that does not compile is a failed outcome."""
    from spak.build.native import build_module

    return build_module(options, do)
