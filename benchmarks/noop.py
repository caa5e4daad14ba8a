"""No-op builds: `spak build` against the bare interpreter, and plain `doit build` against stock doit on as many empty
tasks.

    python benchmarks/noop.py [TASKS]

Everything is measured in one run, interleaved, and reported as ratios and differences of medians; absolute times depend
on the machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO), str(REPO / "compiler")]
ROUNDS = 15
STOCK = """
def task_empty():
    for number in range({tasks}):
        yield {{"name": str(number), "actions": None, "uptodate": [True]}}
"""
FILES = """
DOIT_CONFIG = {{"backend": "json"}}
def task_file():
    for number in range({tasks}):
        yield {{"name": str(number), "actions": ["echo x > out%d" % number], "file_dep": ["in%d" % (number % 50)],
        "targets": ["out%d" % number]}}
"""
ENTRY = "import sys; sys.argv = ['spak', 'build']; from spak.cli import main; main()"


def generate(folder: Path, tasks: int) -> Path:
    """A built project of that many tasks, each with an input and an output."""
    from tests.faults.tree import Tree

    tree = Tree(folder / "project")
    for number in range(50):
        tree.put(f"in/{number}", str(number))
    for number in range(tasks):
        tree.action(
            f"out/{number // 100}/{number}", (f"in/{number % 50}",), name=f"make:{number}", log="", text=str(number)
        )
    tree.write()
    tree.build()
    return tree.root


def stock(folder: Path, name: str, text: str, tasks: int) -> Path:
    """A project for stock doit, built."""
    root = folder / name
    root.mkdir()
    (root / "dodo.py").write_text(text.format(tasks=tasks))
    for number in range(50):
        (root / f"in{number}").write_text("x")
    subprocess.run([sys.executable, "-m", "doit"], cwd=root, check=True, stdout=subprocess.DEVNULL)
    return root


def once(argv: list[str], cwd: Path) -> tuple[float, float]:
    """Seconds of wall clock and of CPU for one run."""
    env = {**os.environ, "PYTHONPATH": f"{REPO / 'compiler'}:{REPO}"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _cpu_ratio(cpu: dict[str, float]) -> float:
    return cpu["doit build"] / cpu["stock doit, empty tasks"]


def main() -> int:
    """Measure and print; exit 1 if a goal is missed."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="spak-noop-") as name:
        folder = Path(name)
        ours = generate(folder, tasks)
        python, doit = [sys.executable], [sys.executable, "-m", "doit"]
        runs = {
            "python -c pass": ([*python, "-c", "pass"], ours),
            "spak build": ([*python, "-c", ENTRY], ours),
            "stock doit, empty tasks": (doit, stock(folder, "empty", STOCK, tasks)),
            "stock doit, one file each": (doit, stock(folder, "file", FILES, tasks)),
            "doit build": ([*doit, "build"], ours),
        }
        for argv, cwd in runs.values():
            once(argv, cwd)
        seen: dict[str, list[tuple[float, float]]] = {run: [] for run in runs}
        for _ in range(ROUNDS):
            for run, (argv, cwd) in runs.items():
                seen[run].append(once(argv, cwd))
    wall = {run: statistics.median(w for w, _ in rows) for run, rows in seen.items()}
    best = {run: min(w for w, _ in rows) for run, rows in seen.items()}
    cpu = {run: statistics.median(c for _, c in rows) for run, rows in seen.items()}
    print(f"{tasks} tasks, {ROUNDS} rounds; milliseconds: median wall, best wall, median CPU")
    for run in runs:
        print(f"  {run:<28} {wall[run] * 1e3:8.1f} {best[run] * 1e3:8.1f} {cpu[run] * 1e3:8.1f}")
    spent = (cpu["spak build"] - cpu["python -c pass"]) * 1e3
    print(f"CPU: spak build over the bare interpreter: +{spent:.1f} ms")
    print(f"CPU: doit build over stock doit, empty tasks: {_cpu_ratio(cpu):.2f}")
    over = (best["spak build"] - best["python -c pass"]) * 1e3
    ratio = best["doit build"] / best["stock doit, empty tasks"]
    print(f"spak build over the bare interpreter: +{over:.1f} ms (goal for 1,000 tasks: 25)")
    print(f"doit build over stock doit, empty tasks: {ratio:.2f} (goal: 1.50)")
    print(f"doit build over stock doit, one file each: {best['doit build'] / best['stock doit, one file each']:.2f}")
    return int(ratio > 1.5 or (tasks <= 1000 and over > 25))


if __name__ == "__main__":
    sys.exit(main())
