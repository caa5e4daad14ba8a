"""Names that a statement may read at its place, and their types. Knows what a run offers, not who reads it."""

from __future__ import annotations

from dataclasses import dataclass, field

from spak.errors import Span
from spak.lang.expr import Expr, Name
from spak.semantics.infer import field_type
from spak.semantics.suggest import near
from spak.semantics.types import ANY, BOOLEAN, NUMBER, STRING, Type
from spak.semantics.world import World

#: What every run offers beside variables and state.
ROOTS = (
    "args", "axiom", "fact", "failed", "heuristic", "metrics", "prediction", "recommended", "rules", "run", "steps",
    "target", "trace", "traces",
)  # fmt: skip
STEP = {"ok": BOOLEAN, "exit_code": NUMBER, "stdout": STRING, "stderr": STRING}


@dataclass
class Scope:
    """Grows as statements are read: a variable is known from where it is assigned."""

    world: World
    variables: dict[str, Type] = field(default_factory=dict)
    params: dict[str, Type] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    metrics: dict[str, Type] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)  # assigned somewhere, and where

    def known(self) -> set[str]:
        return {*self.variables, *self.params, *self.world.states, *ROOTS}

    def type_of(self, name: Name) -> Type:
        """The type of a name in an expression; an undefined one is an error."""
        return self.lookup(name.id, name.span, name)

    def hole(self, name: str, span: Span) -> Type:
        """The type of a name in a text."""
        return self.lookup(name, span, Name(name, span=span))

    def lookup(self, dotted: str, span: Span, expr: Expr) -> Type:
        root, _, rest = dotted.partition(".")
        type = self.variables.get(root) or self.params.get(root) or self.world.state_type(root)
        if type is None and root in ROOTS:
            return self.offered(root, rest, span, expr)
        if type is None:
            self.undefined(root, span)
            return ANY
        return self.path(type, rest, span, expr)

    def path(self, type: Type, rest: str, span: Span, expr: Expr) -> Type:
        for part in rest.split(".") if rest else ():
            if part.isdigit():
                type = type.args[0] if type.kind == "list" and type.args else ANY
            else:
                type = field_type(type, part, expr, self.world.found)
        return type

    def undefined(self, name: str, span: Span) -> None:
        if name in self.later and self.later[name].line:
            hint = f"it is assigned at line {self.later[name].line}, after this"
        elif name == "state":
            hint = "states are read by their own names"
        else:
            hint = near(name, self.known())
            if not hint.startswith("did you mean"):
                hint = near(name, self.known() - set(ROOTS), "there are") or "assign it in an earlier step"
        self.world.found.add("SPK204", f"{name!r} is not defined here", span, hint)

    def offered(self, root: str, rest: str, span: Span, expr: Expr) -> Type:
        """What a run offers under its reserved names."""
        world = self.world
        if root in {"failed", "traces", "rules"}:
            if rest:
                world.found.add("SPK204", f"{root!r} has no parts", span, f"write `{root}`")
            return {"failed": BOOLEAN, "traces": NUMBER, "rules": STRING}[root]
        if not rest:
            return ANY
        first, _, more = rest.partition(".")
        if root in {"axiom", "heuristic", "prediction"}:
            count = sum(sentence.kind == root for sentence in world.sentences)
            return self.part(root, first, [str(n + 1) for n in range(count)], STRING, span)
        if root == "fact":
            return self.part("fact", first, world.facts, BOOLEAN, span)
        if root == "recommended":
            known = {*world.parameters, *world.choices}
            return self.part("recommended", first, known, ANY, span) if known else ANY
        if root == "run":
            return self.part("run", first, ["id"], STRING, span)
        if root == "args":
            return self.path(self.part("args", first, self.params, self.params.get(first, ANY), span), more, span, expr)
        if root == "metrics":
            return self.part("metrics", first, self.metrics, self.metrics.get(first, ANY), span)
        if root == "steps":
            self.part("steps", first, self.steps, ANY, span)
            return self.part(f"steps.{first}", more, STEP, STEP.get(more, ANY), span) if more else ANY
        if root == "target":
            if not world.constant(first):
                self.part("target", first, world.constants, ANY, span)
            return NUMBER
        return self.trace(rest, span, expr)

    def trace(self, rest: str, span: Span, expr: Expr) -> Type:
        """`trace.Case.field`, `trace.Variant.Case.field`, either with `last.` before the case; `trace.all` is the file."""
        world = self.world
        rest = rest.removeprefix("last.")
        if rest in {"all", "last"}:
            return ANY
        parts = rest.split(".")
        for size in (2, 1):
            name = ".".join(parts[:size])
            case = world.cases.get(name) or (world.short(name) if size == 1 else None)
            if case is not None:
                return self.path(case.type, ".".join(parts[size:]), span, expr)
        shorts = {name.rpartition(".")[2] for name in world.cases}
        hint = near(parts[0], shorts, "cases") if shorts else "declare it in a trace_schema"
        world.found.add("SPK204", f"there is no case {parts[0]!r} of traces", span, hint)
        return ANY

    def part(self, root: str, name: str, known: object, type: Type, span: Span) -> Type:
        names = list(known)  # type: ignore[call-overload]
        if name not in names:
            hint = near(name, names, "there are") if names else "there are none"
            self.world.found.add("SPK204", f"{root}.{name} is not defined", span, hint)
            return ANY
        return type
