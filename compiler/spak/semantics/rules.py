"""Rules and hints: conditions over facts, what they say to do, what they recommend. Knows facts by name, not their values."""

from __future__ import annotations

import re
from typing import Any

from spak.errors import Collector, SpakError, Span
from spak.lang import tree
from spak.lang.expr import Binary, Expr, Name, as_expr, names, parse_expr
from spak.lang.printer import print_item
from spak.semantics.facts import words_of
from spak.semantics.infer import infer
from spak.semantics.outline import Declared, words
from spak.semantics.program import Parameter, Recommendation, Rule, Scope
from spak.semantics.ranges import read_values
from spak.semantics.reader import NOT_LITERAL, inside, place, unknown
from spak.semantics.suggest import near
from spak.semantics.types import BOOLEAN, Type
from spak.semantics.validity import read_evidence, read_scope
from spak.semantics.values import constant
from spak.semantics.world import World

WHEN = ("when", "trigger", "condition")
APPLY = ("apply", "suggestion", "action")
KEYS = (*WHEN, *APPLY, "recommend", "effect", "parameter", "scope", "evidence")
RECOMMENDATION = re.compile(r"([^\W\d]\w*)\s*(==|=|!=|<=|>=|<|>|in\b)\s*(\S.*)\Z", re.DOTALL)


def read_rule(declared: Declared, world: World) -> Rule:
    """A `rule` or a `hint`."""
    return _Rule(declared, world).read()


class _Rule:
    def __init__(self, declared: Declared, world: World) -> None:
        self.block = declared.block
        self.domain = declared.domain
        self.world = world
        self.found: Collector = world.found
        self.when: list[Expr] = []
        self.prose: list[str] = []
        self.apply: list[str] = []
        self.effect: list[str] = []
        self.recommend: list[Recommendation] = []
        self.parameters: list[Parameter] = []
        self.evidence: tuple[str, ...] = ()
        self.scope = Scope()
        self.noted: dict[str, Any] = {}

    def read(self) -> Rule:
        block = self.block
        if not block.name:
            self.found.add(
                "SPK206",
                f"a {block.kind} needs a name",
                block.span,
                f'write `{block.kind} "what it is called" {{ ... }}`',
            )
        if isinstance(block.body, tree.Verbatim):
            self.apply.append(block.body.text)
        elif block.body is None and block.annotation is not None:
            self.apply.append(words(block.annotation))
        for item in block.body if isinstance(block.body, tuple) else ():
            self.item(item)
        when: Expr | None = None
        for expr in self.when:
            when = expr if when is None else Binary("&&", when, expr, span=expr.span)
        if self.prose:
            when = None  # a part that nobody can evaluate makes the whole condition one
        return Rule(
            block.kind, block.name or "", when, tuple(self.prose), tuple(self.apply), " ".join(self.effect),
            tuple(self.recommend), tuple(self.parameters), self.evidence, self.scope, self.domain, self.noted, span=block.span,
        )  # fmt: skip

    def item(self, item: tree.Item) -> None:
        if isinstance(item, tree.Attr):
            self.attribute(item)
        elif isinstance(item, tree.Block) and item.kind == "parameter" and item.name and item.annotation is not None:
            values = read_values(item.annotation, item.name, self.found)
            if values:
                self.parameters.append(Parameter(item.name, values, span=item.span))
        elif isinstance(item, tree.Block) and item.kind == "recommend" and assigns(item):
            self.recommended(item.annotation.id, "=", item.default, item.span)  # type: ignore[union-attr, arg-type]
        elif isinstance(item, tree.Block) and item.kind == "scope":
            self.scope = read_scope(item, self.found)
        elif isinstance(item, tree.Block) and item.kind == "step":
            self.apply.append(words(item.annotation) if item.annotation is not None else print_item(item))
        elif isinstance(item, tree.Block):
            if item.kind in KEYS:
                unknown(item, f"a {self.block.kind}", KEYS, self.found)
                return
            self.misspelt(item.kind, item.span)
            self.noted[item.kind] = words_of(item)
        else:
            self.found.add(
                "SPK231", f"this statement has no place in a {self.block.kind}", item.span, "write `key: value`"
            )

    def attribute(self, item: tree.Attr) -> None:
        key, value = item.key, item.value
        many = value.items if isinstance(value, tree.ListLit) else (value,)
        if key in WHEN:
            for one in many:
                self.condition(one)
        elif key in APPLY:
            self.apply += [words(one) for one in many]
        elif key == "effect":
            self.effect += [words(one) for one in many]
        elif key == "recommend":
            for one in many:
                self.recommendation(one)
        elif key == "scope" and isinstance(value, tree.MapLit):
            self.scope = read_scope(value, self.found)
        elif key == "evidence":
            self.evidence = read_evidence(value, self.found)
        else:
            self.misspelt(key, item.key_span)
            literal = constant(value)
            self.noted[key] = words(value) if literal is NOT_LITERAL else literal

    def misspelt(self, key: str, span: Span) -> None:
        """A rule may carry any note for its readers, but none that looks like a part that is acted on."""
        hint = near(key, KEYS)
        if hint.startswith("did you mean"):
            self.found.add("SPK201", f"a {self.block.kind} has no attribute {key!r}", span, hint)

    # ---- conditions ----

    def condition(self, value: tree.Value) -> None:
        """A condition over facts: an expression, a name in quotes, or a sentence for readers."""
        if isinstance(value, tree.Verbatim):
            self.prose.append(value.text)
            return
        if not isinstance(value, tree.Str):
            expr = as_expr(without_calls(value, self.world), self.found, statements=True)
            if expr is not None:
                self.checked(expr, value)
            return
        expr = quoted(value, self.world)
        if expr is None:
            self.prose.append(words(value))
        else:
            self.checked(expr, value)

    def checked(self, expr: Expr, value: tree.Value) -> None:
        before = len(self.found.errors)
        for name in sorted(names(expr)):
            short = name.removeprefix("fact.")
            if short in self.world.facts:
                continue
            what = f"{self.block.kind} {self.block.name!r} names an unknown fact {short!r}"
            hint = (
                near(short, self.world.facts, "facts")
                if self.world.facts
                else f"write `fact {short}(t: Case) {{ return ... }}`"
            )
            self.found.add("SPK234", what, place(expr, name, value), hint)
        if len(self.found.errors) == before:
            infer(expr, self.fact_type, self.found)
            self.when.append(expr)

    def fact_type(self, _: Name) -> Type:
        return BOOLEAN

    # ---- recommendations ----

    def recommendation(self, value: tree.Value) -> None:
        """`"tile_m = 64"`, `"level in [a, b]"`, the same without quotes, or words for a reader."""
        if isinstance(value, tree.Binary) and isinstance(value.left, tree.Name):
            self.recommended(value.left.id, value.op, value.right, value.span)
            return
        match = RECOMMENDATION.match(value.value.strip()) if isinstance(value, tree.Str) else None
        if match is None:
            self.apply.append(words(value))
            return
        try:
            parsed: tree.Value = parse_expr(match[3])
        except SpakError:
            self.apply.append(words(value))
            return
        if isinstance(parsed, tree.Name) and match[1] not in self.space() and " " in match[3].strip():
            self.apply.append(words(value))
            return
        self.recommended(match[1], match[2], parsed, value.span)

    def recommended(self, name: str, op: str, value: tree.Value, span: Span) -> None:
        op = "=" if op == "==" else op
        literal = word(value)
        if (
            literal is NOT_LITERAL
            or (op == "in") != isinstance(literal, list)
            or op not in {"=", "!=", "<", "<=", ">", ">=", "in"}
        ):
            hint = 'write `recommend: "tile_m = 64"` or `recommend: "level in [tiled, packed]"`'
            self.found.add("SPK205", "a recommendation compares one parameter with literals", span, hint)
            return
        space = self.space()
        if space and name not in space:
            what = f"{self.block.kind} {self.block.name!r} recommends {name!r}, which no space has"
            self.found.add("SPK236", what, span, near(name, space, "parameters"))
            return
        if name in space and op in {"=", "in"}:
            for one in literal if isinstance(literal, list) else [literal]:
                if one not in space[name]:
                    what = (
                        f"{self.block.kind} {self.block.name!r} recommends {name} = {one}, which lies outside its space"
                    )
                    self.found.add("SPK236", what, span, f"{name} may be: {', '.join(map(str, space[name][:12]))}")
        self.recommend.append(Recommendation(name, op, literal, span=span))

    def space(self) -> dict[str, tuple[Any, ...]]:
        """What the program's sweeps and choices may vary."""
        own = {parameter.name: parameter.values for parameter in self.parameters}
        return {name: one.values for name, one in self.world.parameters.items()} | self.world.choices | own


def word(value: tree.Value) -> Any:
    """A literal, where names stand for themselves: `level in [tiled, packed]`."""
    if isinstance(value, tree.Name):
        return value.id
    if isinstance(value, tree.ListLit):
        items = [word(item) for item in value.items]
        return NOT_LITERAL if any(item is NOT_LITERAL for item in items) else items
    return constant(value)


def assigns(block: tree.Block) -> bool:
    """Whether a block is `recommend: level = "tiled"`, without quotes round the whole."""
    return (
        isinstance(block.annotation, tree.Name)
        and block.default is not None
        and block.name is None
        and block.body is None
    )


def quoted(value: tree.Str, world: World) -> Expr | None:
    """A text as a condition: an identifier, or an expression that names a fact. None for a sentence, or a word like `always`."""
    text = value.value.strip()
    if not text or "\n" in text:
        return None
    try:
        expr = parse_expr(text, inside(value), statements=True)
    except SpakError:
        return None
    if isinstance(expr, Name):
        meant = expr.id in world.facts or any(c == "_" or c.isdigit() for c in expr.id)
        return expr if meant or near(expr.id, world.facts).startswith("did you mean") else None
    known = names(expr) & {*world.facts, *(f"fact.{name}" for name in world.facts)}
    return expr if known else None


def without_calls(value: tree.Value, world: World) -> tree.Value:
    """`is_slow(t)` says no more than `is_slow`: a fact knows its traces."""
    if isinstance(value, tree.Call) and value.fn in world.facts:
        return Name(value.fn, span=value.span)
    if isinstance(value, tree.Binary):
        left, right = without_calls(value.left, world), without_calls(value.right, world)
        return Binary(value.op, left, right, span=value.span)
    if isinstance(value, tree.Unary):
        return tree.Unary(value.op, without_calls(value.operand, world), span=value.span)
    return value
