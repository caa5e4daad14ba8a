"""Taking answers: finds what waits and puts a reply into its mailbox. Knows neither the reply's form nor the command
line.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

from spak.errors import Diagnostic, SpakError
from spak.handlers.mailbox import Mailbox, waiting


def listed(root: Path) -> list[dict[str, Any]]:
    """What waits: name, unit, variant, dialect, attempt, where the request is, and whether an answer lies there
    already.
    """
    found = []
    for box in waiting(root):
        request = box.request()
        assert request
        found.append(
            {
                "name": box.name,
                "unit": request.unit,
                "variant": request.variant,
                "dialect": request.dialect,
                "attempt": request.attempt,
                "request": f"{box.shown}/request.md",
                "digest": box.asked,
                "answered": box.answer.exists(),
            }
        )
    return found


def find(root: Path, name: str) -> Mailbox:
    """The mailbox called `name`. Raises SpakError if nothing waits there."""
    box = Mailbox(root, name)
    names = [one.name for one in waiting(root)]
    if name in names:
        return box
    near = get_close_matches(name, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else "`spak answer` lists what waits; `spak build` finds out"
    raise SpakError(Diagnostic("SPK345", f"nothing waits under the name `{name}`", hint=hint))
