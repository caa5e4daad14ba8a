"""Stages as code: where a stage's files are and what their digest is. Knows nothing of what stages do."""

# ruff: noqa: PTH118
# Paths are plain strings here: they are keys, and a no-op looks at thousands of them.

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from spak.digest import digest_fields
from spak.errors import Diagnostic, SpakError
from spak.store.digests import Digests

PACKAGE = Path(__file__).parents[2]
COMMON = (
    "model",
    "lang",
    "semantics",
    "errors",
    "effects",
    "digest.py",
    "lock/tuned.py",
    "pipeline/execution/worker.py",
    "store/atomic.py",
)
BELOW = {"build": ("sim",), "verify": ("sim",), "check": ("sim",)}  # packages that only some stages build on
SKIPPED = frozenset({"__pycache__", "include", "runtime_sources", "sim_sources"})  # C++: who compiles it names it


@lru_cache(maxsize=256)
def sources(stage: str) -> tuple[str, ...]:
    """Every file whose change makes another stage of it: its own, and the packages that all stages build on. Raises
    SpakError.
    """
    own = PACKAGE / stage if "." not in stage else _find(stage)
    if not own.exists():
        raise SpakError(Diagnostic("SPK720", f"there is no stage {stage!r}", None))
    found = files_below(own)
    for name in (*COMMON, *BELOW.get(Path(own).name, ())):
        found += files_below(PACKAGE / name)
    return tuple(sorted(found))


def code_files(stage: str, digests: Digests) -> tuple[tuple[str, str], ...]:
    """Every file of a stage, with its digest."""
    return tuple((path, digests.of(path)) for path in sources(stage))


def code_digest(files: Iterable[tuple[str, str]]) -> str:
    """The stage's version: the digest of its files. Names are relative, so that two checkouts agree."""
    here = str(PACKAGE.parent) + os.sep
    return digest_fields(("file", path.removeprefix(here), digest) for path, digest in files)


def files_below(path: Path) -> list[str]:
    """The files of a folder, or the file itself, without caches; links to folders are not followed."""
    if path.is_file():
        return [str(path)]
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        found += [os.path.join(folder, name) for name in sorted(names) if not name.endswith((".pyc", ".tmp"))]
    return found


def _find(module: str) -> Path:
    if module.startswith("spak."):
        return PACKAGE / module.split(".")[1]  # a stage's parts share their package's code
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise SpakError(Diagnostic("SPK720", f"there is no stage {module!r}", None))
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin
