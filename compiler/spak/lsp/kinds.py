"""What the language's kinds are for, and what may stand in them, for hover and completion. Knows words, checks nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`about` is shown on hover; `keys` are attributes, `inner` the kinds of block that stand inside."""

    about: str
    keys: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()


def _kind(about: str, keys: str = "", inner: str = "") -> Kind:
    return Kind(about, tuple(keys.split()), tuple(inner.split()))


STEPPED = "evaluation step"
LIMITS = "max_steps loop_interval budget"
CONDITION = "effect evidence recommend scope"

KINDS: dict[str, Kind] = {
    "meta": _kind(
        "Identity of a spec: name, version, edition.", "name version edition license family summary description"
    ),
    "use": _kind("Brings in a domain: `use gpu_memory` reads `specs/domains/gpu_memory.dsl`."),
    "import": _kind('Brings in another spec: `import "other.dsl"`, from the folder of this file.'),
    "system": _kind("A whole system: it holds every other kind.", "description"),
    "system_model": _kind(
        "Sentences that every prompt gets; addressed as `{{axiom.1}}`.", "axiom heuristic prediction"
    ),
    "axiom": _kind("A sentence that holds; every prompt gets it."),
    "heuristic": _kind("A sentence that mostly helps; every prompt gets it."),
    "prediction": _kind("A sentence that is expected to come true; every prompt gets it."),
    "task": _kind(
        "Steps that are executed in order; `success` and failing commands decide the exit code.",
        f"success goal {LIMITS}",
        STEPPED,
    ),
    "step": _kind(
        "One step: tools, questions, emits, conditions. A finished step is not run again.",
        "output_var",
        "llm.query tool.run tool.read tool.write tool.build tool.verify tool.bench tool.engineering_loop emit if loop",
    ),
    "llm.query": _kind(
        "Asks a model: the run suspends, and resumes with the answer.", "prompt role schema output_var attempts"
    ),
    "kernel": _kind(
        "A kernel unit: signature over symbolic axes, oracle, cost model and tolerances.",
        "require reference accumulate tolerance flops bytes linear deterministic openmp grants attempts targets sass intent",
        "variant invariant design_space tuning_space",
    ),
    "variant": _kind("A rung of a kernel, or a tagged union of traces.", "intent targets require", "case"),
    "design_space": _kind("Architectural choices: a variant or a reply names one value of each."),
    "tuning_space": _kind("What sweeps may vary: `p: [..]` or `p: range [a, b]`, under constraints.", "constraint"),
    "model": _kind("Types and mutable state.", "", "type state"),
    "type": _kind('A schema: `type T matches { field: type }`, or `type T: "a" | "b"`.'),
    "struct": _kind("A record type."),
    "enum": _kind("A type of a few names."),
    "state": _kind("Mutable state of a loop, typed: `state best: float = 0.0`."),
    "trace_schema": _kind("The cases of a trace; every emitted one is checked against its case.", "", "variant"),
    "case": _kind("One case of a trace: its fields and their types."),
    "knowledge": _kind("Holds facts, rules and hints.", "", "fact rule hint invariant"),
    "fact": _kind(
        "A predicate over a trace, three-valued; without a body, a recorded observation.",
        "description confidence source evidence scope",
        "return",
    ),
    "rule": _kind(
        "Fires when its condition holds on recorded traces; then it enters the next request, and narrows searches.",
        f"when apply {CONDITION} parameter",
        "scope parameter",
    ),
    "hint": _kind("As a rule, advisory only.", f"trigger suggestion {CONDITION}", "scope"),
    "invariant": _kind(
        "A law. `check` is executed and gates; with prose only it is listed as UNCHECKED.",
        "assert check constraint verification description severity",
    ),
    "domain": _kind(
        "A named body of knowledge, taken in by `use`.", "description", "type invariant rule fact hint trace_schema"
    ),
    "agent_loop": _kind(
        "A strategist: steps that may ask; suspends and resumes.", f"repeat until success goal role {LIMITS}", STEPPED
    ),
    "service_loop": _kind("Handlers of events; an `llm.*` inside is a compile error.", LIMITS, "on"),
    "on": _kind("A handler: `on event(params) { ... }`.", "", "emit if"),
    "engineering_loop": _kind(
        "A search: parameters, constraints, a measurement, a budget. It may not ask.",
        "constraint search trials seconds seed write_back",
        "parameter measure",
    ),
    "parameter": _kind("One axis of a search: `parameter BM: [16, 32, 64]`."),
    "measure": _kind(
        "What one trial does: a command, or a kernel.",
        "cmd kernel variant target shapes metric objective repeats timeout emits",
    ),
    "evaluation": _kind("Checks whose outcomes are metrics of the run.", "", "check"),
    "check": _kind("One check of an evaluation: its output is a metric."),
    "success": _kind("The condition that decides the exit code."),
    "build": _kind("Deliverables, made at the end of a run.", "", "artifact"),
    "artifact": _kind("A file to deliver: its generator and its input.", "generator input"),
    "protocol": _kind("A checklist: steps with an executable `check` run, others are manual.", "", "step"),
    "contract": _kind(
        "Scope, limits and policy of what runs.",
        f"supported_intents success_criteria roots env programs shell {LIMITS}",
        "autonomy budget",
    ),
    "autonomy": _kind("How far a run may go by itself.", f"mode {LIMITS}"),
    "effect": _kind("A syscall interface: only declared operations may be performed.", "description", "operation"),
    "operation": _kind("An operation of an effect, with the tool that performs it.", "tool description"),
    "component": _kind(
        "A component unit: the model writes its module.", "description invariant", "state function workflow struct type"
    ),
    "function": _kind("A function of a component."),
    "workflow": _kind("An orchestration, executed step by step.", f"intent success {LIMITS}", STEPPED),
    "emit": _kind("Emits a trace of a declared case: `emit TraceItem.Performance { tflops: x }`."),
    "if": _kind("Runs its body where the condition is true; unknown is not true."),
    "loop": _kind("Repeats its body, with a limit."),
    "return": _kind("The value of a fact or function."),
    "perform": _kind("Performs a declared operation of an effect."),
    "scope": _kind("Where a fact or rule holds: target, shapes, date, sample size.", "target shapes date samples"),
    "budget": _kind("Limits in tokens, seconds and cost.", "tokens seconds cost"),
    "limits": _kind("Limits of a run.", "max_steps seconds tokens cost"),
    "procedure": _kind("Pseudocode, kept as text."),
}


def tools() -> dict[str, Kind]:
    """`tool.NAME` for every tool, with its arguments."""
    from spak.semantics.toolbox import TOOLS

    return {
        f"tool.{name}": Kind(f"{tool.about[:1].upper()}{tool.about[1:]}.", (*tool.args, "output_var"))
        for name, tool in TOOLS.items()
    }


def kind(name: str) -> Kind | None:
    return KINDS.get(name) or tools().get(name)
