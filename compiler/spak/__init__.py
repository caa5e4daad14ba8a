"""SPAK: a build system in which a language model is one of the compilers. Importing it loads nothing heavy."""

from __future__ import annotations

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the import: a no-op build has 25 ms
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"
__all__ = ["load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from spak.runtime.loader import load

        return load
    raise AttributeError(f"module 'spak' has no attribute {name!r}")
