"""Trace schemas, states and types of a model: what values look like. Knows no statement that makes or reads one."""

from __future__ import annotations

from typing import Any

from spak.errors import Span
from spak.lang import tree
from spak.semantics.outline import Outline
from spak.semantics.program import Case, State
from spak.semantics.reader import NOT_LITERAL
from spak.semantics.suggest import near
from spak.semantics.types import ANY, Type, mismatch
from spak.semantics.values import constant
from spak.semantics.world import World

#: Values that a state of a type has before anything is assigned.
EMPTY: dict[str, Any] = {"string": "", "int": 0, "float": 0.0, "number": 0, "boolean": False, "list": [], "map": {}}


def read_types(outline: Outline, world: World) -> None:
    """Declare every type and case, then resolve them all."""
    for declared in outline.of("type", "struct", "enum"):
        world.types.declare(declared.block)
    blocks: dict[str, tree.Block] = {}
    for declared in outline.of("trace_schema"):
        gather_cases(declared.block, blocks, world)
    shorts = [name.rpartition(".")[2] for name in blocks]
    for name, block in blocks.items():
        fields = world.types.fields(_items(block), f"case {block.name}")
        type = Type("case", name, (), fields)
        world.cases[name] = Case(name, type, span=block.span)
        world.types.cases[name] = type
        if shorts.count(short := name.rpartition(".")[2]) == 1 and short not in world.types.blocks:
            world.types.cases[short] = type
    world.types.finish()


def gather_cases(schema: tree.Block, blocks: dict[str, tree.Block], world: World) -> None:
    """`trace_schema { variant V { case C { field: type } } }`."""
    if not _items(schema):
        world.found.add(
            "SPK206",
            "this trace_schema has no case",
            schema.span,
            "write `variant TraceItem { case Performance { tflops: float } }`",
        )
    for variant in _items(schema):
        if not isinstance(variant, tree.Block) or variant.kind != "variant" or not variant.name:
            kind = getattr(variant, "kind", "") or getattr(variant, "key", "")
            hint = (
                "put it into `variant TraceItem { ... }`"
                if kind == "case"
                else near(kind, ["variant"]) or "write `variant Name { case C { ... } }`"
            )
            world.found.add("SPK201", f"a trace_schema has no {kind!r}", variant.span, hint)
            continue
        for case in _items(variant):
            if not isinstance(case, tree.Block) or case.kind != "case" or not case.name:
                kind = getattr(case, "kind", "") or getattr(case, "key", "")
                hint = near(kind, ["case"]) or "write `case Performance { tflops: float }`"
                world.found.add("SPK201", f"variant {variant.name} has no {kind!r}", case.span, hint)
                continue
            name = f"{variant.name}.{case.name}"
            if name in blocks:
                hint = f"the first is at {blocks[name].name_span}"
                world.found.add("SPK222", f"the case {name!r} is named twice", case.name_span, hint)
                continue
            blocks[name] = case


def read_states(outline: Outline, world: World) -> None:
    """`state s: type = value`, `state s: "value"`, `state s = value`, or `state Group { s: type = value }`."""
    places: dict[str, Span] = {}
    for declared in outline.of("state"):
        block = declared.block
        if isinstance(block.body, tuple):
            for item in block.body:
                inner = as_block(item)
                if inner is None:
                    world.found.add(
                        "SPK241", "a state holds `name: type` lines", item.span, "for example `best: float = 0`"
                    )
                else:
                    read_state(inner.kind, inner, world, places)
        elif not block.name:
            world.found.add("SPK206", "a state needs a name", block.span, "write `state best: float = 0`")
        else:
            read_state(block.name, block, world, places)


def as_block(item: tree.Item) -> tree.Block | None:
    """One line of a group as a declaration."""
    if isinstance(item, tree.Attr):
        if item.op == "=":
            return tree.Block(item.key, default=item.value, span=item.span, name_span=item.key_span)
        return tree.Block(item.key, annotation=item.value, span=item.span, name_span=item.key_span)
    return item if isinstance(item, tree.Block) and item.name is None else None


def read_state(name: str, block: tree.Block, world: World, places: dict[str, Span]) -> None:
    span = block.name_span if block.name_span.line else block.span
    if not world.declare("the state", name, span, places):
        return
    value, type = block.default, ANY
    if isinstance(block.annotation, tree.Str | tree.Num | tree.MapLit) and value is None:
        value = block.annotation  # `state current: "plain"`: the type is that of the value
        type = family_type(value)
    elif block.annotation is not None:
        type = world.types.read(block.annotation)
    elif value is not None:
        type = family_type(value)
    default = EMPTY.get(type.kind)
    if value is not None:
        default = constant(value)
        if isinstance(value, tree.Name) and value.id == "null":
            default = None
        elif default is NOT_LITERAL:
            world.found.add(
                "SPK205",
                f"the state {name!r} must begin with a literal",
                value.span,
                "assign what is computed in a step",
            )
            default = None
        elif why := mismatch(type, default, f"the state {name}"):
            world.found.add("SPK238", why, value.span, "give a value of the declared type")
    world.states[name] = State(name, type, default, span=block.span)


def family_type(value: tree.Value) -> Type:
    """The type of a state that is declared by its first value alone."""
    if isinstance(value, tree.Str):
        return Type("string")
    if isinstance(value, tree.Num):
        return Type("boolean" if isinstance(value.value, bool) else "number")
    return Type("list") if isinstance(value, tree.ListLit) else Type("map") if isinstance(value, tree.MapLit) else ANY


def _items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()
