"""Handler `frozen`: nobody answers, so that no call can happen. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.handlers.config import ModelConfig
from spak.model.request import Reply, Request


def create(root: Path, config: ModelConfig) -> Callable[[Request], Reply]:
    """A handler that refuses every request."""

    def refuse(request: Request) -> Reply:
        name = f"{request.unit}.{request.variant}.{request.dialect}"
        hint = "build without --frozen where it can be answered, and commit spak.lock and generated/"
        raise SpakError(
            Diagnostic(
                "SPK332", f"{name} needs an answer that the lock does not have, and the build is frozen", hint=hint
            )
        )

    return refuse
