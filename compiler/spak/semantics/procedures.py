"""Tasks, agent loops, workflows, protocols and services. Knows what they are made of, not how they are executed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spak.errors import Span
from spak.lang import tree
from spak.semantics.calls import Written
from spak.semantics.limits import KEYS as LIMITS
from spak.semantics.limits import read_limits
from spak.semantics.numbered import as_step
from spak.semantics.operands_of import Operands
from spak.semantics.outline import NOTES, Declared, words
from spak.semantics.params import read_params
from spak.semantics.program import Check, Handler, Procedure, Query, Service, Set, Step
from spak.semantics.reader import literal, twice, unknown
from spak.semantics.scope import Scope
from spak.semantics.statements import Statements, is_call
from spak.semantics.steps import Steps, arguments_of_body, items
from spak.semantics.suggest import near
from spak.semantics.types import ANY, Type
from spak.semantics.world import World

ATTRIBUTES = ("success", "intent", "role", "goal", *sorted(NOTES), *LIMITS)
LOOPING = ("repeat", "until")
MOST_ROUNDS = 1_000_000


def read_procedure(declared: Declared, world: World, name: str) -> Procedure:
    """A `task`, `agent_loop`, `workflow` or `protocol`."""
    block = declared.block
    params = read_params(block.params, world.types, world.found)
    scope = Scope(world, params={param.name: param.type for param in params}, later=assigned(items(block)))
    reader = _Procedure(scope, block)
    reader.sort()
    steps = tuple(reader.step(one) for one in reader.steps)
    if not steps and not isinstance(block.body, tree.Verbatim):
        hint = 'write `step id { tool.run { cmd: "..." } }`'
        world.found.add("SPK206", f"{block.kind} {name!r} has no step", block.span, hint)
    if isinstance(block.body, tree.Verbatim):
        steps = (Step("manual", name, (), block.body.text, span=block.span),)
    checks = tuple(reader.check(one) for one in reader.checks)
    return Procedure(
        block.kind,
        name,
        steps,
        params,
        checks,
        reader.success(),
        reader.repeat(),
        reader.condition("until"),
        read_limits({key: attr.value for key, attr in reader.attributes.items() if key in LIMITS}, world.found),
        span=block.span,
    )


class _Procedure:
    def __init__(self, scope: Scope, block: tree.Block) -> None:
        self.scope = scope
        self.found = scope.world.found
        self.block = block
        self.reading = Steps(Statements(scope), block.kind)
        self.attributes: dict[str, tree.Attr] = {}
        self.steps: list[tree.Block] = []
        self.checks: list[tree.Block] = []

    def sort(self) -> None:
        """The parts of the body."""
        where = f"{self.block.kind} {self.block.name}" if self.block.name else self.block.kind
        known = (*ATTRIBUTES, *(LOOPING if self.block.kind == "agent_loop" else ()))
        for item in map(as_step, items(self.block)):
            if isinstance(item, tree.Attr):
                self.attribute(item, known, where)
            elif isinstance(item, tree.Block) and item.kind == "step":
                self.steps.append(item)
            elif isinstance(item, tree.Block) and item.kind == "evaluation":
                self.evaluation(item)
            elif isinstance(item, tree.Block) and item.kind == "limits":
                for inner in items(item):
                    if isinstance(inner, tree.Attr):
                        self.attribute(inner, LIMITS, "limits")
            elif isinstance(item, tree.Block) and not is_call(item.kind):
                unknown(item, where, ("step", "evaluation", "limits", *known), self.found)
            else:
                self.found.add("SPK231", f"this statement has no place in {where}", item.span, "put it into a step")

    def attribute(self, item: tree.Attr, known: Iterable[str], where: str) -> None:
        if item.key not in known:
            hint = (
                "only an agent_loop goes round"
                if item.key in LOOPING
                else near(item.key, (*known, "step", "evaluation"), "attributes")
            )
            self.found.add("SPK201", f"{where} has no attribute {item.key!r}", item.key_span, hint)
        elif item.key in self.attributes:
            twice(item.key, item.key_span, self.attributes[item.key].key_span, self.found)
        else:
            self.attributes[item.key] = item

    def evaluation(self, block: tree.Block) -> None:
        for item in items(block):
            if isinstance(item, tree.Block) and item.kind == "check":
                self.checks.append(item)
            elif isinstance(item, tree.Attr) and item.key == "success":
                self.attribute(item, ATTRIBUTES, "evaluation")
            else:
                unknown(item, "an evaluation", ("check", "success"), self.found)

    def step(self, block: tree.Block) -> Step:
        return self.reading.read(block)

    def check(self, block: tree.Block) -> Check:
        """`check name: tool.run { ... }`, `check name { statement }`, or `check name: expression`."""
        id = self.reading.identify(block, block.name or "check")
        statements = self.reading.statements
        value = block.annotation
        called = value.id if isinstance(value, tree.Name) else value.fn if isinstance(value, tree.Call) else ""
        type: Type = statements.world.types.read(block.result) if block.result is not None else ANY
        if is_call(called):
            args = (*_call_args(value), *arguments_of_body(block))
            given = next((literal(v) for key, v, _ in args if key == "output_var"), None)
            metric = given if isinstance(given, str) else id
            written = Written(called, args, block.span, metric if given is None else "", block.span, block.emits)
            call = statements.calls.call(written)
            schema = getattr(call, "schema", None)
            if schema is None:  # a judge's answer is whatever it says: a number, a word
                self.scope.variables[metric] = type
            self.scope.metrics[metric] = self.scope.variables.get(metric, ANY)
            return Check(id, (call,) if call else (), metric, schema or type, span=block.span)
        if value is not None:
            read = statements.operands.read(value)
            self.scope.metrics[id] = self.scope.variables[id] = read[1] if read else ANY
            return Check(id, (Set(id, read[0], span=block.span),) if read else (), id, type, span=block.span)
        body = statements.read(block.body)
        metric = next((getattr(one, "output", "") or getattr(one, "name", "") for one in reversed(body)), "")
        if not body:
            self.found.add(
                "SPK206", f"check {id!r} checks nothing", block.span, 'write `check name: tool.run { cmd: "..." }`'
            )
        judged = isinstance(body[-1], Query) and body[-1].schema is None if body else False
        if judged:
            self.scope.variables[metric] = type
        self.scope.metrics[metric or id] = self.scope.variables.get(metric, ANY)
        return Check(id, body, metric or id, type, span=block.span)

    def success(self) -> Any:
        """The condition of success, over variables, metrics and `failed`."""
        for name, type in self.scope.metrics.items():
            self.scope.variables.setdefault(name, type)
        return self.condition("success")

    def condition(self, key: str) -> Any:
        attr = self.attributes.get(key)
        return Operands(self.scope).condition(attr.value) if attr is not None else None

    def repeat(self) -> int:
        attr = self.attributes.get("repeat")
        if attr is None:
            return 1 if "until" not in self.attributes else MOST_ROUNDS
        number = literal(attr.value)
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MOST_ROUNDS:
            return number
        self.found.add(
            "SPK205", f"repeat must be a whole number from 1 to {MOST_ROUNDS}", attr.value.span, "write `repeat: 3`"
        )
        return 1


def _call_args(value: tree.Value | None) -> tuple[tuple[str, tree.Value, Span], ...]:
    from spak.semantics.calls import arguments

    return arguments(value) if isinstance(value, tree.Call) else ()


def read_service(declared: Declared, world: World, name: str) -> Service:
    """A `service_loop`: handlers of events, which may not ask a model."""
    block, found = declared.block, world.found
    handlers: dict[str, Handler] = {}
    attributes: dict[str, tree.Value] = {}
    for item in items(block):
        if isinstance(item, tree.Block) and item.kind == "on" and item.name:
            handler = read_handler(item, world, name)
            if item.name in handlers:
                first = handlers[item.name].span
                found.add(
                    "SPK222", f"the event {item.name!r} is handled twice", item.name_span, f"the first is at {first}"
                )
                continue
            handlers[item.name] = handler
        elif isinstance(item, tree.Attr) and (item.key in LIMITS or item.key in NOTES):
            attributes[item.key] = item.value
        else:
            unknown(item, f"service_loop {name}", ("on", *LIMITS), found)
    if not handlers:
        found.add("SPK206", f"service_loop {name!r} handles no event", block.span, "write `on event(params) { ... }`")
    limits = read_limits({key: value for key, value in attributes.items() if key in LIMITS}, found)
    return Service(name, tuple(handlers.values()), limits, span=block.span)


def read_handler(block: tree.Block, world: World, service: str) -> Handler:
    params = read_params(block.params, world.types, world.found)
    scope = Scope(world, params={param.name: param.type for param in params}, later=assigned(items(block)))
    body = Statements(scope, no_llm=f"service_loop {service!r}, which must answer by itself").read(block.body)
    return Handler(block.name or "", params, body, span=block.span)


def assigned(body: Iterable[tree.Item]) -> dict[str, Span]:
    """Every variable that is assigned somewhere below, and where: for hints about what comes too late."""
    places: dict[str, Span] = {}
    for item in _walk(body):
        if isinstance(item, tree.Attr) and item.op == "=":
            places.setdefault(item.key, item.key_span)
        elif isinstance(item, tree.Attr) and item.key == "output_var":
            places.setdefault(words(item.value), item.value.span)
        elif isinstance(item, tree.Block) and item.default is not None and item.name is None:
            places.setdefault(item.kind, item.span)
    return places


def _walk(body: Iterable[tree.Item]) -> Iterator[tree.Item]:
    stack = list(body)
    while stack:
        item = stack.pop(0)
        yield item
        for part in ("body", "then", "otherwise"):
            inner = getattr(item, part, None)
            if isinstance(inner, tuple):
                stack += inner
