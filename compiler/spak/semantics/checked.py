"""What a check of one unit, program, domain or target found, and what is compared across them. Knows no cache and no reading.

It is imported by every `spak check`, so nothing heavy is: what reads files is imported where it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spak.errors import Collector, Diagnostic, Span
from spak.semantics.suggest import near

DOMAINS = "specs/domains"


@dataclass(frozen=True)
class Checked:
    """`files` is everything that was read; `spec`, `name` and `span` say what a unit is called and where; `targets` those
    that it names.
    """

    found: tuple[Diagnostic, ...] = ()
    files: tuple[str, ...] = ()
    spec: str = ""
    name: str = ""
    span: Span | None = None
    targets: tuple[str, ...] = ()


def everything(root: Path) -> list[str]:
    """Every unit and program of `specs/`, every domain and every target."""
    folders = [name for name in _names(root / "specs") if (root / "specs" / name).is_dir() and name != "domains"]
    found: list[str] = []
    for name in folders:
        names = _names(root / "specs" / name)
        found += [f"specs/{name}"] if names else []
        found += [f"specs/{name}/{other}" for other in _specs(names)[1:]]
    found += [f"{DOMAINS}/{name}" for name in _names(root / DOMAINS) if name.endswith(".dsl")]
    return [*found, *(f"targets/{name}" for name in _names(root / "targets") if name.endswith(".toml"))]


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 a thousand folders are looked at
    except OSError:
        return []


def _specs(names: Iterable[str]) -> list[str]:
    """The spec files among names: `SPEC.*.md` and `*.dsl`."""
    return sorted(n for n in names if n.endswith(".dsl") or (n.startswith("SPEC.") and n.endswith(".md")))


def subject(root: Path, file: str) -> str:
    """What to check for a file: the unit that it is part of, or the file itself."""
    folder, _, name = file.rpartition("/")
    is_part = name.endswith((".md", ".dsl", ".yaml", ".py")) and folder.startswith("specs/") and folder != DOMAINS
    if not is_part or not (root / file).is_file():
        return file
    specs = _specs(_names(root / folder))
    return folder if specs and (name == specs[0] or name not in specs) else file


def check_all(root: Path, subjects: Iterable[str], one: Callable[[str], Checked]) -> list[Diagnostic]:
    """All diagnostics of some subjects, each once and in order of place; `one` checks a subject."""
    found: dict[str, Diagnostic] = {}
    checked = {file: one(file) for file in dict.fromkeys(subjects)}
    for part in checked.values():
        for diagnostic in part.found:
            key = diagnostic.message if diagnostic.code == "SPK209" else str(diagnostic)
            found.setdefault(key, diagnostic)
    for diagnostic in [*named_twice(root, checked), *unknown_targets(root, checked.values())]:
        found.setdefault(str(diagnostic), diagnostic)
    return sorted(found.values(), key=lambda d: (d.span or Span(""), d.code))


def named(root: Path, file: str) -> tuple[str, str, Span | None]:
    """The name that a spec's front matter gives it, and where; '' where it gives none."""
    from spak.lang.source import read_source
    from spak.lang.syntax import split_front
    from spak.semantics.yamlfile import read_yaml

    source = read_source(root, file, Collector())
    front = split_front(source.text)[0] if source is not None else ""
    meta = read_yaml(front, file, Collector(), first_line=2) if front else None
    name = meta.value.get("name") if meta is not None and isinstance(meta.value, dict) else None
    if meta is None or name is None or not isinstance(name.value, str):
        return file, "", None
    return file, name.value, meta.keys["name"]


def named_twice(root: Path, checked: Mapping[str, Checked]) -> Iterator[Diagnostic]:
    """Two folders whose specs claim one name: both places."""
    first: dict[str, Span] = {}
    for path in (root / "specs" / n for n in _names(root / "specs") if n != "domains"):
        folder = path.relative_to(root).as_posix()
        known = checked.get(folder)
        if known is not None:
            name, span = known.name, known.span
        else:
            specs = _specs(_names(path))
            _, name, span = named(root, f"{folder}/{specs[0]}") if specs else ("", "", None)
        if span is None:
            continue
        if name in first:
            yield Diagnostic("SPK208", f"the unit {name!r} is named twice", span, f"the first is at {first[name]}")
        first.setdefault(name, span)


def unknown_targets(root: Path, checked: Iterable[Checked]) -> Iterator[Diagnostic]:
    """Targets that a unit or variant names, but that the project has not."""
    present = sorted(p.stem for p in (root / "targets").glob("*.toml"))
    for one in checked:
        for name in sorted(set(one.targets) - set(present)):
            yield Diagnostic(
                "SPK204", f"there is no target {name!r}", Span(one.spec, 1, 1), near(name, present, "targets")
            )
