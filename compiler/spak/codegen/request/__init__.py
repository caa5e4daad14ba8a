"""Stage `codegen.request`: renders what a model would be asked for one unit, variant and dialect. Asks nobody.

Its output is canonical JSON and depends on nothing but the files and values in `Options`, on the shipped templates and
on the documentation of the device headers; other variants of the unit leave it unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from spak.model.base import Model
from spak.model.outcome import Outcome

if TYPE_CHECKING:
    from spak.effects import Do


class Options(Model):
    """Paths are relative to the project's root.

    `targets` may name more targets than apply: those of another dialect, and those that the variant does not support,
    are left out. `templates` is a folder whose files replace shipped templates of the same name; it may be absent.
    """

    ir: str
    variant: str
    dialect: Literal["cpp", "cuda"]
    targets: tuple[str, ...]
    out: str
    templates: str = ""
    model: str = ""
    endpoint: str = ""
    sampling: dict[str, Any] = Field(default_factory=dict)
    sample: int = 0


def run(options: Options, do: Do) -> Outcome:
    """Write the request to `options.out`. Raises SpakError for an unknown variant, no target, or a broken template."""
    from spak.codegen.request.rendering import render_request
    from spak.digest import sha256_bytes
    from spak.model.base import canonical_json
    from spak.store import atomic

    data = canonical_json(render_request(options))
    atomic.write(options.out, data)
    return Outcome(summary={"request": sha256_bytes(data), "bytes": len(data)})


def inputs(options: Options) -> list[str]:
    """Every file that `run` reads beside the code of this package: what the action's key covers."""
    from spak.codegen.request.rendering import template_files

    return sorted({options.ir, *options.targets, *template_files(options)})
