"""A program, resolved: what a file of the language means, ready to be executed. Knows neither text nor execution.

Every node carries the span that diagnostics point to; spans take no part in comparison. Expressions are the checked
trees of `spak.lang.expr`, text with `{{holes}}` is a `Template`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spak.errors import Span
from spak.lang.expr import Expr
from spak.semantics.types import ANY, NOWHERE, Type


@dataclass(frozen=True, slots=True)
class Node:
    """Anything that stands in a file."""

    span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


# ---- operands: what is computed when a statement is executed -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Template(Node):
    """Text with `{{name}}` holes; `names` are the dotted names in order of appearance."""

    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items(Node):
    """A list of operands."""

    items: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Fields(Node):
    """A map of operands."""

    fields: tuple[tuple[str, Operand], ...]

    def get(self, name: str) -> Operand | None:
        return next((value for key, value in self.fields if key == name), None)


Operand = Template | Items | Fields | Expr


# ---- statements ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolCall(Node):
    """`tool.NAME { key: operand }`. `output` is the variable that takes the result (`output_var` or `x = tool...`),
    `emits` the case that the result becomes (`-> emit TraceItem.Performance`).
    """

    tool: str
    args: Fields
    output: str = ""
    emits: str = ""


@dataclass(frozen=True, slots=True)
class Query(Node):
    """`llm.query { role: prompt: schema: output_var: attempts: }`."""

    prompt: Template
    role: Template | None = None
    schema: Type | None = None
    output: str = ""
    emits: str = ""
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Perform(Node):
    """`x = perform Effect.operation(args)`: arguments by the operation's parameter names."""

    effect: str
    operation: str
    args: Fields
    output: str = ""


@dataclass(frozen=True, slots=True)
class Emit(Node):
    """`emit Case { field: operand }`; `emit name` without fields is an event of that name (`case` is then a bare word
    that the schema does not have, and `checked` is False).
    """

    case: str
    fields: Fields
    checked: bool = True


@dataclass(frozen=True, slots=True)
class Set(Node):
    """`name = operand`. `type` is the declared state's, None for a variable of the run."""

    name: str
    value: Operand
    type: Type | None = None


@dataclass(frozen=True, slots=True)
class If(Node):
    condition: Expr
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop(Node):
    """`loop { ... }`, at most `limit` times; reaching it fails the step."""

    body: tuple[Statement, ...]
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Leave(Node):
    """`break`, `continue` or `return`."""

    word: str
    value: Operand | None = None


@dataclass(frozen=True, slots=True)
class Require(Node):
    """A condition that fails the step unless it is true (the `check:` of a protocol's step); `words` say what is checked."""

    condition: Expr
    words: str = ""


Statement = ToolCall | Query | Perform | Emit | Set | If | Loop | Leave | Require


@dataclass(frozen=True, slots=True)
class Step(Node):
    """One step. `id` is unique in its program and is what events name: a slug of the title where no id was given.

    `allow_failure`, `when` (skipped unless true) and `manual` (nothing in it can be executed: it is reported so).
    """

    id: str
    title: str
    body: tuple[Statement, ...]
    manual: str = ""


# ---- what is executed ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check(Node):
    """One check of an `evaluation`: its statement's output is the metric `metric`, of type `type`."""

    id: str
    body: tuple[Statement, ...]
    metric: str = ""
    type: Type = ANY


@dataclass(frozen=True, slots=True)
class Limits:
    """What a contract or a loop allows; 0 is no limit of its own. `interval` is seconds between rounds."""

    max_steps: int = 0
    interval: float = 0.0
    seconds: float = 0.0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Procedure(Node):
    """A `task`, `agent_loop`, `workflow` or `protocol`: steps in order. `repeat` (agent_loop `repeat: n`, `until: expr`)
    goes through the steps again; 1 is once.
    """

    kind: str
    name: str
    steps: tuple[Step, ...]
    params: tuple[Param, ...] = ()
    evaluation: tuple[Check, ...] = ()
    success: Expr | None = None
    repeat: int = 1
    until: Expr | None = None
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Param(Node):
    name: str
    type: Type = ANY
    default: Operand | None = None


@dataclass(frozen=True, slots=True)
class Handler(Node):
    """`on event(params) { ... }`."""

    event: str
    params: tuple[Param, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Service(Node):
    """A `service_loop`."""

    name: str
    handlers: tuple[Handler, ...]
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """One axis of a search."""

    name: str
    values: tuple[int | float | str | bool, ...]


@dataclass(frozen=True, slots=True)
class Measure(Node):
    """What one trial does. Either `cmd` (as of `tool.run`) or a kernel: `unit`, `variant`, `target`, `shapes`.

    `metric` is a field of the trace that the command emits, or a measured figure (`seconds`, `gflops`, `gbytes`).
    """

    metric: str
    objective: str = "maximize"  # or "minimize"
    cmd: Operand | None = None
    unit: str = ""
    variant: str = ""
    target: str = ""
    shapes: tuple[Mapping[str, int], ...] = ()
    repeats: int = 1
    timeout: float = 60.0
    emits: str = ""  # the case each trial becomes


@dataclass(frozen=True, slots=True)
class EngineeringLoop(Node):
    """A sweep. `strategy` is a file of `spak.optimize.strategies`; a budget of 0 is none."""

    name: str
    parameters: tuple[Parameter, ...]
    constraints: tuple[Expr, ...]
    measure: Measure
    strategy: str = "cartesian"
    trials: int = 0
    seconds: float = 0.0
    seed: int = 0
    write_back: bool = False


# ---- knowledge -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sentence(Node):
    """`axiom`, `heuristic` or `prediction`, numbered from 1 within its kind: `{{axiom.1}}`."""

    kind: str
    number: int
    text: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Case(Node):
    """One case of a trace schema; `name` is full, `TraceItem.Performance`."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a fact or rule holds; an empty part says nothing. `shapes` are conditions such as `M >= 256`."""

    target: str = ""
    shapes: tuple[Expr, ...] = ()
    date: str = ""
    samples: int = 0

    def __bool__(self) -> bool:
        return bool(self.target or self.shapes or self.date or self.samples)


@dataclass(frozen=True, slots=True)
class Fact(Node):
    """A predicate over one trace of a case, or over the latest two (`f(now: C, before: C)`): params are (name, case).

    One without `body` is a recorded observation: `noted` are its attributes.
    """

    name: str
    params: tuple[tuple[str, str], ...] = ()
    body: Expr | None = None
    description: str = ""
    noted: Mapping[str, Any] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()  # traces it cites: "RUN#seq"
    scope: Scope = Scope()
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation(Node):
    """`name op value`: `tile_m = 64`, `level in ["tiled", "packed"]`, `BM <= 64`."""

    name: str
    op: str
    value: Any


@dataclass(frozen=True, slots=True)
class Rule(Node):
    """A `rule` or `hint`. `when` is over fact names, None where the condition is prose only (then it never fires by
    itself, and is knowledge for a prompt). `apply` are its sentences: what to do.
    """

    kind: str
    name: str
    when: Expr | None
    prose: tuple[str, ...] = ()
    apply: tuple[str, ...] = ()
    effect: str = ""
    recommend: tuple[Recommendation, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    evidence: tuple[str, ...] = ()
    scope: Scope = Scope()
    domain: str = ""
    noted: Mapping[str, Any] = field(default_factory=dict)  # attributes for readers: `reason`, `confidence`, ...


@dataclass(frozen=True, slots=True)
class Invariant(Node):
    """A law. `check` is over traces, state and metrics (None: UNCHECKED); a kernel's own forms are `spak.parse`'s."""

    name: str
    statement: str
    check: Expr | None = None
    verification: str = ""
    domain: str = ""


# ---- the rest ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class State(Node):
    name: str
    type: Type
    default: Any = None


@dataclass(frozen=True, slots=True)
class Operation(Node):
    name: str
    params: tuple[Param, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class Effect(Node):
    """A syscall interface; `binds` maps an operation to the tool that performs it (`operation read(path: String) ->
    String { tool: read }`), for those that have one.
    """

    name: str
    operations: Mapping[str, Operation]
    description: str = ""
    binds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component(Node):
    """A component unit's outline; its module is not written by this part of the compiler."""

    name: str
    description: str = ""
    functions: tuple[Operation, ...] = ()
    states: tuple[State, ...] = ()
    workflows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract(Node):
    """Scope, limits and policy. `roots` are folders that tools may touch, `env` names of variables that reach a child,
    `shell` whether a step may say `shell: true` at all (None: nothing is said), `programs` an allow-list (empty: any).
    """

    name: str = ""
    intents: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    limits: Limits = Limits()
    roots: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    shell: bool | None = None


@dataclass(frozen=True, slots=True)
class Deliverable(Node):
    """`artifact "file" { generator: ... input: trace.all }`; `generator` is an operand of `tool.run`, or the name of a
    built-in report; None writes the input as it is.
    """

    file: str
    generator: Operand | None = None
    builtin: str = ""
    input: str = ""


@dataclass(frozen=True, slots=True)
class Program(Node):
    """Everything a file and what it uses say. Mappings keep the order of the file."""

    file: str
    name: str
    files: tuple[str, ...] = ()  # every file read, the program's own first
    meta: Mapping[str, Any] = field(default_factory=dict)
    sentences: tuple[Sentence, ...] = ()
    types: Mapping[str, Type] = field(default_factory=dict)
    states: tuple[State, ...] = ()
    cases: Mapping[str, Case] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    design_space: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    tuning_space: tuple[Parameter, ...] = ()
    constraints: tuple[Expr, ...] = ()
    contract: Contract = Contract()
    effects: Mapping[str, Effect] = field(default_factory=dict)
    components: Mapping[str, Component] = field(default_factory=dict)
    procedures: Mapping[str, Procedure] = field(default_factory=dict)  # task, agent_loop, workflow, protocol
    services: Mapping[str, Service] = field(default_factory=dict)
    loops: Mapping[str, EngineeringLoop] = field(default_factory=dict)
    deliverables: tuple[Deliverable, ...] = ()
    kernels: tuple[str, ...] = ()  # `kernel` blocks: units of their own, read by `spak.parse`
    kept: tuple[str, ...] = ()  # kinds nobody acts on, as "kind name"
