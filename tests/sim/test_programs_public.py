"""CUDA programs in the styles that people write: unchanged, right in plain mode, right and clean in check mode."""

from __future__ import annotations

import programs_harness
import pytest
from programs_harness import PROGRAMS

SOURCES = sorted(PROGRAMS.glob("*.cu"))
pytestmark = pytest.mark.xdist_group("programs")


def test_there_are_many_programs() -> None:
    assert len(SOURCES) >= 25


@pytest.mark.parametrize("mode", ["plain", "check"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_program_is_right_and_clean(source: programs_harness.Path, mode: str) -> None:
    done = programs_harness.run(source, mode)
    assert done.found == (), done.found
    assert done.status == 0, done.out + done.err


@pytest.mark.parametrize("name", ["reduction_shared", "scan_lookback", "softmax", "black_scholes", "graph_capture"])
def test_another_order_gives_the_same(name: str) -> None:
    done = programs_harness.run(
        PROGRAMS / f"{name}.cu", "check", order="random", seed="7", completion="random", streams="lazy"
    )
    assert (done.status, done.found) == (0, ()), done.out + done.err
