"""What a program or a judge said, as a value. Knows nothing of who said it."""

from __future__ import annotations

import re
from typing import Any

from spak.knowledge.lines import MARKER

NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,3})?")


def value_of(said: str) -> Any:
    """A number or a truth value if that is all that was said, else the text without its last line end."""
    plain = said.strip()
    if plain in {"true", "false"}:
        return plain == "true"
    if NUMBER.fullmatch(plain):
        number = float(plain) if set(plain) & set(".eE") else int(plain)
        if abs(number) != float("inf"):
            return number
    return said.removesuffix("\n").removesuffix("\r")


def untraced(output: str) -> str:
    """What a program printed beside its traces."""
    return "\n".join(row for row in output.split("\n") if not row.startswith(MARKER)) if MARKER in output else output
