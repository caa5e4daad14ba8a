"""Statements of steps and handlers: calls, assignments, emits, conditions, loops. Knows what each needs, not when it runs."""

from __future__ import annotations

from collections.abc import Sequence

from spak.errors import Span
from spak.lang import tree
from spak.lang.expr import Expr
from spak.semantics.calls import Calls, Written, arguments
from spak.semantics.infer import family
from spak.semantics.operands_of import variable
from spak.semantics.program import Emit, Fields, If, Leave, Loop, Operand, Set, Statement
from spak.semantics.reader import literal
from spak.semantics.scope import ROOTS, Scope
from spak.semantics.suggest import near
from spak.semantics.types import ANY, Type
from spak.semantics.values import misfit

STATEMENTS = ("tool.run", "llm.query", "emit", "if", "loop", "perform", "return", "break", "continue")
LET = frozenset({"let", "var", "set", "const"})
MOST_ROUNDS = 100_000


class Statements:
    """Reads statements in order; `depth` is how many loops are round the one being read."""

    def __init__(self, scope: Scope, no_llm: str = "") -> None:
        self.scope = scope
        self.world = scope.world
        self.found = scope.world.found
        self.calls = Calls(scope, no_llm)
        self.operands = self.calls.operands
        self.depth = 0

    def read(
        self, items: Sequence[tree.Item] | tree.Verbatim | None, where: Span | None = None
    ) -> tuple[Statement, ...]:
        """All statements of a body; what is wrong is left out, and in `found`."""
        if isinstance(items, tree.Verbatim):
            hint = "write statements, or leave the step to a person: one of prose alone is reported as manual"
            self.found.add("SPK231", "pseudocode cannot be executed", items.span, hint)
            return ()
        made = [self.statement(item) for item in items or ()]
        return tuple(one for one in made if one is not None)

    def statement(self, item: tree.Item) -> Statement | None:
        if isinstance(item, tree.Block):
            return self.block(item)
        if isinstance(item, tree.Attr):
            return self.attribute(item)
        if isinstance(item, tree.Bare):
            return self.bare(item.value, item.span)
        if isinstance(item, tree.If):
            return self.conditional(item)
        if isinstance(item, tree.Emit):
            return self.emit(item)
        if isinstance(item, tree.Return):
            value = self.operands.read(item.value) if item.value is not None else None
            return Leave("return", value[0] if value else None, span=item.span)
        if isinstance(item, tree.Jump):
            if not self.depth:
                self.found.add("SPK242", f"`{item.word}` outside a loop", item.span, "`return` leaves the step")
            return Leave(item.word, span=item.span)
        what = "an element cannot be assigned" if item.op == "=" else "this is no statement"
        self.found.add("SPK231", what, item.span, "assign the whole variable, as in `x = [1, 2]`")
        return None

    # ---- blocks ----

    def block(self, block: tree.Block) -> Statement | None:
        if is_call(block.kind):
            return self.calls.call(Written(block.kind, arguments(block), block.span, emits=block.emits))
        if block.kind in LET and block.name is not None and block.default is not None:
            return self.let(block.name, block.default, block)
        if block.default is not None and block.name is None and block.annotation is None:
            return self.let(block.kind, block.default, block)
        if block.kind == "loop":
            return self.loop(block)
        if block.name is None and block.default is None and calls(block.annotation):
            return self.let(block.kind, block.annotation, block)  # type: ignore[arg-type]  # `x: llm.query { ... }`
        if block.default is not None and block.name is None and block.annotation is not None:
            return self.typed(block)
        if block.kind == "step":
            self.found.add(
                "SPK231", "a step inside a step", block.span, "steps stand one after another; group them in a `loop`"
            )
            return None
        self.unknown(block.kind, block.span)
        return None

    def let(self, name: str, value: tree.Value, block: tree.Block) -> Statement | None:
        """`x = tool.run { ... } -> emit C`, `let x = value`, and the like."""
        if block.body is None and block.emits is None:
            return self.assign(name, value, block.span, block.span)
        called = value.id if isinstance(value, tree.Name) else value.fn if isinstance(value, tree.Call) else ""
        if not is_call(called):
            self.found.add(
                "SPK231",
                f"`{name} = ...` has a body that belongs to no call",
                block.span,
                "write `x = tool.run { ... }`",
            )
            return None
        args = (*(arguments(value) if isinstance(value, tree.Call) else ()), *arguments(block))
        return self.calls.call(Written(called, args, block.span, variable(name), block.span, block.emits))

    def typed(self, block: tree.Block) -> Statement | None:
        """`x: float = 0`: a variable with a type of its own."""
        declared = self.world.types.read(block.annotation)  # type: ignore[arg-type]
        made = self.assign(block.kind, block.default, block.span, block.span, declared)  # type: ignore[arg-type]
        if isinstance(made, Set) and block.kind not in self.world.states:
            self.scope.variables[made.name] = declared
        return made

    def loop(self, block: tree.Block) -> Loop:
        """`loop { }`, `loop 5 { }`, `loop(limit=5) { }`, or with a line `limit: 5`."""
        limit: object = int(block.name) if block.name and block.name.isdigit() else 100
        span = block.span
        if block.name and not block.name.isdigit():
            self.found.add(
                "SPK231",
                "a loop has no name",
                block.name_span,
                "write `loop 5 { ... }`, with a condition and `break` inside",
            )
        for arg in block.params or ():
            value = arg.default if isinstance(arg, tree.Arg) else arg
            limit, span = (literal(value), arg.span) if value is not None else (limit, span)
        body: list[tree.Item] = []
        for item in block.body if isinstance(block.body, tuple) else ():
            if isinstance(item, tree.Attr) and item.op == ":" and item.key in {"limit", "max", "max_rounds"}:
                limit, span = literal(item.value), item.value.span
            else:
                body.append(item)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST_ROUNDS:
            self.found.add(
                "SPK205", f"a loop's limit is a whole number from 1 to {MOST_ROUNDS}", span, "write `loop 5 { ... }`"
            )
            limit = 1
        self.depth += 1
        made = self.read(block.body if isinstance(block.body, tree.Verbatim) else body)
        self.depth -= 1
        return Loop(made, limit, span=block.span)

    def unknown(self, kind: str, span: Span) -> None:
        close = near(kind, STATEMENTS)
        hint = (
            close if close.startswith("did you mean") else f"statements are: {', '.join(STATEMENTS)}, and `x = value`"
        )
        self.found.add("SPK231", f"{kind!r} is no statement" if kind else "this is no statement", span, hint)

    # ---- one line ----

    def attribute(self, item: tree.Attr) -> Statement | None:
        if item.op == "=":
            return self.assign(item.key, item.value, item.span, item.key_span)
        if is_call(item.key):
            return self.calls.call(Written(item.key, (("", item.value, item.value.span),), item.span))
        if item.key == "emit" and isinstance(item.value, tree.Name):
            return self.emit(tree.Emit(item.value, span=item.span))
        known = {*self.scope.variables, *self.world.states}
        hint = (
            f"write `{item.key} = ...` to assign"
            if item.key in known
            else near(item.key, STATEMENTS) or "write `x = value`"
        )
        self.found.add("SPK231", f"`{item.key}:` is no statement", item.key_span, hint)
        return None

    def bare(self, value: tree.Value, span: Span) -> Statement | None:
        if isinstance(value, tree.Unary) and value.op == "perform":
            return self.calls.perform(value.operand, "", span, span)
        called = value.fn if isinstance(value, tree.Call) else value.id if isinstance(value, tree.Name) else ""
        if is_call(called):
            args = arguments(value) if isinstance(value, tree.Call) else ()
            return self.calls.call(Written(called, args, span))
        self.unknown(called, span)
        return None

    def assign(
        self, key: str, value: tree.Value, span: Span, key_span: Span, declared: Type | None = None
    ) -> Statement | None:
        """`name = value`, where the value may be a call."""
        name = variable(key)
        if isinstance(value, tree.Unary) and value.op == "perform":
            return self.calls.perform(value.operand, name, span, key_span)
        called = value.fn if isinstance(value, tree.Call) else value.id if isinstance(value, tree.Name) else ""
        if is_call(called):
            args = arguments(value) if isinstance(value, tree.Call) else ()
            return self.calls.call(Written(called, args, span, name, key_span))
        if "." in name or name in ROOTS:
            root = name.partition(".")[0]
            what = f"{root!r} belongs to the run" if root in ROOTS else "a part of a value cannot be assigned"
            self.found.add("SPK221", what, key_span, "assign a variable or a state of your own")
            return None
        state = self.world.state_type(name)
        wanted = declared or state
        read = self.operands.read(value)
        if read is None:
            self.scope.variables.setdefault(name, ANY)
            return None
        if wanted is not None and (why := misfit(name, wanted, value, read[1])):
            what = f"the state {why}" if state is not None and declared is None else why
            self.found.add("SPK238", what, value.span, "assign a value of the declared type")
        if state is None:
            self.scope.variables[name] = widened(read[1])
        return Set(name, read[0], state, span=span)

    # ---- emit and if ----

    def emit(self, item: tree.Emit) -> Statement | None:
        value, fields = item.value, item.body
        name = value.id if isinstance(value, tree.Name) else value.fn if isinstance(value, tree.Call) else ""
        if not name:
            hint = "write `emit TraceItem.Performance { tflops: x }`, or `emit name` for an event"
            self.found.add("SPK232", "emit needs the name of a case", value.span, hint)
            return None
        given = list(arguments(value)) if isinstance(value, tree.Call) else []
        for field in fields if isinstance(fields, tuple) else ():
            if isinstance(field, tree.Attr):
                given.append((field.key, field.value, field.key_span))
            else:
                self.found.add("SPK233", "an emit holds `field: value` lines", field.span, "for example `tflops: 1.5`")
        event = "." not in name and not given and self.world.short(name) is None and name not in self.world.cases
        if event:
            self.close_to_case(name, value.span)
            return Emit(name, Fields(()), checked=False, span=item.span)
        case = self.world.case(name, value.span, "emit of an undeclared case")
        if case is None:
            return None
        return Emit(case.name, self.fields(case.name, case.type, given, item.span), span=item.span)

    def close_to_case(self, name: str, span: Span) -> None:
        """An event that is called almost like a case was most likely meant as the case."""
        shorts = [full.rpartition(".")[2] for full in self.world.cases]
        hint = near(name, shorts)
        if hint.startswith("did you mean"):
            self.found.add("SPK232", f"emit of an undeclared case {name!r}", span, hint)

    def fields(self, case: str, type: Type, given: list[tuple[str, tree.Value, Span]], span: Span) -> Fields:
        fields: dict[str, Operand] = {}
        known = [field.name for field in type.fields]
        for key, value, place in given:
            key = key or next((name for name in known if name not in fields), "")
            declared = type.field(key)
            if declared is None:
                self.found.add(
                    "SPK233", f"{case} has no field {key!r}", place, near(key, known, "fields") or "it has none"
                )
                continue
            if key in fields:
                self.found.add("SPK202", f"{key!r} stands twice", place, "keep one")
                continue
            read = self.operands.read(value)
            if read is None:
                fields[key] = Fields(())
                continue
            fields[key] = read[0]
            if why := misfit(key, declared.type, value, read[1]):
                self.found.add("SPK233", f"{why}", value.span, f"{case}.{key} is declared at line {declared.span.line}")
        missing = [f.name for f in type.fields if f.name not in fields and f.type.kind != "optional"]
        if missing:
            what = f"emit {case} lacks {', '.join(repr(name) for name in missing)}"
            self.found.add("SPK233", what, span, f"write `emit {case} {{ {': ..., '.join(known)}: ... }}`")
        return Fields(tuple((key, fields[key]) for key in known if key in fields), span=span)

    def conditional(self, item: tree.If) -> Statement | None:
        condition: Expr | None = self.operands.condition(item.condition)
        then = self.read(item.then)
        otherwise = self.read(item.otherwise) if item.otherwise is not None else ()
        if condition is None:
            return None
        return If(condition, then, otherwise, span=item.span)


def calls(value: tree.Value | None) -> bool:
    """Whether a value is a call of a tool or a question."""
    called = value.fn if isinstance(value, tree.Call) else value.id if isinstance(value, tree.Name) else ""
    return is_call(called)


def is_call(name: str) -> bool:
    return name.startswith(("tool.", "llm."))


def widened(type: Type) -> Type:
    """The type of a variable that got a literal: it may get another of its family later."""
    if type.kind in {"literal", "union"}:
        return {"string": Type("string"), "number": Type("number"), "boolean": Type("boolean")}.get(family(type), ANY)
    return type
