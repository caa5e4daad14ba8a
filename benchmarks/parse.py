"""CPU time to parse and check 1,000 spec files of 3 KB with all diagnostics, and to check them again unchanged.

Run as `python benchmarks/parse.py [--files 1000] [--json]`. The files are programs with a trace schema, facts, rules, a loop and
a search, none alike; one in ten has an error. The peer of the parser is ruamel.yaml, a round-trip parser in Python as ours is, on
YAML documents of the same sizes that hold the same declarations. Both are timed in turns (ABBA) in one process, in CPU time; a
ratio above 1 is faster than the peer. The check is `spak check` itself, in a child process, with nothing remembered and again.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compiler"))

MB_PER_MINUTE, AGAIN_SECONDS = 3.0, 1.0

HEAD = """// Program {n}: how a search is steered by what was measured.
trace_schema {{
  variant TraceItem {{
    case Performance {{ gflops: float, level: string, seconds: float }}
    case Correctness {{ passed: boolean, error: float }}
  }}
}}

state best_{n}: float = 0.0

engineering_loop tune_{n} {{
  parameter TILE: [16, 32, 64]
  parameter UNROLL: [1, 2, 4]
  constraint: TILE * UNROLL <= 128
  measure {{ cmd: "bench --tile {{{{TILE}}}}", metric: gflops, objective: maximize, emits: TraceItem.Performance }}
}}

agent_loop climb_{n} {{
  step ask {{
    llm.query {{ prompt: "the best so far is {{{{best_{n}}}}}; what next?", output_var: idea }}
  }}
  step act {{
    tool.run {{ cmd: ["make", "{{{{idea}}}}"], timeout: 60 }}
    emit TraceItem.Performance {{ gflops: 1.0, level: "naive", seconds: 2.0 }}
  }}
}}
"""
PIECE = """
// What case {i} tells.
fact is_slow_{i}(t: TraceItem.Performance) {{
  return t.gflops < {i}.5 && t.seconds > 0.{d}
}}

rule "Case {i}" {{
  when: is_slow_{i}
  apply: "use larger tiles than {i}, and keep them in registers"
  recommend: "TILE = {t}"
}}
"""
YAML = """
is_slow_{i}:
  kind: fact
  param: {{t: TraceItem.Performance}}
  return: "t.gflops < {i}.5 && t.seconds > 0.{d}"
Case {i}:
  kind: rule
  when: [is_slow_{i}]
  apply: "use larger tiles than {i}, and keep them in registers"
  recommend: {{TILE: {t}}}
"""


def texts(count: int) -> tuple[list[str], list[str]]:
    """Programs of about 3 KB, and YAML documents of the same declarations and sizes."""
    programs, documents = [], []
    for n in range(count):
        program, document = HEAD.format(n=n), f"name: program_{n}\n"
        i = 0
        while len(program) < 2900:
            i += 1
            program += PIECE.format(i=i, d=i % 9 + 1, t=(16, 32, 64)[i % 3])
        if n % 10 == 0:
            program = program.replace("when: is_slow_1\n", "when: is_slwo_1\n")
        i = 0
        while len(document) < len(program):
            i += 1
            document += YAML.format(i=i, d=i % 9 + 1, t=(16, 32, 64)[i % 3])
        programs.append(program)
        documents.append(document)
    return programs, documents


def parser_and_peer(programs: list[str], documents: list[str]) -> dict[str, float]:
    """MB a minute of the parser and of ruamel.yaml, and the median of their ratios, in turns."""
    from ruamel.yaml import YAML as Yaml
    from spak.errors import Collector
    from spak.lang.syntax import grammar, parse_text

    grammar()
    peer = Yaml()

    def ours(batch: list[str]) -> float:
        start = time.process_time()
        for text in batch:
            parse_text(text, "x.dsl", Collector())
        return time.process_time() - start

    def theirs(batch: list[str]) -> float:
        start = time.process_time()
        for text in batch:
            peer.load(io.StringIO(text))
        return time.process_time() - start

    ours(programs[:2]), theirs(documents[:2])
    ratios, used, peers, size, peer_size = [], 0.0, 0.0, 0, 0
    for at in range(0, min(len(programs), 100), 10):
        mine, other = programs[at : at + 10], documents[at : at + 10]
        first, second, third, fourth = ours(mine), theirs(other), theirs(other), ours(mine)
        bytes_mine, bytes_other = sum(map(len, mine)), sum(map(len, other))
        ratios.append((second + third) / bytes_other / ((first + fourth) / bytes_mine))
        used, peers = used + first + fourth, peers + second + third
        size, peer_size = size + 2 * bytes_mine, peer_size + 2 * bytes_other
    return {
        "parse_mb_a_minute": round(size / used * 60 / 1e6, 1),
        "ruamel_mb_a_minute": round(peer_size / peers * 60 / 1e6, 1),
        "ratio_to_ruamel": round(statistics.median(ratios), 2),
    }


def check(folder: Path) -> tuple[float, float, int]:
    """Wall and CPU seconds of one `spak check` of a project, and how many diagnostics it prints."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "compiler"), os.environ.get("PYTHONPATH", "")]),
    }
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run = [sys.executable, "-m", "spak", "check", "--json"]
    done = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, len(json.loads(done.stdout))


def main() -> int:
    """Measure and print; 1 where a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    programs, documents = texts(options.files)
    figures: dict[str, float] = {"files": len(programs), "megabytes": round(sum(map(len, programs)) / 1e6, 2)}
    figures |= parser_and_peer(programs, documents)
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        (folder / "dodo.py").write_text("")
        for number, text in enumerate(programs):
            path = folder / "specs" / f"p{number:04}" / f"p{number:04}.dsl"
            path.parent.mkdir(parents=True)
            path.write_text(text)
        _, cpu, found = check(folder)
        again = [check(folder) for _ in range(3)]
    wall = statistics.median(one[0] for one in again)
    figures["check_cpu_seconds"] = round(cpu, 2)
    figures["check_mb_a_minute_a_core"] = round(figures["megabytes"] / cpu * 60, 1)
    figures["diagnostics"] = found
    figures["again_wall_seconds"] = round(wall, 3)
    figures["again_cpu_seconds"] = round(statistics.median(one[1] for one in again), 3)
    good = figures["check_mb_a_minute_a_core"] >= MB_PER_MINUTE and wall < AGAIN_SECONDS
    good &= all(one[2] == found for one in again)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name.replace('_', ' ')}: {value}")
        print(f"budgets: {MB_PER_MINUTE} MB a minute a core, {AGAIN_SECONDS} s again: {'met' if good else 'MISSED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
