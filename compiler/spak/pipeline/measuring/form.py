"""How the trials of a loop are carried out: what every kind of trial gives to a sweep. Knows no kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from spak.optimize.runners import Runner
from spak.optimize.space import Space
from spak.optimize.sweep import Swept
from spak.optimize.trial import Trial

Say = Callable[[str], None]
#: What a trial of a kernel may be judged by.
FIGURES = ("seconds", "gflops", "gbytes")


@dataclass(frozen=True, slots=True)
class Form:
    """How trials of a loop are carried out. `default` is the configuration in force; `environment` where trials are made.

    `better` says of a trial, by its own figures, whether a change to it is worth making.
    """

    runner: Runner
    space: Space
    environment: Mapping[str, str]
    default: Mapping[str, Any]
    better: Callable[[Trial], bool]
    write: Callable[[Swept], dict[str, Any]] | None = None
