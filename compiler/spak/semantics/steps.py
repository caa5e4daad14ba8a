"""Steps of a procedure: names, conditions, and whether there is anything to execute. Knows not in what order they run."""

from __future__ import annotations

import re
from dataclasses import replace

from spak.errors import Span
from spak.lang import tree
from spak.lang.expr import Expr
from spak.lang.printer import print_item, print_value
from spak.semantics.calls import Written, arguments
from spak.semantics.numbered import is_numbered, plain
from spak.semantics.outline import words
from spak.semantics.program import If, Query, Require, Statement, Step, ToolCall
from spak.semantics.statements import Statements, is_call
from spak.semantics.suggest import near
from spak.semantics.world import World

#: Attributes of a step that are for its readers.
NOTES = (
    "description",
    "intent",
    "note",
    "title",
    "purpose",
    "action",
    "expected",
    "failure_mode",
    "if_fails",
    "goal",
    "output",
    "input",
)
ACTED = ("when", "check")


class Steps:
    """Reads the steps of one procedure in order, so that each knows what those before it have assigned."""

    def __init__(self, statements: Statements, kind: str) -> None:
        self.statements = statements
        self.world: World = statements.world
        self.found = statements.found
        self.kind = kind
        self.taken: dict[str, tree.Block] = {}

    def read(self, block: tree.Block) -> Step:
        title = block.name or f"step {len(self.taken) + 1}"
        id = self.identify(block, title)
        self.statements.scope.steps.append(id)
        condition = self.condition(block)
        body, manual = self.body(block)
        if condition is not None and body:
            body = (If(condition, body, span=block.span),)
        return Step(id, title, body, manual, span=block.span)

    def identify(self, block: tree.Block, title: str) -> str:
        """The name as it is, or a slug of the title; unique among the steps."""
        named = block.name is not None and not block.quoted
        id = title if named else slug(title)
        if id in self.taken and named:
            first = self.taken[id].span
            self.found.add("SPK222", f"step {id!r} is named twice", block.name_span, f"the first is at {first}")
        number = 2
        while id in self.taken:
            id = f"{slug(title)}_{number}"
            number += 1
        self.taken[id] = block
        return id

    def condition(self, block: tree.Block) -> Expr | None:
        """`step x when: cond { ... }`, or `when: cond` inside."""
        value: tree.Value | None = None
        words = block.words
        if words and isinstance(words[0], tree.Name) and words[0].id in {"when", "if"}:
            value = words[1] if len(words) == 2 else block.annotation if len(words) == 1 else None
        if words and value is None:
            hint = 'write `step id { ... }`, `step "title" { ... }` or `step id: tool.x { ... }`'
            self.found.add("SPK231", "a step has one name", words[0].span, hint)
        for item in items(block):
            if isinstance(item, tree.Attr) and item.key == "when" and item.op == ":":
                value = item.value
        return self.statements.operands.condition(value) if value is not None else None

    def body(self, block: tree.Block) -> tuple[tuple[Statement, ...], str]:
        """The statements, and what a person is to do where there are none."""
        if isinstance(block.body, tree.Verbatim):
            return (), block.body.text
        if isinstance(block.annotation, tree.Verbatim):
            return (), block.annotation.text
        if block.annotation is not None and len(block.words) != 1:  # `step x when: condition` has one
            return self.header(block)
        body = [plain(item) for item in items(block)]
        executable = [item for item in body if self.executes(item)]
        prose = [item for item in body if item not in executable]
        if not executable:
            return (), self.prose(block, prose)
        for item in prose:
            self.note(item)
        made: list[Statement] = []
        for item in executable:
            made += self.check(item) if is_check(item) else self.statements.read([item])
        return self.emitted(block, tuple(made)), ""

    def header(self, block: tree.Block) -> tuple[tuple[Statement, ...], str]:
        """`step id: tool.x { ... } -> emit C`, `step id: "prose"`, `step id: perform E.f(x)`."""
        value = block.annotation
        called = value.id if isinstance(value, tree.Name) else value.fn if isinstance(value, tree.Call) else ""
        if is_call(called):
            args = (*(arguments(value) if isinstance(value, tree.Call) else ()), *arguments_of_body(block))
            call = self.statements.calls.call(Written(called, args, block.span, emits=block.emits))
            return ((call,) if call is not None else ()), ""
        if isinstance(value, tree.Str):
            return (), words(value)
        if isinstance(value, tree.Unary) and value.op == "perform":
            return self.statements.read([tree.Bare(value, span=value.span)]), ""
        if isinstance(value, tree.Seq) and isinstance(value.items[0], tree.Name) and value.items[0].id == "emit":
            return self.statements.read([tree.Emit(value.items[-1], block.body, span=block.span)]), ""
        if value is not None:
            hint = near(called, ["tool.run", "tool.read", "tool.write", "llm.query"]) if called else ""
            what = f"`{print_value(value)[:40]}` is nothing that a step could do"
            self.found.add("SPK231", what, value.span, hint or "write `step id: tool.run { ... }` or `step id { ... }`")
        return (), ""

    def emitted(self, block: tree.Block, made: tuple[Statement, ...] = ()) -> tuple[Statement, ...]:
        """`step x -> emit C { ... }`: it is what the last call of the step becomes."""
        if block.emits is None:
            return made
        last = made[-1] if made else None
        if not isinstance(last, ToolCall | Query) or last.emits:
            hint = "write it after the call inside the step"
            self.found.add("SPK232", "`-> emit` belongs to a call", block.emits.span, hint)
            return made
        case = self.statements.calls.emitted(block.emits)
        return (*made[:-1], replace(last, emits=case))

    def executes(self, item: tree.Item) -> bool:
        """Whether an item is a statement, or at least looks like one; prose is what does not."""
        if isinstance(item, tree.Attr) and item.op == ":":
            return is_call(item.key) or (item.key == "check" and not isinstance(item.value, tree.Str | tree.Verbatim))
        if is_numbered(item):
            return False  # `1. "Sign it"`
        if isinstance(item, tree.Bare):
            value = item.value
            return isinstance(value, tree.Call | tree.Unary) or (isinstance(value, tree.Name) and is_call(value.id))
        return True

    def prose(self, block: tree.Block, prose: list[tree.Item]) -> str:
        """What a person reads of a step that has nothing to execute."""
        said = [item for item in prose if not (isinstance(item, tree.Attr) and item.key == "when")]
        for item in said:
            if isinstance(item, tree.Attr):
                self.note(item, tolerant=True)
        if not said and block.emits is None:
            what = f"step {block.name!r} is empty" if block.name else "this step is empty"
            self.found.add("SPK206", what, block.span, 'give it a statement, such as `tool.run { cmd: "..." }`')
        self.emitted(block)
        return "\n".join(print_item(item) for item in said)

    def note(self, item: tree.Item, tolerant: bool = False) -> None:
        if isinstance(item, tree.Attr) and (item.key in NOTES or item.key in ACTED):
            return
        if isinstance(item, tree.Attr):
            hint = near(item.key, (*NOTES, *ACTED))
            known = {*self.statements.scope.variables, *self.world.states}
            hint = f"write `{item.key} = ...` to assign" if item.key in known else hint
            if not tolerant or hint.startswith("did you mean"):
                self.found.add("SPK201", f"a step has no attribute {item.key!r}", item.key_span, hint)
            return
        self.found.add(
            "SPK231", "this is no statement", item.span, 'write it as `description: "..."`, or as a statement'
        )

    def check(self, item: tree.Item) -> tuple[Statement, ...]:
        """`check: condition`, or `check: tool.run { ... }`."""
        assert isinstance(item, tree.Attr | tree.Block)
        if isinstance(item, tree.Block):
            value = item.annotation
            called = value.id if isinstance(value, tree.Name) else ""
            if not is_call(called):
                self.found.add(
                    "SPK231",
                    "a check is a condition or a call",
                    item.span,
                    'write `check: x > 1` or `check: tool.run { cmd: "..." }`',
                )
                return ()
            call = self.statements.calls.call(Written(called, arguments_of_body(item), item.span, emits=item.emits))
            return (call,) if call is not None else ()
        condition = self.statements.operands.condition(item.value)
        return (Require(condition, print_value(item.value), span=item.span),) if condition is not None else ()


def is_check(item: tree.Item) -> bool:
    return (isinstance(item, tree.Attr) and item.key == "check") or (
        isinstance(item, tree.Block) and item.kind == "check"
    )


def items(block: tree.Block) -> tuple[tree.Item, ...]:
    return block.body if isinstance(block.body, tuple) else ()


def arguments_of_body(block: tree.Block) -> tuple[tuple[str, tree.Value, Span], ...]:
    """The arguments in a block's body, whatever its name is."""
    return tuple((item.key, item.value, item.key_span) for item in items(block) if isinstance(item, tree.Attr))


def slug(title: str) -> str:
    """A title as a word: small letters, digits and `_`."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "step"
