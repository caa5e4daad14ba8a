"""Handler `frozen`: nobody answers, so that no call can happen. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.handlers.config import ModelConfig
from spak.handlers.mailbox import name_of
from spak.model.request import Asked, Reply, Request


def create(root: Path, config: ModelConfig) -> Callable[[Asked], Reply]:
    """A handler that refuses everything."""

    def refuse(asked: Asked) -> Reply:
        if isinstance(asked, Request):
            what = "needs an answer that the lock does not have, and the build is frozen"
            hint = "build without --frozen where it can be answered, and commit spak.lock and generated/"
        else:
            what = "needs an answer that is not on record, and nobody may be asked"
            hint = "use another handler than `frozen` where it can be answered"
        raise SpakError(Diagnostic("SPK332", f"{name_of(asked)} {what}", hint=hint))

    return refuse
