"""Invariants of a program: what must hold, and whether it can be checked. Kernels' own forms are read with the kernel."""

from __future__ import annotations

from spak.errors import SpakError
from spak.lang import tree
from spak.lang.expr import Expr, Name, as_expr, parse_expr
from spak.semantics.infer import family, infer
from spak.semantics.operands_of import moved
from spak.semantics.outline import Declared, words
from spak.semantics.program import Invariant
from spak.semantics.reader import inside, twice, unknown
from spak.semantics.scope import Scope
from spak.semantics.spaces import PLAN_NAMES, PROPERTIES
from spak.semantics.types import ANY, BOOLEAN, NUMBER, Type
from spak.semantics.world import World

STATEMENT = ("assert", "constraint", "description", "statement", "rule")
KEYS = (*STATEMENT, "check", "verification", "source", "reason", "scope", "severity")


def read_law(declared: Declared, world: World, scope: Scope) -> Invariant:
    """`invariant I { assert: "..." check: expr verification: "..." }`, or `invariant I: "..."`."""
    block, found = declared.block, world.found
    said: list[str] = []
    check: Expr | None = None
    verification = ""
    if isinstance(block.annotation, tree.Binary | tree.Call):  # `invariant I: x > 0`
        check = read_check(block.annotation, world, scope)
        said.append(words(block.annotation))
    elif block.annotation is not None:
        said.append(words(block.annotation))
    given: dict[str, tree.Attr] = {}
    for item in block.body if isinstance(block.body, tuple) else ():
        if not isinstance(item, tree.Attr) or item.key not in KEYS:
            unknown(item, f"invariant {block.name}", KEYS, found)
            continue
        if item.key in given and item.key not in STATEMENT:
            twice(item.key, item.key_span, given[item.key].key_span, found)
            continue
        given.setdefault(item.key, item)
        if item.key in STATEMENT:
            said += [
                words(one) for one in (item.value.items if isinstance(item.value, tree.ListLit) else (item.value,))
            ]
        elif item.key == "verification":
            verification = words(item.value)
        elif item.key == "check":
            check = read_check(item.value, world, scope)
    name = block.name or (said[0] if said else "")
    if not said and check is None and "check" not in given:
        found.add(
            "SPK206",
            f"invariant {name!r} says nothing",
            block.span,
            'write `assert: "what holds"` or `check: condition`',
        )
    return Invariant(name, " ".join(said), check, verification, declared.domain, span=block.span)


def read_check(value: tree.Value, world: World, scope: Scope) -> Expr | None:
    """A condition over traces, states, metrics, facts and constants. A kernel's property is the kernel's to check."""
    called = value.fn if isinstance(value, tree.Call) else value.id if isinstance(value, tree.Name) else ""
    if called in PROPERTIES:
        return None
    found = world.found
    before = len(found.errors)
    expr: tree.Value | None = value
    if isinstance(value, tree.Str):
        try:
            expr = moved(parse_expr(value.value, inside(value), statements=True), value)
        except SpakError as error:
            found.found.extend(error.diagnostics)
            return None
    made = as_expr(expr, found, statements=True) if expr is not None else None
    if made is None:
        return None
    type = infer(made, lambda name: type_of(name, world, scope), found)
    if family(type) not in {"boolean", ""}:
        found.add("SPK247", "a check is a condition", value.span, "compare it with something, as in `best >= 1`")
    return made if len(found.errors) == before else None


def type_of(name: Name, world: World, scope: Scope) -> Type:
    if name.id in world.facts:
        return BOOLEAN
    if world.constant(name.id) or name.id in PLAN_NAMES:
        return NUMBER
    root = name.id.partition(".")[0]
    if root == "metrics":
        return ANY
    if world.knowledge_only and (root in {"trace", "fact"} or not world.states):
        return ANY  # nothing here has traces; whoever uses this is checked with its own
    return scope.type_of(name)
