"""Launches, copies and fills of several streams: what nothing orders is found with both lines, and ordered it is clean."""

from __future__ import annotations

import programs_harness
import pytest
from programs_harness import PROGRAMS

STREAMS = PROGRAMS / "api" / "streams.cu"
pytestmark = pytest.mark.xdist_group("programs")

CASES = {0: ("// fill", "// add"), 1: ("// fill", "// add"), 2: ("// fill", "// copy 2"), 3: ("// add", "// copy 3"),
         4: ("// fill", "// copy 4"), 5: ("// add", "// copy 5"), 6: ("// fill", "// add"),
         8: ("// one of", "// alone")}  # fmt: skip


@pytest.mark.parametrize("streams", ["lazy", "eager"])
@pytest.mark.parametrize("case", CASES)
def test_a_forgotten_order_of_streams_is_found(case: int, streams: str) -> None:
    done = programs_harness.run(STREAMS, "check", str(case), streams=streams)
    assert set(done.rules) == {"race-global"}, done.found
    text = STREAMS.read_text().split("\n")
    lines = {text[party.place.span.line - 1] for party in done.found[0].parties if party.place.span}
    assert all(any(mark in line for line in lines) for mark in CASES[case]), done.found
    assert "two streams" in done.found[0].sentence
    if case == 8:
        assert {party.threads for party in done.found[0].parties} == {
            "block (0,0,0), thread (2,1,0)",
            "block (0,0,0), thread (0,0,0)",
        }


@pytest.mark.parametrize("streams", ["lazy", "eager"])
@pytest.mark.parametrize("case", [*CASES, 7])
def test_work_in_order_is_clean(case: int, streams: str) -> None:
    assert programs_harness.run(STREAMS, "check", str(case), "ordered", streams=streams).found == ()
