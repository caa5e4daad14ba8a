"""Deliverables: the files that a program makes of its traces. Knows how they are declared, not how they are made."""

from __future__ import annotations

from spak.errors import Collector
from spak.lang import tree
from spak.semantics.operands_of import Operands
from spak.semantics.outline import NOTES, Outline, words
from spak.semantics.program import Deliverable, Operand
from spak.semantics.reader import unknown
from spak.semantics.scope import Scope
from spak.semantics.suggest import near
from spak.semantics.world import World

KEYS = ("generator", "input", *sorted(NOTES))
INPUTS = ("trace.all", "metrics", "facts")


def read_deliverables(outline: Outline, world: World) -> tuple[Deliverable, ...]:
    """Every `artifact "file" { ... }` of the program's own `build` blocks."""
    made: dict[str, Deliverable] = {}
    for block in artifacts(outline, world.found):
        if not block.name:
            world.found.add("SPK206", "an artifact needs a file", block.span, 'write `artifact "report.md" { ... }`')
            continue
        if block.name.startswith("/") or ".." in block.name.split("/"):
            world.found.add(
                "SPK205", f"{block.name!r} lies outside the project", block.name_span, "write a path below it"
            )
        if block.name in made:
            hint = f"the first is at {made[block.name].span}"
            world.found.add("SPK222", f"the artifact {block.name!r} is named twice", block.name_span, hint)
            continue
        made[block.name] = read_deliverable(block, world)
    return tuple(made.values())


def artifacts(outline: Outline, found: Collector) -> list[tree.Block]:
    blocks = [declared.block for declared in outline.of("artifact") if declared.own]
    for declared in outline.of("build"):
        for item in declared.block.body if declared.own and isinstance(declared.block.body, tuple) else ():
            if isinstance(item, tree.Block) and item.kind == "artifact":
                blocks.append(item)
            else:
                unknown(item, "build", ["artifact"], found)
    return blocks


def read_deliverable(block: tree.Block, world: World) -> Deliverable:
    found = world.found
    generator: Operand | None = None
    builtin, source = "", "trace.all"
    for item in block.body if isinstance(block.body, tuple) else ():
        key = item.key if isinstance(item, tree.Attr) else ""
        if not isinstance(item, tree.Attr) or key not in KEYS:
            unknown(item, "an artifact", KEYS, found)
        elif key == "generator" and isinstance(item.value, tree.Name):
            builtin = item.value.id
        elif key == "generator":
            read = Operands(Scope(world)).read(item.value)
            generator = read[0] if read else None
        elif key == "input":
            source = read_input(item.value, world)
    return Deliverable(block.name or "", generator, builtin, source, span=block.span)


def read_input(value: tree.Value, world: World) -> str:
    """`trace.all`, `trace.Case`, `metrics`, `facts`, or a path in quotes."""
    if isinstance(value, tree.Str):
        return value.value
    name = words(value)
    case = name.removeprefix("trace.")
    if name in INPUTS or case in world.cases or world.short(case) is not None:
        return name
    known = [*INPUTS, *(f"trace.{case}" for case in world.cases)]
    world.found.add("SPK240", f"there is no input {name!r}", value.span, near(name, known, "inputs"))
    return ""
