"""AddressSanitizer's reports as findings like any other. Knows its text, and nothing of how it finds things."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_KIND = re.compile(r"ERROR: AddressSanitizer: (?P<kind>[\w-]+)(?P<rest>[^\n]*)")
_ACCESS = re.compile(r"^(?P<what>READ|WRITE) of size (?P<size>\d+)", re.MULTILINE)
_WHERE = re.compile(r"^0x[0-9a-f]+ is located (?P<text>.*?) \[", re.MULTILINE)
_FRAME = re.compile(r"^\s+#\d+ 0x[0-9a-f]+ in (?P<function>.+) (?P<file>/[^:]+):(?P<line>\d+)(?::\d+)?$")
_RULES = {
    "heap-use-after-free": "use-after-free",
    "stack-buffer-overflow": "local-out-of-bounds",
    "stack-buffer-underflow": "local-out-of-bounds",
    "dynamic-stack-buffer-overflow": "local-out-of-bounds",
    "stack-use-after-return": "use-after-free",
    "stack-use-after-scope": "use-after-free",
    "stack-overflow": "stack-overflow",
    "SEGV": "invalid-address",
    "double-free": "use-after-free",
}
_HINTS = {
    "out-of-bounds": "check the index against the size of the memory",
    "local-out-of-bounds": "check the loop's bounds against the extent of the array",
    "use-after-free": "free it after its last use",
}
_PARTS = {
    "freed by thread": "freed",
    "previously allocated by thread": "allocated",
    "allocated by thread": "allocated",
}


def rows(log: str) -> list[dict[str, Any]]:
    """The findings of one log, in the form of `take_findings()`."""
    match = _KIND.search(log)
    if match is None:
        return []
    rule = _RULES.get(match["kind"], "out-of-bounds")
    access, where = _ACCESS.search(log), _WHERE.search(log)
    did = f"{'writes' if access['what'] == 'WRITE' else 'reads'} {access['size']} bytes" if access else "fails"
    sentence = f"{match['kind']}: {where['text']}" if where else f"{match['kind']}{match['rest'].split(' at pc')[0]}"
    parties = [_party(did if role == "access" else role, lines) for role, lines in _sections(log[match.end() :])]
    return [{"rule": rule, "sentence": sentence, "hint": _HINTS.get(rule, ""), "parties": parties}]


def _sections(log: str) -> Iterable[tuple[str, list[str]]]:
    """The stacks of a report, each with what it is of."""
    role, lines = "access", list[str]()
    for line in [*log.splitlines(), "SUMMARY"]:
        part = next((name for start, name in _PARTS.items() if line.startswith(start)), "")
        if _FRAME.match(line):
            lines.append(line)
        elif part or line.startswith("SUMMARY"):
            if lines:
                yield role, lines
            role, lines = part, []
            if not part:
                return


def _party(role: str, lines: list[str]) -> dict[str, Any]:
    """Its frames, innermost first, for the reader to choose from."""
    frames = [match for line in lines if (match := _FRAME.match(line))]
    return {"role": role, "frames": [[frame["function"], frame["file"], int(frame["line"])] for frame in frames]}
