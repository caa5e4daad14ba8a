"""Reports: tables, pages and charts made from traces alone. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spak.traces.event import Event


def report(runs: Sequence[Iterable[Event]], format: str, title: str = "") -> str:
    """The built-in report of these runs' events as `md` or `html`: same events, same text."""
    from spak.report.page import page
    from spak.report.rendering import render

    return render(page(runs, title), format)
