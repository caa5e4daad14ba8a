"""The parse stage: a unit's sources to its intermediate representation. Knows nothing of what is made of it."""

from __future__ import annotations

from spak.effects import Do
from spak.model.base import Model
from spak.model.outcome import Outcome


class Options(Model):
    """What the stage reads and writes. Paths are relative to the project.

    `folder` holds the spec, its tests and its reference; `tests` names another tests file. `out_behaviour` and
    `out_structure`, when given, get the views of the unit that verification and static checks read.
    """

    unit: str
    folder: str
    domains: str = "specs/domains"
    tests: str = ""
    out_ir: str
    out_interface: str
    out_behaviour: str = ""
    out_structure: str = ""
    out_spans: str


def run(options: Options, do: Do) -> Outcome:
    """Read the unit and write its representations. Raises SpakError with every error of every file."""
    from spak.parse.write import write_unit

    return write_unit(options)
