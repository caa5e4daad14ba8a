"""Verification: runs a built module against the fp64 oracle and writes evidence. Knows nothing of how it was built.

`rounds` says what is tried, `rig` and `arena` run it in a child and watch memory, `oracle` and `trace` say what is
right and how far honest rounding goes, `figures` compares, `diagnose` and `hypotheses` name causes, `shrink` makes
the input small.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spak.verify.stage import Options, run

__all__ = ["Options", "run"]


def __getattr__(name: str) -> Any:
    """The stage, when it is asked for: the children of a verification import this package too, and need none of it."""
    if name in __all__:
        from spak.verify import stage

        return getattr(stage, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
