"""All diagnostics of a project's inputs, or of some of them, at once. Knows where inputs lie, not their use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError, Span
from spak.model.ir import Unit
from spak.parse.load import DOMAINS, load_unit, spec_files
from spak.parse.programs import program_file
from spak.parse.targets import load_target
from spak.semantics.document import read_document
from spak.semantics.resolve import load_program
from spak.semantics.suggest import near


def check_project(root: Path) -> list[Diagnostic]:
    """Every unit of `specs/`, every domain and every target."""
    folders = sorted(p for p in (root / "specs").glob("*") if p.is_dir() and p != root / DOMAINS and any(p.iterdir()))
    files = [p.relative_to(root).as_posix() for p in folders]
    files += sorted(
        p.relative_to(root).as_posix() for pattern in (f"{DOMAINS}/*.dsl", "targets/*.toml") for p in root.glob(pattern)
    )
    return check_files(root, files)


def check_files(root: Path, files: Iterable[str]) -> list[Diagnostic]:
    """Diagnostics of specs, folders of units, tests files, domains and targets, each once and in order of place."""
    found: dict[str, Diagnostic] = {}
    units: list[tuple[str, Unit]] = []
    for file in dict.fromkeys(subject(root, file) for file in files):
        for diagnostic in _check(root, file, units):
            key = diagnostic.message if diagnostic.code == "SPK209" else str(diagnostic)
            found.setdefault(key, diagnostic)
    for diagnostic in [*named_twice(root), *unknown_targets(root, units)]:
        found.setdefault(str(diagnostic), diagnostic)
    return sorted(found.values(), key=lambda d: (d.span or Span(""), d.code))


def subject(root: Path, file: str) -> str:
    """What to check for a file: the unit that it is part of, or the file itself."""
    path = root / file
    folder = path.parent.relative_to(root).as_posix() if path.is_file() else ""
    is_part = path.suffix in {".md", ".dsl", ".yaml", ".py"} and folder.startswith("specs/") and folder != DOMAINS
    return folder if is_part and spec_files(root, folder) else file


def _check(root: Path, file: str, units: list[tuple[str, Unit]]) -> list[Diagnostic]:
    try:
        if (root / file).is_dir():
            if program := program_file(root, file):
                return check_text(root, program)
            loaded = load_unit(root, file)
            units.append((spec_files(root, file)[0], loaded.unit))
            return list(loaded.diagnostics)
        if file.endswith(".toml"):
            load_target(root / file, file)
            return []
    except SpakError as error:
        return list(error.diagnostics)
    return check_text(root, file)


def check_text(root: Path, file: str) -> list[Diagnostic]:
    """A file of the language that is no unit: a domain, a task, a system."""
    found = Collector()
    load_program(root, file, found)
    return list(dict.fromkeys(found.found))


def named_twice(root: Path) -> Iterator[Diagnostic]:
    """Two folders whose specs claim one name: both places."""
    first: dict[str, Span] = {}
    for folder in sorted(p for p in (root / "specs").glob("*") if p.is_dir() and p != root / DOMAINS):
        for file in spec_files(root, folder.relative_to(root).as_posix())[:1]:
            document = read_document(root, file, Collector())
            name = document.meta.get("name") if document is not None else None
            if document is None or name is None or not isinstance(name.value, str):
                continue
            span = document.meta_keys["name"]
            if name.value in first:
                yield Diagnostic(
                    "SPK208", f"the unit {name.value!r} is named twice", span, f"the first is at {first[name.value]}"
                )
            first.setdefault(name.value, span)


def unknown_targets(root: Path, units: Iterable[tuple[str, Unit]]) -> Iterator[Diagnostic]:
    """Targets that a unit or variant names, but that the project has not."""
    present = sorted(p.stem for p in (root / "targets").glob("*.toml"))
    for file, unit in units:
        for name in sorted({*unit.targets, *(t for variant in unit.variants for t in variant.targets)} - set(present)):
            yield Diagnostic("SPK204", f"there is no target {name!r}", Span(file, 1, 1), near(name, present, "targets"))
