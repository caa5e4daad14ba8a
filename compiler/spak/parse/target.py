"""Stage `spak.parse.target`: a target in canonical form, so that a comment in its TOML changes nothing below it."""

from __future__ import annotations

from pathlib import Path

from spak.effects import Do
from spak.model.base import Model, canonical_json
from spak.model.outcome import Outcome


class Options(Model):
    """`file` is `targets/<name>.toml`; `out` receives canonical JSON of `spak.model.target.Target`."""

    file: str
    out: str


def run(options: Options, do: Do) -> Outcome:
    """Check the target and write it. Raises SpakError with every mistake at its line."""
    from spak.parse.targets import load_target
    from spak.store import atomic

    target = load_target(Path(options.file))
    atomic.write(options.out, canonical_json(target))
    return Outcome(summary={"target": target.name})
