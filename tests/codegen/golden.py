"""Golden messages: folders of `tests/golden/errors` hold an input and the `expected.txt` that it must produce.

`SPAK_UPDATE_GOLDEN=1` writes what is produced instead; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "golden" / "errors"


def cases(prefix: str) -> list[Path]:
    """The folders whose names start with `prefix`."""
    return sorted(path for path in FOLDER.iterdir() if path.name.startswith(prefix))


def compare(case: Path, produced: str) -> None:
    """Assert that `produced` is what the case expects."""
    expected = case / "expected.txt"
    if os.environ.get("SPAK_UPDATE_GOLDEN"):
        expected.write_text(produced)
    assert produced == expected.read_text()
