"""The engine on other machines and in other builds: AArch64, the portable switch, AddressSanitizer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import sim_harness

SOURCE = Path(__file__).parent / "kernels" / "portable.cu"
RAN = ["sums: ran"] * 3
ENDED = ["skips: divergent-barrier", "throws: exception", "polls: ran", "loops: no-progress"]
PARTS = ["engine", "check", "profile"]  # what links without the models
TRAPPED = ["recurses: stack-overflow", "touches: invalid-address"]


def output(program: list[str], *arguments: str) -> list[str]:
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=600, env=dict(os.environ))
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_the_portable_switch() -> None:
    """ucontext instead of assembly: slower, and the same otherwise."""
    flags = ["-DSPAK_SIM_UCONTEXT=1"]
    program = sim_harness.build_program(SOURCE, flags=["-Wno-error"], engine_flags=flags, parts=PARTS)
    want = [*RAN, *ENDED, *TRAPPED, "divides: arithmetic", "1 findings"]
    assert output([str(program)], "traps") == want


@pytest.mark.skipif(
    not shutil.which("aarch64-linux-gnu-g++") or not shutil.which("qemu-aarch64"),
    reason="no cross compiler or emulator for AArch64",
)
def test_aarch64() -> None:
    program = sim_harness.build_program(SOURCE, flags=["-Wno-error"], parts=PARTS, machine="aarch64")
    # An integer division by zero does not trap there, and is 0.
    assert output(["qemu-aarch64", str(program)], "traps") == [*RAN, *ENDED, *TRAPPED, "divides: ran", "1 findings"]


def test_address_sanitizer_follows_the_switches() -> None:
    program = sim_harness.build_program(SOURCE, "asan", flags=["-Wno-error"])
    assert output([str(program)]) == [*RAN, *ENDED, "1 findings"]
    for defect, what in [("heap", "heap-buffer-overflow"), ("shared", "use-after-poison")]:
        done = subprocess.run([str(program), defect], capture_output=True, text=True, timeout=600)
        assert done.returncode != 0 and what in done.stderr and "portable.cu:" in done.stderr, done.stderr[-2000:]
