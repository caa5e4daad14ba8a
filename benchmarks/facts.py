"""Facts in bulk: a recorded run's traces from disk against every fact, beside the evaluator that takes them one by one.

    python benchmarks/facts.py [TRACES] [FACTS]

The peer is `spak.lang.expr.evaluate` in a loop over the same traces, read in the same way, and both must find the same
values. The reading of the file is measured apart as well, beside the bare `json.loads` of every line. Everything is measured
in one run, interleaved, and reported as medians and ratios; absolute times depend on the machine.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "compiler")]
ROUNDS = 5
LIMIT = 2.0  # seconds of the goal, for 100,000 traces against 50 facts
CONSTANTS = {"PEAK_GFLOPS": 96.0, "MAX_BW": 24.5, "CORES": 2}
CASE = "TraceItem.Performance"
CONDITIONS = (
    "t.gflops / PEAK_GFLOPS < 0.{n}",
    "t.gbytes / MAX_BW > 0.8 && t.gflops < PEAK_GFLOPS / {m}",
    'now.level == "tiled" && now.gflops > before.gflops * 1.{n}',
    "t.m * t.n * t.k > {n} * 1000000 || t.spills == 0",
    "cdiv(t.m, {m}) * cdiv(t.n, 64) % CORES == 0",
    't.level in ["naive", "blocked"] && !(t.seconds > 0.0{n})',
    "max(t.gflops, t.gbytes) / t.spills > {m}",
    "abs(t.seconds - 0.01) < 0.00{n} && t.packed == true",
    "2 * t.m * t.n * t.k / t.seconds / 1e9 > {n}",
    "min(t.m, t.n, t.k) >= {m} && t.missing > 1",
)


def write(path: Path, traces: int) -> None:
    """A run's trace as the step machine writes it."""
    from spak.traces.event import Event

    rng = random.Random(7)
    with path.open("wb") as file:
        for seq in range(1, traces + 1):
            fields = {
                "level": rng.choice(["naive", "blocked", "tiled", "packed"]),
                "gflops": rng.uniform(0, 96),
                "gbytes": rng.uniform(0, 25),
                "seconds": rng.uniform(0, 0.1),
                "m": rng.choice([64, 128, 1000, 1024]),
                "n": rng.choice([64, 128, 1000, 1024]),
                "k": rng.choice([64, 128, 1000, 1024]),
                "spills": rng.choice([0, 0, 0, 8]),
                "packed": rng.random() < 0.5,
            }
            data = {"case": CASE, "fields": fields, "source": "stdout", "line": 1}
            file.write(Event(seq, "emit", "run-1", "measure", "2026-01-01T00:00:00.000000Z", data=data).to_line())


def make_facts(count: int) -> list[Any]:
    from spak.lang.expr import parse_expr
    from spak.semantics.program import Fact

    made = []
    for number in range(count):
        text = CONDITIONS[number % len(CONDITIONS)].format(n=number % 9 + 1, m=2 ** (number % 6 + 1))
        two = "before" in text
        params = (("now", CASE), ("before", CASE)) if two else (("t", CASE),)
        made.append(Fact(f"fact_{number}", params, parse_expr(text)))
    return made


def in_bulk(path: Path, facts: list[Any]) -> dict[str, list[int]]:
    from spak.knowledge.columns import evaluate_all
    from spak.knowledge.table import read

    columns = evaluate_all(facts, read(path), CONSTANTS)
    return {name: column.values.tolist() for name, column in columns.items()}


def one_by_one(path: Path, facts: list[Any]) -> dict[str, list[int]]:
    from spak.knowledge.table import read
    from spak.lang.expr import evaluate

    rows = read(path).fields
    found: dict[str, list[int]] = {}
    for fact in facts:
        names = [name for name, _ in fact.params]
        values = found[fact.name] = []
        for row in range(len(rows)):
            if len(names) > row + 1:
                values.append(-1)
                continue
            env = {**CONSTANTS, **{name: rows[row - back] for back, name in enumerate(names)}}
            value = evaluate(fact.body, env)
            values.append(int(value) if isinstance(value, bool) else -1)
    return found


def bare(path: Path) -> list[Any]:
    with path.open("rb") as file:
        return [json.loads(line) for line in file]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def main() -> None:
    from spak.knowledge.table import read

    traces = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    facts = make_facts(count)
    times: dict[str, list[float]] = {"bulk": [], "reading": [], "json.loads alone": [], "one by one": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.jsonl"
        write(path, traces)
        for number in range(ROUNDS):
            spent, ours = timed(lambda: in_bulk(path, facts))
            times["bulk"].append(spent)
            times["reading"].append(timed(lambda: read(path))[0])
            times["json.loads alone"].append(timed(lambda: bare(path))[0])
            if number == 0:  # it takes long
                spent, theirs = timed(lambda: one_by_one(path, facts))
                times["one by one"].append(spent)
                assert ours == theirs, "the two disagree"
        size = path.stat().st_size
    median = {name: statistics.median(spent) for name, spent in times.items()}
    print(f"{traces} traces ({size / 1e6:.1f} MB) against {count} facts, medians:")
    for name, spent in median.items():
        print(f"  {name:<18} {spent:8.3f} s   from {min(times[name]):.3f} to {max(times[name]):.3f}")
    print(f"  one by one / bulk: {median['one by one'] / median['bulk']:.1f}")
    print(f"  reading / json.loads alone: {median['reading'] / median['json.loads alone']:.2f}")
    if (traces, count) == (100_000, 50):
        print(f"  the goal of {LIMIT:.0f} s is {'met' if median['bulk'] < LIMIT else 'missed'}")


if __name__ == "__main__":
    main()
