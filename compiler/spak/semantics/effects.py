"""Effects and components: operations by name, with their types. Knows interfaces, not who performs an operation."""

from __future__ import annotations

from spak.lang import tree
from spak.semantics.outline import NOTES, Declared, words
from spak.semantics.params import read_params
from spak.semantics.program import Component, Effect, Operation, State
from spak.semantics.reader import unknown
from spak.semantics.schema import as_block
from spak.semantics.suggest import near
from spak.semantics.toolbox import TOOLS
from spak.semantics.types import Type
from spak.semantics.world import World

COMPONENT = ("description", "state", "function", "invariant", "workflow", "struct", "type")


def read_effect(declared: Declared, world: World) -> Effect:
    """`effect E { operation op(a: T) -> U; }`."""
    block = declared.block
    operations: dict[str, Operation] = {}
    binds: dict[str, str] = {}
    description = ""
    for item in block.body if isinstance(block.body, tuple) else ():
        if isinstance(item, tree.Attr) and item.key in NOTES:
            description = words(item.value) if item.key == "description" else description
        elif isinstance(item, tree.Block) and item.kind == "operation" and item.name:
            operation = read_operation(item, world)
            if operation.name in operations:
                hint = f"the first is at {operations[operation.name].span}"
                world.found.add("SPK222", f"the operation {operation.name!r} is named twice", item.name_span, hint)
            operations.setdefault(operation.name, operation)
            tool = bound(item, operation, world)
            binds |= {operation.name: tool} if tool else {}
        else:
            unknown(item, f"effect {block.name}", ("operation", "description"), world.found)
    if not operations:
        hint = "write `operation read(path: String) -> String`"
        world.found.add("SPK206", f"effect {block.name!r} has no operation", block.span, hint)
    return Effect(block.name or "", operations, description, binds, span=block.span)


def read_operation(block: tree.Block, world: World) -> Operation:
    """A header: parameters and result."""
    result = world.types.read(block.result) if block.result is not None else Type("unit")
    return Operation(block.name or "", read_params(block.params, world.types, world.found), result, span=block.span)


def bound(block: tree.Block, operation: Operation, world: World) -> str:
    """The tool that performs an operation: its parameters are the tool's arguments."""
    tool = ""
    for item in block.body if isinstance(block.body, tuple) else ():
        if isinstance(item, tree.Attr) and item.key == "tool":
            tool = words(item.value).removeprefix("tool.")
            if tool not in TOOLS:
                world.found.add("SPK230", f"there is no tool {tool!r}", item.value.span, near(tool, TOOLS, "tools"))
                return ""
            unfit = [param for param in operation.params if param.name not in TOOLS[tool].args]
            for param in unfit:
                hint = near(param.name, TOOLS[tool].args, "arguments")
                world.found.add("SPK230", f"tool.{tool} has no argument {param.name!r}", param.span, hint)
        elif not (isinstance(item, tree.Attr) and item.key in NOTES):
            unknown(item, "an operation", ("tool", "description"), world.found)
    return tool


def read_component(declared: Declared, world: World) -> Component:
    """A component's outline. Its workflows are procedures of the program; its module is written elsewhere."""
    block = declared.block
    functions: dict[str, Operation] = {}
    states: list[State] = []
    workflows: list[str] = []
    description = ""
    for item in block.body if isinstance(block.body, tuple) else ():
        kind = item.kind if isinstance(item, tree.Block) else item.key if isinstance(item, tree.Attr) else ""
        if kind in NOTES:
            description = words(item.value) if isinstance(item, tree.Attr) and kind == "description" else description
        elif isinstance(item, tree.Block) and kind == "function" and item.name:
            function = read_operation(item, world)
            if function.name in functions:
                hint = f"the first is at {functions[function.name].span}"
                world.found.add("SPK222", f"the function {function.name!r} is named twice", item.name_span, hint)
            functions.setdefault(function.name, function)
        elif isinstance(item, tree.Block) and kind == "state":
            states += read_component_state(item, world)
        elif isinstance(item, tree.Block) and kind == "workflow":
            workflows.append(item.name or "")
        elif kind not in COMPONENT:
            unknown(item, f"component {block.name}", COMPONENT, world.found)
    return Component(
        block.name or "", description, tuple(functions.values()), tuple(states), tuple(workflows), span=block.span
    )


def read_component_state(block: tree.Block, world: World) -> list[State]:
    """`state Name { field: type }`, or one `state name: type`."""
    if not isinstance(block.body, tuple):
        type = world.types.read(block.annotation) if block.annotation is not None else Type("any")
        return [State(block.name or "", type, span=block.span)]
    states = []
    for item in block.body:
        inner = as_block(item)
        if inner is None:
            world.found.add(
                "SPK241", "a state holds `name: type` lines", item.span, "for example `queue: List[String]`"
            )
            continue
        type = world.types.read(inner.annotation) if inner.annotation is not None else Type("any")
        states.append(State(inner.kind, type, span=item.span))
    return states
