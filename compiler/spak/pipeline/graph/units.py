"""The units of a project, as their specs say; what was read once is not parsed again. Knows nothing of actions.

`.spak/parsed/<unit>.json` remembers a parsed unit with the digests of the files it was made of and of the code that made it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Diagnostic, SpakError
from spak.model.ir import Unit
from spak.pipeline.graph.stages import code_digest, code_files
from spak.store import atomic
from spak.store.digests import Digests


@dataclass(frozen=True)
class Found:
    """A folder of `specs/`. `unit` is None where the spec cannot be read; `diagnostics` then say why."""

    name: str
    folder: str
    files: tuple[str, ...]
    unit: Unit | None
    diagnostics: tuple[Diagnostic, ...] = ()


def find_units(root: Path, digests: Digests) -> tuple[Found, ...]:
    """Every unit of `specs/`, by name. `specs/domains` holds knowledge, and a program has nothing to build."""
    from spak.parse.programs import program_file

    code = code_digest(code_files("parse", digests))
    paths = sorted(p for p in (root / "specs").glob("*") if p.is_dir() and p.name != "domains" and any(p.iterdir()))
    folders = [path.relative_to(root).as_posix() for path in paths]
    return tuple(read_unit(root, folder, code, digests) for folder in folders if not program_file(root, folder))


def read_unit(root: Path, folder: str, code: str, digests: Digests) -> Found:
    """One unit, from memory if nothing that it is made of has changed."""
    name = Path(folder).name
    own = tuple(sorted(p.relative_to(root).as_posix() for p in (root / folder).iterdir() if p.is_file()))
    memory = root / ".spak" / "parsed" / f"{name}.json"
    remembered = recall(memory, own, code, digests)
    if remembered is not None:
        return Found(name, folder, remembered[0], remembered[1])
    from spak.parse.load import load_unit

    try:
        loaded = load_unit(root, folder)
    except SpakError as error:
        return Found(name, folder, own, None, error.diagnostics)
    files = tuple(sorted({*own, *loaded.files}))
    record = {
        "code": code,
        "own": own,
        "files": {f: digests.of(f) for f in files},
        "unit": loaded.unit.model_dump(mode="json"),
    }
    memory.parent.mkdir(parents=True, exist_ok=True)
    atomic.write(memory, json.dumps(record, sort_keys=True).encode())
    return Found(name, folder, files, loaded.unit)


def recall(memory: Path, own: tuple[str, ...], code: str, digests: Digests) -> tuple[tuple[str, ...], Unit] | None:
    """What was remembered, if it still holds."""
    try:
        record = json.loads(memory.read_bytes())
        same = record["code"] == code and tuple(record["own"]) == own
        if same and all(digests.of(f) == digest for f, digest in record["files"].items()):
            return tuple(record["files"]), Unit.model_validate(record["unit"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None
