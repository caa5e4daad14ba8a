"""Generated pages of the documentation are up to date."""

from __future__ import annotations

from pathlib import Path

from spak.errors.catalogue import page

DOCS = Path(__file__).parent.parent.parent / "docs"


def test_error_codes_page_is_current() -> None:
    assert (DOCS / "error-codes.md").read_text() == page(), "run: python -m spak.errors.catalogue > docs/error-codes.md"
