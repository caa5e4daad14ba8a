"""What each tool takes, as calls are checked against it. Knows names and types of arguments, not what a tool does."""

from __future__ import annotations

from dataclasses import dataclass

#: Kinds of arguments: `text`, `command` (a text, or a list of arguments), `word` (a name, written bare or in quotes), `number`,
#: `boolean`, `map`, `list`, `any`.


@dataclass(frozen=True, slots=True)
class Signature:
    """`args` by name, in the order in which they may stand without one; `needed` must be given."""

    args: dict[str, str]
    needed: tuple[str, ...] = ()


UNIT = {"unit": "word", "variant": "word", "target": "word"}
COMMAND = {
    "cmd": "command", "cwd": "text", "env": "map", "timeout": "number", "allow_failure": "boolean", "shell": "boolean",
    "stdin": "text", "output_limit": "number",
}  # fmt: skip

SIGNATURES = {
    "run": Signature(COMMAND, ("cmd",)),
    "read": Signature({"path": "text"}, ("path",)),
    "write": Signature({"path": "text", "content": "text"}, ("path", "content")),
    "build": Signature(UNIT, ("unit",)),
    "verify": Signature(UNIT, ("unit",)),
    "bench": Signature(UNIT | {"shapes": "list", "params": "map", "repeats": "number"}, ("unit",)),
    "engineering_loop": Signature({"name": "word"}, ("name",)),
}  # fmt: skip
