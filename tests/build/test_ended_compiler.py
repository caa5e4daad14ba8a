"""A compiler that is ended before it is done says nothing of what it compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spak.build import cmake
from spak.effects import Completed, Effects
from spak.errors import SpakError

PROJECT = b"cmake_minimum_required(VERSION 3.24)\nproject(p LANGUAGES CXX)\nadd_library(k STATIC kernel.cpp)\n"
KILL_NINJA = """at=$$
while read -r name < /proc/$at/comm && [ "$name" != ninja ]; do
  at=$(sed -n 's/^PPid:\\s*//p' /proc/$at/status)
done
kill -KILL $at"""


class Hurried(Effects):
    """Gives the build, not its configuration, a second."""

    def run(self, argv: Sequence[str], **how: Any) -> Completed:
        if "-C" in argv:
            how["limits"] = replace(how["limits"], wall_seconds=1)
        return super().run(argv, **how)


def built(folder: Path, fate: str, *, do: Effects | None = None) -> cmake.Built:
    """Build a file with the host's g++, whose compiler proper meets its fate there."""
    proper, driver = folder / "bin" / "cc1plus", folder / "bin" / "driver"
    proper.parent.mkdir()
    proper.write_text(f"#!/bin/sh\n{fate}\n")
    driver.write_text(f'#!/bin/sh\ncase "$*" in *kernel.cpp*) set -- -B{proper.parent}/ "$@" ;; esac\nexec g++ "$@"\n')
    for program in (proper, driver):
        program.chmod(0o755)
    files = {"CMakeLists.txt": PROJECT, "kernel.cpp": b"int f() { return 1; }\n"}
    return cmake.build(folder / "made", files, {}, str(driver), do or Effects())


def test_a_compiler_that_is_killed_is_no_fault_of_the_code(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK517.*ended before it was done \(signal SIGKILL\)"):
        built(tmp_path, "kill -KILL $$")


def test_a_build_that_is_killed_is_no_fault_of_the_code(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK517.*ended before it was done \(signal SIGKILL\)"):
        built(tmp_path, KILL_NINJA)


def test_a_machine_that_has_no_time_is_no_fault_of_the_code(tmp_path: Path) -> None:
    with pytest.raises(SpakError, match=r"SPK517.*ended before it was done \(timed out\)"):
        built(tmp_path, "sleep 600", do=Hurried())


def test_code_that_takes_too_much_is_the_codes_fault(tmp_path: Path) -> None:
    done = built(tmp_path, "kill -XCPU $$")
    assert not done.ok and "CPU time limit exceeded" in done.log
