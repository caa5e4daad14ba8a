"""Design and tuning spaces, and invariants. Knows what they may say, not how a sweep or a check uses it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spak.errors import Collector, Span
from spak.lang import tree
from spak.lang.expr import FUNCTIONS, print_expr
from spak.model.ir import Choice, Invariant, TuningSpace
from spak.model.target import Limits
from spak.semantics.markdown import reflow
from spak.semantics.reader import NOT_LITERAL, Scope, literal, read_body, read_expr, read_text
from spak.semantics.suggest import near

MAX_RANGE = 4096  # values of one `range`

#: What a constraint or check may refer to besides the unit's own names: limits of the target, and common constants.
TARGET_NAMES = frozenset(Limits.model_fields) - {"max_block", "max_grid"} | {
    "SM_COUNT",
    "MAX_BW",
    "PEAK_TFLOPS",
    "CACHE_LINE",
    "VECTOR_BYTES",
}
PLAN_NAMES = frozenset({"workspace_bytes", "smem_bytes", "launches"})

#: Metamorphic properties and their arguments: a parameter's name, a number.
PROPERTIES: dict[str, tuple[str, ...]] = {
    "linear": ("param",),
    "homogeneous": ("param",),
    "permutation_equivariant": ("param", "number"),
    "rows_sum_to": ("number",),
    "deterministic": (),
}


def read_design_space(blocks: Sequence[tree.Block], found: Collector, places: dict[str, Span]) -> tuple[Choice, ...]:
    """`design_space { axis: [choices] }`, sorted by axis."""
    choices: dict[str, Choice] = {}
    for attr in _attributes(blocks, "design_space", (), found):
        values = _values(attr, found)
        if attr.key in choices:
            found.add(
                "SPK222", f"the axis {attr.key!r} is named twice", attr.key_span, f"the first is at {places[attr.key]}"
            )
        elif values:
            choices[attr.key] = Choice(name=attr.key, values=values)
            places[attr.key] = attr.key_span
    return tuple(choices[name] for name in sorted(choices))


def read_tuning_space(
    blocks: Sequence[tree.Block], scope: Scope, design: Sequence[Choice], found: Collector, places: dict[str, Span]
) -> TuningSpace:
    """`tuning_space { p: [..] / range [a, b]  constraint: expr }`, parameters sorted by name."""
    parameters: dict[str, Choice] = {}
    conditions: list[tree.Attr] = []
    for attr in _attributes(blocks, "tuning_space", ("constraint",), found):
        if attr.key == "constraint":
            conditions.append(attr)
        elif attr.key in parameters:
            found.add(
                "SPK222",
                f"the parameter {attr.key!r} is named twice",
                attr.key_span,
                f"the first is at {places[attr.key]}",
            )
        elif values := _values(attr, found):
            if not all(isinstance(v, int) and not isinstance(v, bool) for v in values):
                found.add(
                    "SPK215",
                    "tuning parameters are whole numbers",
                    attr.value.span,
                    "named choices belong into design_space",
                )
                continue
            parameters[attr.key] = Choice(name=attr.key, values=values)
            places[attr.key] = attr.key_span
    names = (
        {name: "number" for name in parameters}
        | {choice.name: "" for choice in design}
        | {name: "number" for name in TARGET_NAMES}
    )
    inner = Scope({**scope.kinds, **names}, "parameters and axes")
    constraints = []
    for attr in conditions:
        items = attr.value.items if isinstance(attr.value, tree.ListLit) else (attr.value,)
        exprs = [read_expr(item, inner, "truth", found) for item in items]
        constraints += [print_expr(expr) for expr in exprs if expr is not None]
    return TuningSpace(
        parameters=tuple(parameters[name] for name in sorted(parameters)), constraints=tuple(constraints)
    )


def _attributes(
    blocks: Sequence[tree.Block], where: str, repeatable: tuple[str, ...], found: Collector
) -> list[tree.Attr]:
    attributes = []
    for block in blocks:
        items = block.body if isinstance(block.body, tuple) else ()
        body = read_body(items, where, block.span, (), found, repeatable=repeatable, free=True)
        attributes += [attr for group in body.attributes.values() for attr in group]
    return attributes


def _values(attr: tree.Attr, found: Collector) -> tuple[Any, ...]:
    """`[a, b]`, `range [a, b]`, `range [a, b, step]`, or one value."""
    value = attr.value
    if isinstance(value, tree.Index) and value.target == tree.Name("range"):
        return _range(value, found)
    items = value.items if isinstance(value, tree.ListLit) else (value,)
    values = [literal(item) for item in items]
    bad = [item for item, v in zip(items, values, strict=True) if v is NOT_LITERAL or isinstance(v, list)]
    if bad or not values:
        span = bad[0].span if bad else value.span
        found.add("SPK215", f"{attr.key!r} needs a list of values", span, "write `[32, 64]` or `range [8, 128]`")
        return ()
    for index, v in enumerate(values):
        if any(type(v) is type(w) and v == w for w in values[:index]):
            found.add("SPK215", f"the value {v!r} stands twice", items[index].span, "keep one")
            return ()
    return tuple(values)


def _range(value: tree.Index, found: Collector) -> tuple[int, ...]:
    """All multiples: `range [8, 128]` doubles from 8 to 128, as tile sizes do; a third number is a step instead."""
    bounds = [literal(item) for item in value.items]
    if (
        len(bounds) not in {2, 3}
        or not all(isinstance(b, int) and not isinstance(b, bool) and b > 0 for b in bounds)
        or bounds[0] > bounds[1]
    ):
        found.add(
            "SPK215",
            "a range is two positive whole numbers, the lower first",
            value.span,
            "write `range [8, 128]` or `range [8, 128, 8]`",
        )
        return ()
    low, high = bounds[0], bounds[1]
    if len(bounds) == 3:
        if (high - low) // bounds[2] >= MAX_RANGE:
            found.add("SPK215", f"a range of more than {MAX_RANGE} values", value.span, "use a larger step")
            return ()
        return tuple(range(low, high + 1, bounds[2]))
    values = []
    while low <= high:
        values.append(low)
        low *= 2
    return tuple(values)


def read_invariant(block: tree.Block, scope: Scope, params: Sequence[str], found: Collector) -> Invariant:
    """`invariant I { assert: "..."  check: expr or property  verification: "..." }`."""
    body = read_body(_items(block), f"invariant {block.name}", block.span, INVARIANT_KEYS, found)
    if not block.name:
        found.add("SPK206", "an invariant needs a name", block.span, "write `invariant Name { ... }`")
    words = [read_text(body.value(key), found) for key in ("assert", "constraint", "description")]
    check = body.value("check")
    return Invariant(
        name=block.name or "",
        statement=reflow(" ".join(word for word in words if word)),
        check=_check(check, scope, params, found) if check is not None else "",
        verification=reflow(read_text(body.value("verification"), found)),
    )


INVARIANT_KEYS = ("assert", "constraint", "description", "check", "verification", "source")


def _check(value: tree.Value, scope: Scope, params: Sequence[str], found: Collector) -> str:
    """An executable check: a metamorphic property, or a bound on what a plan declares."""
    if isinstance(value, tree.Call | tree.Name):
        name, args = (value.fn, value.args) if isinstance(value, tree.Call) else (value.id, ())
        if name in PROPERTIES:
            return _property(value, name, args, params, found)
        if isinstance(value, tree.Call) and name not in FUNCTIONS:
            found.add("SPK216", f"there is no property {name!r}", value.span, near(name, PROPERTIES, "properties"))
            return ""
    kinds = {name: "number" for name in PLAN_NAMES | TARGET_NAMES}
    expr = read_expr(value, Scope({**scope.kinds, **kinds}, "a check may use"), "truth", found)
    return print_expr(expr) if expr is not None else ""


def _property(
    value: tree.Value, name: str, args: tuple[tree.Value, ...], params: Sequence[str], found: Collector
) -> str:
    wanted = PROPERTIES[name]
    if len(args) != len(wanted):
        found.add(
            "SPK216", f"{name} takes {len(wanted)} arguments, not {len(args)}", value.span, f"write `{_usage(name)}`"
        )
        return ""
    texts = []
    for kind, arg in zip(wanted, args, strict=True):
        number = literal(arg)
        if kind == "param" and (not isinstance(arg, tree.Name) or arg.id not in params):
            word = arg.id if isinstance(arg, tree.Name) else ""
            found.add(
                "SPK216", f"{name} takes the name of a parameter here", arg.span, near(word, params, "parameters")
            )
        elif kind == "number" and (isinstance(number, bool) or not isinstance(number, int | float)):
            found.add("SPK216", f"{name} takes a number here", arg.span, f"write `{_usage(name)}`")
        else:
            texts.append(arg.id if isinstance(arg, tree.Name) else repr(number))
    return f"{name}({', '.join(texts)})" if wanted else name


def _usage(name: str) -> str:
    wanted = PROPERTIES[name]
    return f"{name}({', '.join('x' if kind == 'param' else '0' for kind in wanted)})" if wanted else name


def _items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()
