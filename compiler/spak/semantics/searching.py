"""Spaces of a search: parameters and choices with their values, and constraints. Knows values, not strategies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from spak.errors import SpakError
from spak.lang import tree
from spak.lang.expr import UNKNOWN, Expr, Name, as_expr, evaluate, names, parse_expr
from spak.semantics.infer import family, infer
from spak.semantics.operands_of import moved
from spak.semantics.outline import Outline
from spak.semantics.program import Parameter
from spak.semantics.ranges import read_values
from spak.semantics.reader import inside
from spak.semantics.suggest import near
from spak.semantics.types import ANY, NUMBER, Type
from spak.semantics.world import World


def read_spaces(outline: Outline, world: World) -> list[Expr]:
    """The program's own `design_space`s and `tuning_space`s; returns the constraints' expressions."""
    for declared in outline.of("design_space"):
        for item in _items(declared.block):
            if isinstance(item, tree.Attr):
                choose(item.key, item.value, world)
            elif isinstance(item, tree.Block) and isinstance(item.body, tuple):  # a group of choices
                for inner in item.body:
                    if isinstance(inner, tree.Attr):
                        choose(f"{item.kind}.{inner.key}", inner.value, world)
    constraints: list[tree.Value] = []
    for declared in outline.of("tuning_space"):
        for item in _items(declared.block):
            parameter = None
            if isinstance(item, tree.Attr) and item.key == "constraint":
                constraints += item.value.items if isinstance(item.value, tree.ListLit) else (item.value,)
            elif isinstance(item, tree.Attr):
                values = read_values(item.value, item.key, world.found)
                parameter = Parameter(item.key, values, span=item.key_span)
            elif (
                isinstance(item, tree.Block) and item.kind == "parameter" and item.name and item.annotation is not None
            ):
                values = read_values(item.annotation, item.name, world.found)
                parameter = Parameter(item.name, values, span=item.span)
            else:
                world.found.add(
                    "SPK215",
                    "a tuning_space holds `name: [values]` lines",
                    item.span,
                    "write `BM: [32, 64]` or `constraint: BM * BN <= 4096`",
                )
            if parameter is not None and parameter.name in world.parameters:
                first = world.parameters[parameter.name].span
                world.found.add(
                    "SPK222",
                    f"the parameter {parameter.name!r} is named twice",
                    parameter.span,
                    f"the first is at {first}",
                )
            elif parameter is not None and parameter.values:
                world.parameters[parameter.name] = parameter
    kinds = {name: space_type(one.values) for name, one in world.parameters.items()}
    kinds |= {name: space_type(values) for name, values in world.choices.items()}
    return [expr for value in constraints if (expr := read_constraint(value, kinds, world)) is not None]


def choose(name: str, value: tree.Value, world: World) -> None:
    """One axis of a design space; a map is a group of further axes."""
    if isinstance(value, tree.MapLit):
        for item in value.items:
            if isinstance(item, tree.Attr):
                choose(f"{name}.{item.key}", item.value, world)
        return
    if name in world.choices:
        world.found.add("SPK222", f"the axis {name!r} is named twice", value.span, "keep one")
        return
    values = read_values(value, name, world.found)
    if values:
        world.choices[name] = values


def space_type(values: Iterable[Any]) -> Type:
    return Type("union", args=tuple(Type("literal", value=value) for value in values))


def read_constraint(value: tree.Value, kinds: Mapping[str, Type], world: World) -> Expr | None:
    """A condition over parameters, choices and the target's constants, bare or in quotes."""
    found = world.found
    before = len(found.errors)
    if isinstance(value, tree.Str):
        try:
            expr: Any = moved(parse_expr(value.value, inside(value)), value)
        except SpakError as error:
            found.found.extend(error.diagnostics)
            return None
    else:
        expr = as_expr(value, found)
    if expr is None:
        return None

    def type_of(name: Name) -> Type:
        if name.id in kinds:
            return Type(
                {"string": "string", "number": "number", "boolean": "boolean"}.get(family(kinds[name.id]), "any")
            )
        if world.constant(name.id):
            return NUMBER
        found.add("SPK204", f"{name.id!r} is not defined here", name.span, near(name.id, kinds, "parameters"))
        return ANY

    made = infer(expr, type_of, found)
    if family(made) not in {"boolean", ""}:
        found.add(
            "SPK235", "a constraint is a condition", value.span, "compare it with something, as in `BM * BN <= 4096`"
        )
    return expr if len(found.errors) == before else None


def empty_space(parameters: Sequence[Parameter], constraints: Sequence[Expr], most: int = 20_000) -> bool:
    """Whether no configuration is left, as far as a bounded search tells. Constraints over constants say nothing here."""
    import itertools

    own = {one.name for one in parameters}
    decidable = [expr for expr in constraints if names(expr) <= own]
    size = 1
    for one in parameters:
        size *= max(len(one.values), 1)
    if size > most or not decidable:
        return False
    order = [one.name for one in parameters]
    for values in itertools.product(*(one.values for one in parameters)):
        env = dict(zip(order, values, strict=True))
        if all(evaluate(expr, env) in {True, UNKNOWN} for expr in decidable):
            return False
    return True


def _items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()
