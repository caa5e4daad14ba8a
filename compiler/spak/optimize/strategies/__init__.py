"""Strategies: `strategies/<name>.py` holds one function `search`; a new strategy is a new file. Knows none of them by name.

    search(space, seed, batch, better) -> Generator[list[Config], list[Trial], None]

It yields configurations to try, at most `batch` at once, is sent their trials, and ends when it has no more to propose.
`better` is "maximize" or "minimize". What it proposes depends on nothing but its arguments and what it was sent. One that needs
a package which SPAK itself does not says so: `NEEDS = (package, extra that brings it)`.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Generator
from typing import Any, Literal

from spak.errors import Diagnostic, SpakError, Span
from spak.optimize.space import Config, Space
from spak.optimize.trial import Trial
from spak.semantics.suggest import near

Search = Generator[list[Config], list[Trial], None]
Objective = Literal["maximize", "minimize"]
Strategy = Callable[[Space, int, int, Objective], Search]


def known() -> tuple[str, ...]:
    """The names of all strategies."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(__path__)))


def find(name: str, span: Span | None = None) -> Strategy:
    """A strategy by name. Raises SpakError for one that is not there (SPK652), or lacks what it needs (SPK659)."""
    if name not in known():
        hint = near(name, known(), "there are")
        raise SpakError(Diagnostic("SPK652", f"there is no search strategy {name!r}", span, hint))
    module: Any = importlib.import_module(f"{__name__}.{name}")
    package, extra = getattr(module, "NEEDS", ("", ""))
    if package and importlib.util.find_spec(package) is None:
        hint = f"pip install 'spak[{extra}]', or say cartesian or random"
        raise SpakError(Diagnostic("SPK659", f"the search strategy {name!r} needs {package}", span, hint))
    search: Strategy = module.search
    return search
