"""Facts: predicates over traces, and recorded observations. Knows what they may say, not whether they hold."""

from __future__ import annotations

from typing import Any

from spak.errors import Span
from spak.lang import tree
from spak.lang.expr import Binary, Expr, Name, Unary, as_expr
from spak.lang.printer import print_value
from spak.semantics.filling import filled
from spak.semantics.infer import NAMES, family, field_type, infer, shown
from spak.semantics.outline import Declared, words
from spak.semantics.program import Fact, Scope
from spak.semantics.reader import NOT_LITERAL
from spak.semantics.suggest import near
from spak.semantics.types import ANY, NUMBER, Type
from spak.semantics.validity import read_evidence, read_scope
from spak.semantics.values import constant
from spak.semantics.world import World

SCOPED = ("scope", "target", "device", "hardware")


def read_fact(declared: Declared, world: World) -> Fact:
    """`fact f(t: TraceItem.Performance) { return expr }`, or a fact without a condition."""
    reader = _Fact(declared, world)
    return reader.read()


class _Fact:
    def __init__(self, declared: Declared, world: World) -> None:
        self.block = declared.block
        self.domain = declared.domain
        self.own = declared.own
        self.world = world
        self.found = world.found
        self.types: dict[str, Type] = {}
        self.params: list[tuple[str, str]] = []
        self.scope = Scope()
        self.evidence: tuple[str, ...] = ()
        self.noted: dict[str, Any] = {}
        self.bound: dict[str, Expr] = {}
        self.body: Expr | None = None
        self.branches: list[tuple[Expr, Expr]] = []  # `if condition { return value }`, before the last return
        self.returned: Span | None = None
        self.before = len(self.found.errors)

    def read(self) -> Fact:
        block = self.block
        for param in block.params or ():
            self.parameter(param)
        if len(self.params) > 2:
            self.found.add(
                "SPK232",
                f"fact {block.name} looks at {len(self.params)} traces",
                block.span,
                "a fact is over one trace, or over this one and the one before",
            )
        value = block.default if block.default is not None else block.annotation
        if value is not None and not isinstance(value, tree.Str | tree.Verbatim):
            self.condition(value)
        elif value is not None:
            self.noted["description"] = words(value)
        for item in block.body if isinstance(block.body, tuple) else ():
            self.item(item)
        if isinstance(block.body, tree.Verbatim):
            self.noted["description"] = block.body.text
        self.complete()
        return Fact(
            block.name or "", tuple(self.params), self.body, str(self.noted.get("description", "")), self.noted,
            self.evidence, self.scope, self.domain, span=block.span,
        )  # fmt: skip

    def parameter(self, param: tree.Value) -> None:
        if not isinstance(param, tree.Arg) or not isinstance(param.type, tree.Name):
            hint = "write `fact f(t: TraceItem.Performance) { return ... }`"
            self.found.add("SPK232", "a fact's parameter names the case of its traces", param.span, hint)
            return
        name = param.type.id
        if self.world.knowledge_only:  # whoever uses this knowledge brings the schema, and is checked then
            self.types[param.name] = ANY
            self.params.append((param.name, name))
            return
        case = self.world.case(name, param.type.span, f"fact {self.block.name} is about an undeclared case")
        self.types[param.name] = case.type if case else ANY
        self.params.append((param.name, case.name if case else name))

    def item(self, item: tree.Item) -> None:
        if isinstance(item, tree.Return):
            if self.returned is not None:
                self.found.add(
                    "SPK202",
                    "a second return",
                    item.span,
                    f"the first is at line {self.returned.line}; join them with `&&`",
                )
            self.returned = item.span
            if item.value is not None:
                self.condition(item.value)
        elif isinstance(item, tree.If) and self.returned is None:
            self.branch(item)
        elif isinstance(item, tree.Attr) and item.op == "=":
            expr = self.expr(item.value)
            if expr is not None:
                self.bound[item.key] = expr
        elif isinstance(item, tree.Attr):
            self.attribute(item.key, item.value)
        elif isinstance(item, tree.Block) and item.kind == "scope" and isinstance(item.body, tuple):
            self.scope = read_scope(item, self.found)
        elif isinstance(item, tree.Block) and item.kind in {"let", "const"} and item.name and item.default is not None:
            expr = self.expr(item.default)
            if expr is not None:
                self.bound[item.name] = expr
        elif isinstance(item, tree.Block) and item.annotation is not None and item.body is not None:
            hint = "put each on a line of its own, or `;` between them"
            self.found.add("SPK231", f"{item.kind!r} and what follows it run together", item.span, hint)
        elif isinstance(item, tree.Block):
            self.noted[item.kind] = words_of(item)
        else:
            hint = "a fact is `x = ...` lines, `if condition { return ... }` lines, and one `return condition`"
            self.found.add("SPK231", "this statement has no place in a fact", item.span, hint)

    def branch(self, item: tree.If) -> None:
        """`if condition { return value }`: so much of the value as the condition leaves to it."""
        then = item.then[0] if isinstance(item.then, tuple) and len(item.then) == 1 else None
        if not isinstance(then, tree.Return) or then.value is None:
            hint = "a branch is one `return`: `if t.passed { return t.tflops > 1 }`"
            self.found.add("SPK231", "this branch has no place in a fact", item.span, hint)
            return
        condition, value = self.expr(item.condition), self.expr(then.value)
        if condition is not None and value is not None:
            self.branches.append((condition, value))
        for other in item.otherwise if isinstance(item.otherwise, tuple) else ():
            self.item(other)

    def attribute(self, key: str, value: tree.Value) -> None:
        if key == "scope" and isinstance(value, tree.MapLit):
            self.scope = read_scope(value, self.found)
        elif key == "evidence":
            self.evidence = read_evidence(value, self.found)
        elif key in {"condition", "check"} and not isinstance(value, tree.Str):
            self.condition(value)
        else:
            literal = constant(value)
            self.noted[key] = words(value) if literal is NOT_LITERAL else literal

    def condition(self, value: tree.Value) -> None:
        expr = self.expr(value)
        if expr is None:
            return
        kind = family(infer(expr, self.quiet, type(self.found)()))
        if kind not in {"boolean", ""}:
            what = f"fact {self.block.name} returns {NAMES[kind]}, {shown(expr)}, where a condition is needed"
            self.found.add("SPK235", what, value.span, "compare it with something, as in `t.tflops < 10`")
        for when, then in reversed(self.branches):
            first = Binary("&&", when, then, span=expr.span)
            last = Binary("&&", Unary("!", when, span=expr.span), expr, span=expr.span)
            expr = Binary("||", first, last, span=expr.span)
        if self.branches:
            infer(expr, self.type_of, self.found)
        self.body = expr

    def quiet(self, name: Name) -> Type:
        root, _, rest = name.id.partition(".")
        type_ = self.types.get(root, NUMBER if self.world.constant(root) else ANY)
        return field_type(type_, rest, name, type(self.found)()) if rest else type_

    def expr(self, value: tree.Value) -> Expr | None:
        """An expression over the parameters' fields and the target's constants, earlier names filled in."""
        before = len(self.found.errors)
        expr = as_expr(value, self.found, statements=True)
        if expr is None:
            return None
        expr = filled(expr, self.bound)
        infer(expr, self.type_of, self.found)
        return expr if len(self.found.errors) == before else None

    def type_of(self, name: Name) -> Type:
        root, _, rest = name.id.partition(".")
        if root in self.types:
            if not rest:
                hint = f"write `{root}.field`"
                self.found.add("SPK235", f"{root!r} is a whole trace, which has no value of its own", name.span, hint)
                return ANY
            type = self.types[root]
            for part in rest.split("."):
                type = field_type(type, part, name, self.found)
            return type
        if root == "target" and rest and self.world.constant(rest):
            return NUMBER
        if self.world.constant(name.id):
            return NUMBER
        known = [*self.types, *self.bound, *(self.world.constants if name.id.isupper() else ())]
        hint = near(name.id, known, "it may use") or "a fact sees its traces' fields and the target's constants"
        self.found.add("SPK204", f"{name.id!r} is not defined in fact {self.block.name}", name.span, hint)
        return ANY

    def complete(self) -> None:
        """What a fact must have, with or without a condition."""
        block = self.block
        if not block.name:
            self.found.add("SPK206", "a fact needs a name", block.span, "write `fact name(t: Case) { return ... }`")
        if len(self.found.errors) > self.before:
            return  # what could not be read may have been what is missing
        if self.body is not None or self.returned is not None:
            return
        if self.branches:
            what = f"fact {block.name} does not say what holds otherwise"
            self.found.add("SPK206", what, block.span, "end it with `return condition`")
        elif block.params and not self.noted:
            what = f"fact {block.name} says nothing of its trace"
            self.found.add("SPK206", what, block.span, "write `return condition`, or drop the parameter")
        elif not block.params and self.own and not self.scope and not set(self.noted) & set(SCOPED):
            what = f"the observation {block.name!r} does not say where it holds"
            hint = 'add `scope { target: cpu  date: "2026-11-01"  samples: 12 }`'
            self.found.warn("SPK245", what, block.span, hint)


def words_of(block: tree.Block) -> str:
    """A block that is kept as a note."""
    if block.annotation is not None:
        return print_value(block.annotation)
    return block.name or block.kind
