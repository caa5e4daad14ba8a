"""The step machine: CPU a step beside the action itself, and apart from it the wait for the disk.

python benchmarks/steps.py [STEPS]

The peer is doit, which records each finished task in a file as well (its JSON backend, written once at its end, so it
never waits for the disk): as many tasks, each an empty Python function. Everything is measured in one run,
interleaved, and reported as medians and ratios; absolute times depend on the machine. The goal is less than 1 ms of
CPU a step.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "compiler")]
ROUNDS = 5
GOAL = 1e-3  # seconds of CPU a step

HEAD = """
model {
  state total: int = 0
  state text: string = ""
}
trace_schema { variant TraceItem { case Performance { gflops: float  name: string } } }
fact slow(t: TraceItem.Performance) { return t.gflops < 10 }
fact fast(t: TraceItem.Performance) { return t.gflops >= 10 }
fact better(now: TraceItem.Performance, before: TraceItem.Performance) { return now.gflops > before.gflops }
rule "Tile it" { when: slow  apply: "Use tiles." }
rule "Keep it" { when: fast and better  apply: "Keep what was done." }
"""
STEPS = {
    "assignments": 'total = total + 1\n if total % 2 == 0 { text = "even {{total}}" } else { text = "odd" }',
    "a trace, 3 facts and 2 rules on it": 'emit TraceItem.Performance { gflops: 3.5, name: "x" }',
    "tool.read of 1 KB": 'text = tool.read { path: "note.txt" }',
}


def machine(root: Path, body: str, steps: int) -> tuple[float, float]:
    """CPU seconds of a run of that many steps, and the seconds it waited for the disk."""
    from spak.agents.journal import Journal
    from spak.agents.machine import Machine
    from spak.pipeline.measuring.services import Services
    from spak.pipeline.runs import running
    from spak.pipeline.runs.starting import Order, start, started
    from spak.semantics.resolve import load_program
    from spak.traces.writing import Writer

    (root / "t.dsl").write_text(f"{HEAD}\nagent_loop L {{ repeat: {steps}\n step s {{ {body} }} }}\n")
    folder = start(root, Order("t.dsl"), Services(root))
    begun, program = started(folder), load_program(folder.program, "t.dsl")
    writer = Writer(folder.trace, 0)
    journal = Journal(folder.id, [], writer)
    made = Machine(running.assemble(folder, begun, program, journal, lambda _: None))
    before = time.process_time()
    verdict = running.execute(made, begun, program)
    spent = time.process_time() - before
    writer.close()
    assert verdict.succeeded, verdict.why
    return spent, writer.waited


def action(root: Path, steps: int) -> float:
    """CPU seconds of that many reads by the tool alone."""
    from spak.agents import tools
    from spak.agents.policy import make
    from spak.pipeline.measuring.services import Services
    from spak.semantics.program import Fields, Template

    policy = make(root)
    context = tools.Context(root, policy, Services(root))
    args = Fields((("path", Template("note.txt")),))
    before = time.process_time()
    for _ in range(steps):
        assert tools.perform(tools.plan("read", args, {}, policy), context).ok
    return time.process_time() - before


def peer(root: Path, steps: int) -> float:
    """CPU seconds of doit on that many tasks that do nothing."""
    from doit.cmd_base import ModuleTaskLoader
    from doit.doit_cmd import DoitMain

    def task_step() -> object:
        for number in range(steps):
            yield {"name": str(number), "actions": [lambda: True], "uptodate": [False]}

    loader = ModuleTaskLoader(
        {
            "task_step": task_step,
            "DOIT_CONFIG": {"reporter": "zero", "backend": "json", "dep_file": str(root / f".doit-{os.getpid()}")},
        }
    )
    before = time.process_time()
    assert DoitMain(loader).run([]) == 0
    return time.process_time() - before


def main() -> int:
    """Measure and print; exit 1 if the goal is missed."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    cpu: dict[str, list[float]] = {name: [] for name in (*STEPS, "doit", "action")}
    waits: dict[str, list[float]] = {name: [] for name in STEPS}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "dodo.py").touch()
        (root / "note.txt").write_text("x" * 1024)
        for _ in range(ROUNDS + 1):
            for name, body in STEPS.items():
                spent, waited = machine(root, body, steps)
                cpu[name].append(spent / steps)
                waits[name].append(waited / steps)
            cpu["action"].append(action(root, steps) / steps)
            cpu["doit"].append(peer(root, steps) / steps)
    figures = {name: statistics.median(rows[1:]) for name, rows in cpu.items()}  # the first round imports
    own = {name: figures[name] for name in STEPS}
    own["tool.read of 1 KB"] -= figures["action"]
    print(f"{steps} steps a run, medians of {ROUNDS} runs, microseconds a step")
    for name in STEPS:
        wait = statistics.median(waits[name][1:])
        ratio = own[name] / figures["doit"]
        print(
            f"  {name:36} CPU {own[name] * 1e6:7.0f}   {ratio:5.2f} x doit's task   wait for the disk {wait * 1e6:7.0f}"
        )
    print(f"  {'doit, an empty task':36} CPU {figures['doit'] * 1e6:7.0f}")
    print(f"  {'(the read itself, taken off above)':36} CPU {figures['action'] * 1e6:7.0f}")
    worst = max(own.values())
    print(f"goal: under {GOAL * 1e6:.0f} us of CPU a step: {'met' if worst < GOAL else 'MISSED'} ({worst * 1e6:.0f})")
    return 0 if worst < GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
