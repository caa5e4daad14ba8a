"""Everything that is wrong in one unit, program, domain or target, or in all of a project. Knows how each is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from spak.errors import Collector, Diagnostic, SpakError
from spak.parse.load import DOMAINS, load_unit, spec_files
from spak.parse.programs import program_file
from spak.parse.targets import load_target
from spak.semantics.checked import Checked, check_all, everything, named, subject
from spak.semantics.resolve import load_program


def check_project(root: Path) -> list[Diagnostic]:
    """Every unit and program of `specs/`, every domain and every target."""
    return check_files(root, everything(root))


def check_files(root: Path, files: Iterable[str]) -> list[Diagnostic]:
    """Diagnostics of specs, folders of units, tests files, domains and targets, each once and in order of place."""
    return check_all(root, (subject(root, file) for file in files), lambda file: check_one(root, file))


def check_one(root: Path, file: str) -> Checked:
    """Check one unit, program, domain or target."""
    try:
        if (root / file).is_dir():
            specs = spec_files(root, file)
            spec, name, span = named(root, specs[0]) if specs else ("", "", None)
            if program_file(root, file):
                return replace(check_text(root, specs[0]), spec=spec, name=name, span=span)
            own = Checked(spec=spec, name=name, span=span, files=_below(root, file))
            beside: set[str] = set()
            try:
                loaded = load_unit(root, file, beside=beside)
            except SpakError as error:  # what it takes in is not known: any domain may be part of it
                domains = [path.relative_to(root).as_posix() for path in (root / DOMAINS).glob("*.dsl")]
                return replace(own, found=error.diagnostics, files=tuple(sorted({*own.files, *domains, *beside})))
            targets = {*loaded.unit.targets, *(t for variant in loaded.unit.variants for t in variant.targets)}
            read = tuple(sorted({*own.files, *loaded.files, *beside}))
            return replace(own, found=loaded.diagnostics, files=read, targets=tuple(sorted(targets)))
        if file.endswith(".toml"):
            load_target(root / file, file)
            return Checked(files=(file,))
    except SpakError as error:
        return Checked(found=error.diagnostics, files=(file,))
    return check_text(root, file)


def check_text(root: Path, file: str) -> Checked:
    """A file of the language that is no unit: a domain, a task, a system."""
    found = Collector()
    beside: set[str] = set()
    program = load_program(root, file, found, beside)
    return Checked(found=tuple(dict.fromkeys(found.found)), files=tuple(sorted({file, *program.files, *beside})))


def _below(root: Path, folder: str) -> tuple[str, ...]:
    return tuple(sorted(f"{folder}/{path.name}" for path in (root / folder).iterdir() if path.is_file()))
