"""Runs of programs: executed, gone on with, replayed. Wires the step machine to the project; knows no statement and
no tool.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.agents import evaluation, serving
from spak.agents.answers import Answers, checked
from spak.agents.evaluation import Verdict
from spak.agents.journal import Entry, Halt, Journal, Over, finished
from spak.agents.machine import Machine
from spak.agents.parts import Parts
from spak.agents.policy import Allowed, make
from spak.agents.scope import Outside, Scope
from spak.agents.spending import Spent, strictest
from spak.agents.tools import Context
from spak.errors import Diagnostic, SpakError, Waiting
from spak.knowledge.grounding import Grounding
from spak.pipeline.measuring.services import Services
from spak.pipeline.runs.knowing import remember
from spak.pipeline.runs.starting import Order, Part, Started, choose, limits_of, start, started
from spak.semantics.program import Procedure, Program
from spak.semantics.resolve import load_program
from spak.store import atomic
from spak.traces.folder import RunFolder
from spak.traces.reading import read_trace
from spak.traces.showing import trace_json
from spak.traces.writing import Writer

if TYPE_CHECKING:
    from spak.model.request import Question, Reply

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and what it took."""

    folder: RunFolder
    verdict: Verdict
    steps: dict[str, int]
    spent: Spent

    def to_json(self) -> dict[str, Any]:
        """For programs that read the command line's output."""
        verdict, spent = self.verdict, self.spent
        return {
            "run": self.folder.id, "folder": self.folder.shown, "status": verdict.status, "success": verdict.success,
            "metrics": verdict.metrics, "steps": self.steps, "seconds": round(spent.seconds, 6), "tokens": spent.tokens,
            "cost": spent.cost, "why": [one.to_json() for one in verdict.why],
        }  # fmt: skip


def run(root: Path, order: Order, say: Say) -> Ended:
    """Start a run and execute it. Raises Waiting where it has to wait."""
    return proceed(begin(root, order, say), say)


def begin(root: Path, order: Order, say: Say) -> RunFolder:
    """Start a run; nothing of it is executed yet."""
    folder = start(root, order, Services(root, order.handler))
    say(f"run {folder.id}")
    return folder


def proceed(folder: RunFolder, say: Say, answer: tuple[bytes, str] | None = None) -> Ended:
    """Execute a run from where its trace ends. `answer` is one to the query that waits, and where it was read from.

    Raises SpakError where somebody else has the run, and Waiting where it has to wait.
    """
    with folder.held():
        begun = started(folder)
        if answer is not None:
            put(folder, *answer)
        recorded, _ = read_trace(folder.trace, f"{folder.shown}/trace.jsonl")
        events = finished(recorded)
        writer = Writer(folder.trace, sum(len(one.to_line()) for one in events))
        program = load_program(folder.program, begun.order.program)
        journal = Journal(folder.id, events, writer, f"{folder.shown}/trace.jsonl")
        machine = Machine(assemble(folder, begun, program, journal, say))
        try:
            verdict = execute(machine, begun, program)
        finally:
            writer.sync()
            writer.close()
            leave(folder, machine, begun)
        return conclude(folder, machine, verdict, program)


def put(folder: RunFolder, data: bytes, shown: str) -> None:
    """Put an answer where the waiting query takes it from. Raises SpakError where none waits, or for another prompt."""
    if not folder.request.exists():
        hint = "`spak trace` shows where it is"
        raise SpakError(Diagnostic("SPK934", f"run {folder.id} does not wait for an answer", None, hint))
    checked(data, shown, str(folder.read(folder.request).get("prompt", "")))
    atomic.write(folder.response, data)


def assemble(folder: RunFolder, begun: Started, program: Program, journal: Journal, say: Say) -> Parts:
    """Everything that the machine works with."""
    root, order = folder.root, begun.order
    part = choose(program, order.name)
    scope = Scope(program, folder.id, order.args)
    grounding = Grounding(program, begun.constants, order.target, Outside(scope))
    scope.knowledge = grounding.view
    allowed = Allowed(tuple(order.roots), tuple(order.env), tuple(order.programs), order.allow_shell)
    policy = make(root, program.contract, allowed, span=program.contract.span if program.contract.span.file else None)
    context = Context(root, policy, Services(root, order.handler), folder.path, program.loops)
    spent = Spent(strictest(limits_of(program, part, order)))
    keep = partial(remember, root, grounding)
    return Parts(program, journal, scope, grounding, policy, context, answers(folder, order), spent, say, keep)


def answers(folder: RunFolder, order: Order) -> Answers:
    """Who answers the queries of a run."""
    directory = folder.root / order.answers if order.answers else None
    ask = live(folder.root) if order.handler == "live" else None
    return Answers(folder, directory, ask, order.handler == "frozen")


def live(root: Path) -> Callable[[Question], Reply]:
    """Asks the project's model. It is looked for only when there is something to ask."""

    def ask(question: Question) -> Reply:
        from spak.handlers import select
        from spak.pipeline.graph.project import load_project

        return select("live", root, load_project(root).settings.model)(question)

    return ask


def execute(machine: Machine, begun: Started, program: Program) -> Verdict:
    """From the first event to the last."""
    order = begun.order
    part = choose(program, order.name)
    kind = part.kind if isinstance(part, Procedure) else "service_loop"
    about = {
        "program": order.program,
        "source": begun.source,
        "procedure": part.name,
        "kind": kind,
        "flags": order.flags,
    }
    machine.parts.journal.add("run", "", Entry(about))
    try:
        body(machine, part, order)
    except (Waiting, Halt):
        raise
    except SpakError as error:  # a limit: no step of its own
        machine.failures += error.diagnostics
    verdict = evaluation.verdict(machine, part.success if isinstance(part, Procedure) else None)
    evaluation.end(machine, verdict)
    return verdict


def body(machine: Machine, part: Part, order: Order) -> None:
    if isinstance(part, Procedure):
        machine.procedure(part)
        if not machine.failures:
            evaluation.evaluate_checks(machine, part.evaluation)
    else:
        serving.serve(machine, part, given(machine.parts.journal, order))


def given(journal: Journal, order: Order) -> Iterator[serving.Given]:
    """The events of a service loop that have not been handled: of the command line, or of standard input."""
    if not order.events:
        yield from serving.lines_of(sys.stdin.buffer)
        return
    done = sum(one.kind == "event" for one in journal.recorded)
    yield from (serving.read_event(text) for text in order.events[done:])


def leave(folder: RunFolder, machine: Machine, begun: Started) -> None:
    """Write what can be derived: variables and states as they are, and the trace as one JSON list where it is wanted."""
    atomic.write(folder.context, as_json(machine.parts.scope.variables), durable=False)
    if begun.order.trace_json:
        events, _ = read_trace(folder.trace, f"{folder.shown}/trace.jsonl")
        atomic.write(folder.root / begun.order.trace_json, trace_json(events), durable=False)


def conclude(folder: RunFolder, machine: Machine, verdict: Verdict, program: Program) -> Ended:
    """What is left behind by a run that has ended; all of it follows from the trace, so doing it again changes nothing."""
    from spak.pipeline.runs.reporting import deliver

    atomic.write(folder.metrics, as_json(verdict.metrics))
    machine.parts.answers.settled()
    machine.parts.remember()
    deliver(folder.root, folder, program)
    return Ended(folder, verdict, machine.counts, machine.parts.spent)


def as_json(data: dict[str, Any]) -> bytes:
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()


def replay(folder: RunFolder) -> tuple[int, str]:
    """Execute a run again from its trace alone: (events that are the same, byte for byte; '' or how the trace ends
    too early).

    Raises SpakError (SPK926) at the first event that differs.
    """
    shown = f"{folder.shown}/trace.jsonl"
    begun = started(folder)
    recorded, size = read_trace(folder.trace, shown)
    program = load_program(folder.program, begun.order.program)
    journal = Journal(folder.id, recorded, None, shown)
    machine = Machine(assemble(folder, begun, program, journal, lambda _: None))
    missing = ""
    try:
        execute(machine, begun, program)
    except Over:
        missing = "the run has not ended"
    journal.same_bytes(folder.trace.read_bytes()[:size] if recorded else b"")
    return journal.seq, missing


def rehearsed(root: Path, order: Order) -> list[str]:
    """What a run would perform, as lines; nothing is performed."""
    from spak.agents.rehearsing import rehearse
    from spak.pipeline.runs.starting import arguments

    program = load_program(root, order.program)
    part = choose(program, order.name)
    scope = Scope(program, "dry-run", arguments(part, order.args))
    allowed = Allowed(tuple(order.roots), tuple(order.env), tuple(order.programs), order.allow_shell)
    policy = make(root, program.contract, allowed, span=None, dry_run=True)
    return rehearse(program, part, scope, policy)
