"""The static checks: what can be said of a reply before anything of it runs. Knows neither who wrote it nor what
comes next.
"""

from __future__ import annotations

from typing import Literal

from spak.effects import Do
from spak.model.base import Model
from spak.model.outcome import Outcome


class Options(Model):
    """Every file and value that the checks read. Paths are relative to the project.

    `z3_ms` is how long one proof may take; what cannot be decided within it is reported as unproved, never as passed.
    `tuned` is the file of parameters tuned for the target, where there is one, and
    `unfit` why it is passed over.
    """

    ir: str
    interface: str
    variant: str
    dialect: Literal["cpp", "cuda"]
    source: str
    plan: str
    target: str
    evidence: str
    z3_ms: int = 2000
    tuned: str = ""
    unfit: str = ""


def run(options: Options, do: Do) -> Outcome:
    """Judge a source and its plan for a target; write the evidence. Raises SpakError for input that is not a unit's."""
    from spak.check.runner import judge

    return judge(options)
