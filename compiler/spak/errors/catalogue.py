"""The catalogue of error codes, and the page made of it. Knows no stage: each range of codes is a data file.

`python -m spak.errors.catalogue` prints `docs/error-codes.md`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

CODES = Path(__file__).parent / "codes"

RANGES = {
    "1": "Syntax",
    "2": "Meaning of specs, tests and targets",
    "3": "Requests, replies and the lock",
    "4": "Static checks",
    "5": "Native build and simulator",
    "6": "Behaviour verification",
    "7": "Graph, store and state",
    "8": "Packages and loading",
    "9": "Command line and project",
}


@dataclass(frozen=True)
class Entry:
    """One code: what it is called, and when it happens and what to do."""

    code: str
    title: str
    explain: str


def catalogue() -> dict[str, Entry]:
    """Every code, sorted. Raises ValueError if two files claim one code."""
    found: dict[str, Entry] = {}
    for path in sorted(CODES.glob("*.toml")):
        for code, row in tomllib.loads(path.read_text()).items():
            if code in found:
                raise ValueError(f"{code} stands in two files, {path.name} is the second")
            found[code] = Entry(code, row["title"], " ".join(row["explain"].split()))
    return dict(sorted(found.items()))


def page() -> str:
    """`docs/error-codes.md`."""
    lines = [
        "# Error codes",
        "",
        "Every message reads `file:line:col: SPKnnn: what is wrong. hint: what to do`. A code never changes its meaning.",
    ]
    heading = ""
    for entry in catalogue().values():
        if RANGES[entry.code[3]] != heading:
            heading = RANGES[entry.code[3]]
            lines += ["", f"## {heading}"]
        lines += ["", f"**{entry.code}: {entry.title}.** {entry.explain}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
