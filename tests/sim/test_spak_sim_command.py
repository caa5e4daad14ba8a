"""`spak sim`: programs as they stand are run, their findings placed, their errors told in their own terms."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sim_harness
from spak.errors import SpakError
from spak.sim import library, profile, program, report
from spak.sim.program import Settings

RACE = """\
#include <cstdio>
#include "helper.cuh"

__global__ void race(int* out) {
  __shared__ int tile[128];
  tile[threadIdx.x] = threadIdx.x;
  out[threadIdx.x] = mirrored(tile);
}

int main(int argc, char** argv) {
  int* d;
  cudaMalloc(&d, 128 * sizeof(int));
  race<<<1, 128>>>(d);
  printf("%s, %d, %s\\n", cudaGetErrorString(cudaDeviceSynchronize()), FACTOR, argc > 1 ? argv[1] : "");
  return twice(argc) - 4;
}
"""
HELPER = """\
#pragma once
__device__ inline int mirrored(const int* tile) {
  return tile[127 - threadIdx.x];
}
int twice(int x);
"""
pytestmark = pytest.mark.xdist_group("spak_sim")


@pytest.fixture(autouse=True)
def kept_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator's library is compiled once on a machine, as for everybody else here."""
    monkeypatch.setenv("SPAK_CACHE", str(sim_harness.cache() / "product"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "race.cu").write_text(RACE)
    other = "#ifdef __CUDACC__\n#error not CUDA\n#endif\nint twice(int x) { int float4 = 2; return float4 * x; }\n"
    (tmp_path / "src" / "other.cpp").write_text(other)
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "helper.cuh").write_text(HELPER)
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def spak(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "spak", "sim", *words], capture_output=True, text=True)


def test_a_race_is_found_in_a_program_of_several_files(here: Path) -> None:
    files = ["src/race.cu", "src/other.cpp", "-I", "inc", "-DFACTOR=3"]
    done = spak(*files, "--mode", "check", "-O1", "--", "--seed")
    assert done.stdout == "no error, 3, --seed\n"
    assert done.returncode == 1, done.stderr
    assert "SPK540" in done.stderr and "[race-shared]" in done.stderr, done.stderr
    assert "inc/helper.cuh:3" in done.stderr and "return tile[127 - threadIdx.x];" in done.stderr
    assert "tile[threadIdx.x] = threadIdx.x;" in done.stderr and "hint: " in done.stderr
    assert "1 finding: 1 race-shared" in done.stderr
    written = spak(*files, "--mode", "check", "-O1", "--report", "sarif", "-o", "out.sarif", "--", "x", "y")
    assert written.returncode == 2 and written.stderr == ""  # the program's own status goes first
    (result,) = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    uris = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for place in result["locations"] + result["relatedLocations"]
    ]
    assert set(uris) == {"src/race.cu", "inc/helper.cuh"}


def test_compile_errors_are_in_the_programs_own_terms(here: Path) -> None:
    text = RACE.replace("int* d;", "int* d; undeclared = 1;").replace("mirrored(tile)", "mirrored(1.5)")
    Path("src/race.cu").write_text(text)
    with pytest.raises(SpakError) as caught:
        program.build(["src/race.cu"], Settings(optimise="1", include_dirs=(Path("inc"),)), here)
    said = [str(one) for one in caught.value.diagnostics]
    assert any(line.startswith("src/race.cu:11:11: SPK581: 'undeclared' was not declared") for line in said), said
    assert any(line.startswith("src/race.cu:7:") and "SPK581" in line for line in said), said
    assert not any("__spak" in line or "/tmp" in line for line in said), said


def test_what_cannot_be_run_is_told_before_anything_is_compiled(here: Path) -> None:
    for words, status, what in [
        (["src/none.cu"], 2, "src/none.cu:1:1: SPK580: the file cannot be read"),
        (["inc"], 2, "SPK580"),
        (["src/race.cu", "--device", "abacus"], 2, "SPK583: there is no device 'abacus'. hint: there are h200, h100"),
        (["src/race.cu", "--mode", "fast"], 2, "is not one of"),
        ([], 2, "Missing argument"),
    ]:
        done = spak(*words)
        assert done.returncode == status and what in done.stderr, done.stderr
    Path("src/race.cu").write_text('__global__ void k() {\n  getenv("A");\n  abort();\n}\n')
    done = spak("src/race.cu")
    assert done.returncode == 2
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["src/race.cu:2:3", "SPK573"],
        ["src/race.cu:3:3", "SPK573"],
    ]


def test_an_unknown_instruction_is_told_where_it_is_compiled(here: Path) -> None:
    Path("src/race.cu").write_text(
        '#ifdef NEVER\n__device__ void f() { asm("frobnicate;"); }\n#endif\n'
        '__global__ void k() {\n  asm("frobnicate.b32 %0;" :: "r"(1));\n}\nint main() { k<<<1, 1>>>(); }\n'
    )
    done = spak("src/race.cu")
    assert done.returncode == 2 and done.stderr.count("SPK591") == 1
    assert "src/race.cu:5:7: SPK591: the simulator has no model of" in done.stderr, done.stderr


def test_a_program_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_GRACE", 0)
    status, ended = program._wait(["sleep", "60"], dict(os.environ), 1)
    assert status == -9 and ended is not None and "SPK585: the program was ended after 1 s" in str(ended)
    status, ended = program._wait(["sh", "-c", "kill -SEGV $$"], dict(os.environ), 0)
    assert status == -11 and "ended by SIGSEGV" in str(ended)


def test_devices_come_from_the_runtimes_own_table() -> None:
    known = library.devices()
    assert known["h200"] == 900 and known["a100"] == 800 and next(iter(known)) == "h200"


def test_missing_parts_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPAK_CUDA_INCLUDE", str(tmp_path))
    with pytest.raises(SpakError, match="SPK582: the headers of the CUDA toolkit were not found"):
        library.toolchain()
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(SpakError, match="SPK582: the compiler 'no-such-compiler' is not on the PATH"):
        library.toolchain()


def test_an_object_is_kept_until_a_file_that_it_includes_changes(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text("#include <vector>\n")
    (tmp_path / "a.cpp").write_text('#include "a.h"\n')
    assert [path.name for path in library.closure(tmp_path / "a.cpp")] == ["a.cpp", "a.h"]
    tools = library.Toolchain("g++", "12", tmp_path, ())
    before = library._key(tools, ["g++"], library.closure(tmp_path / "a.cpp"))
    (tmp_path / "a.h").write_text("#include <map>\n")
    assert library._key(tools, ["g++"], library.closure(tmp_path / "a.cpp")) != before


def test_counters_become_a_table() -> None:
    launch = {
        "kernel": "k",
        "grid": [2, 1, 1],
        "block": [32, 1, 1],
        "counters": {"loads": 3000, "zero": 0},
        "places": [],
    }
    text = profile.text(profile.read(json.dumps([launch]) + "\n" + json.dumps([launch]) + "\n"))
    assert text == "profile of `k`, (2,1,1) x (32,1,1), 2 launches\n  loads             6,000\n"
    assert report.text(()) == ""
