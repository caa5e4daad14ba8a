"""Findings: instructions become lines of the user's own file, and every format says the same."""

from __future__ import annotations

import ctypes
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from spak.errors import Diagnostic, SpakError, Span
from spak.errors.catalogue import catalogue
from spak.sim import asan, report, rules
from spak.sim.findings import read

KERNEL = """\
__global__ void k(float* out) {
  __shared__ float tile[64];
  tile[threadIdx.x] = 1;
\tout[0] = tile[63 - threadIdx.x];
}
"""


def row(**changes: Any) -> dict[str, Any]:
    parties = [
        {"role": "reads", "file": "k.cu", "line": 4, "threads": "block (0,0,0), thread (3,0,0)", "what": "4 bytes"},
        {"role": "writes", "file": "k.cu", "line": 3, "threads": "block (0,0,0), thread (60,0,0)", "what": "4 bytes"},
    ]
    sentence = "two threads touch the same bytes of `tile`"
    known = {
        "rule": "race-shared",
        "sentence": sentence,
        "hint": "put __syncthreads() between",
        "count": 3,
        "kernel": "k",
    }
    return known | {"parties": parties} | changes


def text_of(*rows: dict[str, Any]) -> str:
    return json.dumps(list(rows)) + "\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "k.cu").write_text(KERNEL)
    return tmp_path


def test_a_finding_is_a_diagnostic_with_both_lines(here: Path) -> None:
    (found,) = read(text_of(row()), None, root=here)
    said = found.diagnostic()
    assert (said.code, said.span) == ("SPK540", Span("k.cu", 4, 2, 4, 34))
    assert str(said.related[0]) == "k.cu:4:2: reads 4 bytes: block (0,0,0), thread (3,0,0)"
    assert str(said.related[1]).startswith("k.cu:3:3: writes") and "seen 3 times" in said.notes[0]
    assert Diagnostic.from_json(said.to_json()) == said


def test_text_shows_lines_marks_threads_and_hint(here: Path) -> None:
    (found,) = read(text_of(row()), None, root=here, schedule="seed 1, lazy")
    assert (
        report.text([found], here)
        == """\
k.cu:4:2: SPK540: two threads touch the same bytes of `tile`. [race-shared]
  4 |     out[0] = tile[63 - threadIdx.x];
    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ reads 4 bytes: block (0,0,0), thread (3,0,0)
  3 |   tile[threadIdx.x] = 1;
    |   ^^^^^^^^^^^^^^^^^^^^^^ writes 4 bytes: block (0,0,0), thread (60,0,0)
    = in kernel `k`, seen 3 times, schedule seed 1, lazy
    = hint: put __syncthreads() between

1 finding: 1 race-shared
"""
    )


def test_names_are_those_that_people_know(here: Path) -> None:
    (found,) = read(text_of(row()), None, {"k.cu": "generated/u/k.cu"}, root=here)
    assert found.place is not None and found.place.span == Span("generated/u/k.cu", 4)
    assert "  4 | reads 4 bytes" in report.text([found], here)  # without the file, the place alone


def test_the_same_finding_of_two_launches_is_one(here: Path) -> None:
    assert [one.count for one in read(text_of(row()) + text_of(row()), None, root=here)] == [6]
    assert len(read(text_of(row(), row(rule="race-warp")), None, root=here)) == 2


@pytest.mark.parametrize("text", ["{", "[1]", '[{"rule": "x"}]', '[{"rule": 1, "sentence": "", "parties": []}]', "5"])
def test_a_broken_report_is_named(text: str) -> None:
    with pytest.raises(SpakError, match="SPK586"):
        read(text, None)


def test_instructions_are_resolved_through_headers(tmp_path: Path) -> None:
    """The pc lies in a header's inlined function: the place is the call in one's own file, and its caller beside it."""
    (tmp_path / "spak" / "cuda").mkdir(parents=True)
    header = "extern void* pc();\n\nstatic inline __attribute__((always_inline)) void* spot() {\n  return pc();\n}\n"
    (tmp_path / "spak" / "cuda" / "spot.h").write_text(header)
    source = (
        '#include "spak/cuda/spot.h"\n__attribute__((noinline)) void* pc() { return __builtin_return_address(0); }\n'
    )
    source += "static inline __attribute__((always_inline)) void* inner() {\n  void* a = spot();\n"
    source += '  asm volatile("" ::: "memory");\n  return a;\n}\n'
    source += 'extern "C" void* outer() {\n  void* a = inner();\n  asm volatile("");\n  return a;\n}\n'
    (tmp_path / "own.cpp").write_text(source)
    command = ["g++", "-O1", "-g1", "-shared", "-fPIC", "own.cpp", "-o", "own.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = ctypes.CDLL(str(tmp_path / "own.so"))
    library.outer.restype = ctypes.c_void_p
    with Path("/proc/self/maps").open() as maps:
        base = min(int(line.split("-")[0], 16) for line in maps if "own.so" in line)
    party = {"role": "reads", "file": "", "line": 0, "pc": hex(library.outer() - base)}
    (found,) = read(text_of(row(parties=[party])), tmp_path / "own.so", root=tmp_path)
    place = found.place
    assert place is not None and Path(place.span.file).name == "own.cpp" and place.span.line == 4
    assert place.through == ("spak/cuda/spot.h:4",) and [span.line for span in place.callers] == [9]
    assert "called from" in report.text([found])
    inner, outer = found.diagnostic().related
    assert inner.what.endswith("in spak/cuda/spot.h:4") and outer.what == "called from here"
    assert outer.span is not None and outer.span.line == 9
    (unknown,) = read(text_of(row(parties=[party | {"pc": "0x1"}])), tmp_path / "own.so", root=tmp_path)
    assert unknown.place is None and unknown.diagnostic().span is None


def test_json_and_sarif_say_the_same(here: Path) -> None:
    far = {"role": "waits", "file": "", "line": 0, "threads": "threads 0-31", "what": ""}
    rows = [row(), row(rule="deadlock", parties=[far]), row(rule="never heard of")]
    found = read(text_of(*rows), None, root=here)
    plain = json.loads(report.json(found))
    assert [one["code"] for one in plain["findings"]] == ["SPK540", "SPK552", "SPK566"]
    assert plain["findings"][0]["class"] == "races" and plain["findings"][0]["parties"][1]["line"] == 3
    check_sarif(json.loads(report.sarif(found)))
    run = json.loads(report.sarif(found))["runs"][0]
    first, second, _ = run["results"]
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 34}
    assert [one["physicalLocation"]["region"]["startLine"] for one in first["relatedLocations"]] == [3]
    assert "locations" not in second and run["tool"]["driver"]["rules"][second["ruleIndex"]]["id"] == "SPK552"
    check_sarif(json.loads(report.sarif(())))


# The part of the schema of SARIF 2.1.0 (OASIS, section 3) that reports use: allowed keys, and which of them are required.
SHAPE: dict[str, tuple[set[str], set[str]]] = {
    "log": ({"$schema", "version", "runs"}, {"version", "runs"}),
    "run": ({"tool", "columnKind", "results", "artifacts", "invocations", "properties"}, {"tool"}),
    "driver": ({"name", "version", "rules", "informationUri"}, {"name"}),
    "rule": ({"id", "name", "shortDescription", "fullDescription", "defaultConfiguration", "help"}, {"id"}),
    "result": (
        {
            *("ruleId", "ruleIndex", "level", "kind", "message", "locations", "relatedLocations"),
            *("partialFingerprints", "occurrenceCount", "properties"),
        },
        {"message"},
    ),
    "location": ({"id", "physicalLocation", "message"}, {"physicalLocation"}),
    "physical": ({"artifactLocation", "region"}, {"artifactLocation"}),
    "region": ({"startLine", "startColumn", "endLine", "endColumn"}, {"startLine"}),
}


def keys(name: str, value: dict[str, Any]) -> None:
    allowed, required = SHAPE[name]
    assert required <= set(value) <= allowed, (name, sorted(value))


def check_sarif(log: dict[str, Any]) -> None:
    keys("log", log)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    keys("run", run)
    keys("driver", run["tool"]["driver"])
    rules_of = run["tool"]["driver"]["rules"]
    for rule in rules_of:
        keys("rule", rule)
        assert rule["shortDescription"]["text"]
    for result in run["results"]:
        keys("result", result)
        assert rules_of[result["ruleIndex"]]["id"] == result["ruleId"] and result["message"]["text"]
        assert result["level"] in ("none", "note", "warning", "error") and result["occurrenceCount"] >= 1
        for location in [*result.get("locations", ()), *result.get("relatedLocations", ())]:
            keys("location", location)
            keys("physical", location["physicalLocation"])
            assert " " not in location["physicalLocation"]["artifactLocation"]["uri"]
            region = location["physicalLocation"]["region"]
            keys("region", region)
            assert all(isinstance(number, int) and number >= 1 for number in region.values())


def test_every_rule_has_its_own_code_and_explanation() -> None:
    assert len(set(rules.CODES.values())) == len(rules.CODES) == sum(map(len, rules.CLASSES.values()))
    assert set(rules.CODES.values()) <= set(catalogue())
    explained = {code for code in catalogue() if "SPK530" <= code < "SPK580"}
    assert explained == set(rules.CODES.values())


def test_a_header_of_ours_is_not_taken_for_a_file_of_the_same_name() -> None:
    party = {"role": "reads", "file": "/somewhere/include/spak/cuda/block.h", "line": 4}
    (found,) = read(text_of(row(parties=[party])), None, {"block.h": "src/block.h", "/w/block.h": "src/block.h"})
    assert found.place is not None and found.place.span.file == "/somewhere/include/spak/cuda/block.h"
    (found,) = read(text_of(row(parties=[party | {"file": "/w/block.h"}])), None, {"/w/block.h": "src/block.h"})
    assert found.place is not None and found.place.span.file == "src/block.h"


ASAN = """\
=================================================================
==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000030 at pc 0x5653 bp 0x7ffd sp 0x7ffd
WRITE of size 4 at 0x602000000030 thread T0
    #0 0x5653eef7e468 in bool load<int>(int*) /opt/include/spak/sim/load_store.h:9
    #1 0x5653eef7e468 in k(int*)::{lambda()#1}::operator()() /w/k.cu:3
    #2 0x5653eef7e468 in main /w/k.cu:4

0x602000000030 is located 0 bytes inside of 16-byte region [0x602000000030,0x602000000040)
freed by thread T0 here:
    #0 0x7f59 in operator delete[](void*) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:152
    #1 0x5653 in main /w/k.cu:2

previously allocated by thread T0 here:
    #0 0x7f59 in operator new[](unsigned long) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:98
    #1 0x5653 in main /w/k.cu:1:7

SUMMARY: AddressSanitizer: heap-use-after-free /w/k.cu:3 in k
"""


def test_address_sanitizers_report_is_a_finding(here: Path) -> None:
    (found,) = read(json.dumps(asan.rows(ASAN)), None, {"/w/k.cu": "k.cu"}, root=here)
    assert (found.code, found.sentence) == ("SPK532", "heap-use-after-free: 0 bytes inside of 16-byte region")
    places = [(party.role, party.place.span.line) for party in found.parties if party.place]
    assert places == [("writes 4 bytes", 3), ("freed", 2), ("allocated", 1)]
    assert found.place is not None and found.place.through == ("spak/sim/load_store.h:9",)
    assert [span.line for span in found.place.callers] == [4]
    assert asan.rows("nothing happened") == []


def test_a_line_of_ones_own_goes_before_one_of_a_header(here: Path) -> None:
    header = [["f", "/usr/include/c++/12/bits/x.h", 9]]
    party = {"role": "traps", "file": "k.cu", "line": 3, "frames": header}
    (found,) = read(text_of(row(parties=[party])), None, root=here)
    assert found.place is not None and (found.place.span.file, found.place.span.line) == ("k.cu", 3)
    (found,) = read(text_of(row(parties=[party | {"frames": [["k", "k.cu", 4]]}])), None, root=here)
    assert found.place is not None and found.place.span.line == 4
    (found,) = read(text_of(row(parties=[party | {"file": ""}])), None, root=here)
    assert found.place is not None and found.place.span.file.endswith("x.h")
