"""What each tool takes and gives, as calls are checked against it. Knows names and types, not what a tool does.

A tool is performed by the file of `spak.agents.tools` that has its name; a test ties the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from spak.semantics.types import ANY, BOOLEAN, NUMBER, STRING, Field, Type

TEXTS = Type("list", args=(STRING,))
WORD = Type("union", args=(STRING, NUMBER, BOOLEAN))
COMMAND = Type(
    "union", args=(STRING, Type("list", args=(WORD,)))
)  # a text, split before its holes are filled, or a list of arguments
MAP = Type("map", args=(ANY,))
MAPS = Type("list", args=(Type("map", args=(NUMBER,)),))


@dataclass(frozen=True, slots=True)
class Argument:
    """`word`: a name that may be written bare, as in `unit: saxpy`."""

    type: Type
    needed: bool = False
    word: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """`args` in the order in which they may stand without a name. `result` is what the output variable gets.

    `command`: it starts a program whose exit code and output count, as `steps.ID.exit_code` and `steps.ID.stdout`.
    """

    about: str
    args: Mapping[str, Argument]
    result: Type
    command: bool = False


def _built(name: str) -> Type:
    fields = (
        Field("ok", BOOLEAN),
        Field("why", STRING),
        Field("diagnostics", TEXTS),
        Field("digests", MAP),
        Field("evidence", Type("list", args=(MAP,))),
    )
    return Type("record", name, fields=fields)


def _table() -> Mapping[str, Tool]:
    word, text = Argument(STRING, word=True), Argument(STRING)
    number, boolean = Argument(NUMBER), Argument(BOOLEAN)
    name, failing = Argument(STRING, needed=True, word=True), {"allow_failure": boolean}
    unit = {"unit": name, "variant": word, "target": word}
    run = {
        "cmd": Argument(COMMAND, needed=True),
        "cwd": text,
        "env": Argument(MAP),
        "timeout": number,
        **failing,
        "shell": boolean,
        "stdin": Argument(ANY),
        "output_limit": number,
    }
    path = Argument(STRING, needed=True)
    bench = {**unit, "shapes": Argument(MAPS), "params": Argument(MAP), "repeats": number, **failing}
    return MappingProxyType(
        {
            "run": Tool("start a program", run, ANY, command=True),
            "read": Tool("read a text file", {"path": path}, STRING),
            "write": Tool("write a text file", {"path": path, "content": Argument(ANY, needed=True)}, MAP),
            "build": Tool("build a unit", {**unit, **failing}, _built("a build")),
            "verify": Tool("verify a unit", {**unit, **failing}, _built("a verification")),
            "bench": Tool("measure a kernel", bench, MAP),
            "engineering_loop": Tool("run a declared search", {"name": name, **failing}, MAP),
        }
    )


#: Every tool by name.
TOOLS: Mapping[str, Tool] = _table()
