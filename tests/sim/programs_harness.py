"""Build and run CUDA programs as `spak sim` does, against a library that is compiled once on a machine. Knows no program."""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import sim_harness
from spak.sim import findings, program
from spak.sim.findings import Finding
from spak.sim.program import Settings

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Outcome:
    """What a program returned and printed, and what the simulator found."""

    status: int
    out: str
    err: str
    found: tuple[Finding, ...]

    @property
    def rules(self) -> list[str]:
        return [finding.rule for finding in self.found]


@functools.cache
def _built(source: Path, mode: str) -> tuple[Path, tuple[tuple[str, str], ...]]:
    folder = Path(tempfile.mkdtemp(prefix=f"{source.stem}-{mode}-"))
    with sim_harness.kept_library():
        made, names = program.build([str(source)], Settings(mode=mode, optimise="1"), folder)
    return made, tuple(names.items())


def run(source: Path, mode: str, *arguments: str, **env: str) -> Outcome:
    """`env` as SPAK_SIM_<key>. A file is compiled once a mode and test process."""
    made, names = _built(source, mode)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "findings.jsonl"
        settled = {"SPAK_SIM_MODE": mode, "SPAK_SIM_REPORT": str(report), "SPAK_SIM_COUNTERS": f"{folder}/counters"}
        settled |= {f"SPAK_SIM_{key.upper()}": value for key, value in env.items()}
        done = subprocess.run(
            [str(made), *arguments], env=os.environ | settled, capture_output=True, text=True, timeout=600
        )
        text = report.read_text() if report.exists() else ""
        return Outcome(done.returncode, done.stdout, done.stderr, findings.read(text, made, dict(names)))
