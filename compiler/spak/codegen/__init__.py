"""Stage `codegen`: settles which reply stands for a unit, variant and dialect. Knows neither who answers nor how a
reply is judged.

A build replays the lock. What has changed since is judged first, and only what fails, or was never there, is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from spak.model.base import Model
from spak.model.outcome import Outcome

if TYPE_CHECKING:
    from spak.effects import Do


class Options(Model):
    """Paths are relative to the project's root.

    `fired` is where rules that fired on measurements are recorded (see `spak.codegen.observed`). `pending` is the request's
    mailbox (see `spak.handlers.mailbox`), emptied once its answer is on record. `refresh` asks anew although the lock has an
    answer; `recheck` judges the pinned source although nothing about its request has changed.
    """

    unit: str
    variant: str
    dialect: Literal["cpp", "cuda"]
    ir: str
    request: str
    fired: str = ".spak/fired"
    lock: str = "spak.lock"
    generated: str
    templates: str = ""
    pending: str = ""
    refresh: bool = False
    recheck: bool = False


def run(options: Options, do: Do) -> Outcome:
    """Leave the accepted reply in `generated` and in the lock, or say why there is none.

    `summary["action"]` is "replayed", "kept", "asked" or "adopted". The judge's outcome may carry `summary["targets"]`,
    a list of `{name, build, evidence, verdict}` that goes into the lock. Raises Waiting when the answer comes later,
    and SpakError when nobody may be asked, when the reply was cut short or refused, or when the lock or the record of
    attempts is damaged.
    """
    from spak.codegen.settle import settle

    return settle(options, do)
