"""What a stage returns. Knows nothing of the stage."""

from __future__ import annotations

from typing import Any

from spak.model.base import Model


class Outcome(Model):
    """`ok` False means the subject failed, which is a cacheable value; what breaks the stage itself raises SpakError.

    `diagnostics` are `Diagnostic.to_json()` dictionaries, warnings included. `summary` is small data for tables and events.
    `outputs` are files beside the declared ones, whose names only the stage knows: a wheel has its version in its name.
    """

    ok: bool = True
    diagnostics: tuple[dict[str, Any], ...] = ()
    summary: dict[str, Any] = {}
    outputs: tuple[str, ...] = ()
