"""Reports: tables, pages and charts made from traces alone. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spak.report.view import Recorded


def report(runs: Sequence[Recorded], format: str, title: str = "") -> str:
    """The built-in report of these runs as `md` or `html`: same traces, same text."""
    from spak.report.page import page
    from spak.report.rendering import render

    return render(page(runs, title), format)
