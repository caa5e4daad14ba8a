"""Handler `replay`, the default: the lock answers, and what it lacks waits for an answer. Knows nothing of models.

The lock is consulted before any handler is, so what arrives here has no answer yet and is handled as `suspend` does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spak.handlers import suspend
from spak.handlers.config import ModelConfig
from spak.model.request import Asked, Reply


def create(root: Path, config: ModelConfig) -> Callable[[Asked], Reply]:
    """A handler that writes what is asked to files and takes answers from there."""
    return suspend.create(root, config)
