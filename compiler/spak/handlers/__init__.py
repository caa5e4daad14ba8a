"""Handlers: who answers a request or a question. Knows no handler by name.

A handler is a file of this folder with one function, `create(root, config) -> Handler`; a new handler is
a new file. What is returned may be called from several threads, raises Waiting when the answer comes from
outside later, and SpakError when there can be none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from spak.model.request import Asked, Reply

Handler = Callable[[Asked], Reply]


def select(name: str, root: str | Path, config: Mapping[str, Any]) -> Handler:
    """The handler called `name` for the project at `root`; `config` is the project's `[model]` table.

    Raises SpakError for an unknown name or a wrong configuration.
    """
    import importlib

    from spak.errors import Diagnostic, SpakError
    from spak.handlers.config import ModelConfig

    known = names()
    if name not in known:
        hint = "there are: " + ", ".join(f"`{one}`" for one in known)
        raise SpakError(Diagnostic("SPK333", f"there is no handler `{name}`", hint=hint))
    module = importlib.import_module(f"spak.handlers.{name}")
    return cast(Handler, module.create(Path(root), ModelConfig.read(config)))


def names() -> list[str]:
    """Every handler: the files of this folder that define `create`."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return [file.stem for file in files if "\ndef create(" in file.read_text(encoding="utf-8")]
