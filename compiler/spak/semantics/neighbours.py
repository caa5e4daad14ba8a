"""Kernel units that a program names: their variants and spaces, as far as names and values can be checked. Builds nothing.

Only what lies in the project's `specs/` is known; a text without a project is taken at its word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.document import read_document
from spak.semantics.ranges import read_values
from spak.semantics.reader import literal
from spak.semantics.suggest import near


@dataclass(frozen=True)
class Neighbour:
    """What is known of a unit. `readable` is False where its own file is wrong, which is said elsewhere."""

    variants: tuple[str, ...] = ()
    parameters: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    readable: bool = True


class Neighbours:
    """Reads each unit once."""

    def __init__(self, root: Path | None, found: Collector) -> None:
        self.root = root
        self.found = found
        self.read: dict[str, Neighbour | None] = {}
        self.looked: set[str] = set()  # files and folders that the answers depend on, whether or not they are there

    def check(self, unit: tree.Value | None, variant: tree.Value | None, target: tree.Value | None) -> Neighbour | None:
        """Check the names of a unit, of its variant and of a target, where they are literal. None for an unknown unit."""
        name, wanted, place = word(unit), word(variant), word(target)
        targets = self.names("targets", ".toml")
        if target is not None and place and targets and place not in targets:
            self.found.add("SPK240", f"there is no target {place!r}", target.span, near(place, targets, "targets"))
        if unit is None or not name:
            return None
        known = self.of(name)
        if known is None:
            units = [one for one in self.units() if self.of(one) is not None]
            if units:
                self.found.add("SPK240", f"there is no kernel {name!r}", unit.span, near(name, units, "kernels"))
            return None
        if variant is not None and wanted and known.readable and wanted not in known.variants:
            hint = near(wanted, known.variants, "variants")
            self.found.add("SPK240", f"{name} has no variant {wanted!r}", variant.span, hint)
        return known

    def names(self, folder: str, suffix: str) -> list[str]:
        return sorted(p.stem for p in (self.root / folder).glob(f"*{suffix}")) if self.root is not None else []

    def units(self) -> list[str]:
        """Folders of `specs/` with a spec."""
        if self.root is None:
            return []
        return sorted(p.name for p in (self.root / "specs").glob("*") if self.spec(p.name) is not None)

    def spec(self, unit: str) -> Path | None:
        names = [f"specs/{unit}/SPEC.{unit}.md", f"specs/{unit}/{unit}.dsl"]
        self.looked |= {"specs", *names}
        return next((p for name in names if (p := (self.root or Path()) / name).is_file()), None)

    def of(self, unit: str) -> Neighbour | None:
        """A unit; None where no kernel has that name."""
        if unit not in self.read:
            self.read[unit] = self.load(unit)
        return self.read[unit]

    def load(self, unit: str) -> Neighbour | None:
        path = self.spec(unit)
        if path is None or self.root is None:
            return None
        aside = Collector()
        document = read_document(self.root, path.relative_to(self.root).as_posix(), aside)
        blocks = [one for one in (document.items if document else ()) if isinstance(one, tree.Block)]
        kernel = next((one for one in blocks if one.kind == "kernel"), None)
        if kernel is None or aside.errors:
            return Neighbour(readable=False) if aside.errors else None
        inner = [one for one in _items(kernel) if isinstance(one, tree.Block)]
        parameters = {
            item.key: read_values(item.value, item.key, aside)
            for block in (*blocks, *inner)
            if block.kind == "tuning_space"
            for item in _items(block)
            if isinstance(item, tree.Attr) and item.key != "constraint"
        }
        return Neighbour(tuple(one.name or "" for one in inner if one.kind == "variant"), parameters, not aside.errors)


def outside(
    unit: str, known: Neighbour | None, name: str, values: Iterable[tuple[Any, tree.Value]], found: Collector
) -> None:
    """Report values of a parameter that a unit's tuning space does not have, and a parameter that is nearly one of its."""
    if known is None or not known.readable or not known.parameters:
        return
    space = known.parameters.get(name)
    for value, written in values:
        if space is None:
            hint = near(name, known.parameters)
            if hint.startswith("did you mean"):
                found.add("SPK236", f"{unit} has no tuning parameter {name!r}", written.span, hint)
            return
        if value not in space:
            shown = ", ".join(map(str, space[:12])) + (", ..." if len(space) > 12 else "")
            found.add(
                "SPK236",
                f"{name} = {value} lies outside the tuning space of {unit}",
                written.span,
                f"{name} may be: {shown}",
            )


def word(value: tree.Value | None) -> str:
    """A name that is written down, '' for one that is only known when the program runs."""
    name = literal(value) if value is not None else ""
    return name if isinstance(name, str) and "{{" not in name else ""


def _items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()
