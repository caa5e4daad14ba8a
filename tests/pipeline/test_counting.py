"""The simulator's counters become numbers that a trace can hold, and facts are evaluated on them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from spak.pipeline.counting import counters
from spak.verify import checked
from spak.verify.rig import Ran
from spak.verify.rounds import Round

FIRST = {"barriers": 4, "global_load_sectors": 10, "threads_a_block": 32}
SECOND = {"barriers": 1, "mma": 7, "threads_a_block": 32}
LAUNCHES = [
    {"kernel": "a", "grid": [2, 1, 1], "block": [32, 1, 1], "counters": FIRST},
    {"kernel": "b", "grid": [1, 1, 1], "block": [32, 1, 1], "counters": SECOND},
]


def evidence(folder: Path, *checks: dict[str, Any]) -> str:
    path = folder / "verify.json"
    path.write_text(json.dumps({"checks": [{"name": "round normal", "figures": {}}, *checks]}))
    return str(path)


def test_counters_are_summed_over_launches(tmp_path: Path) -> None:
    path = evidence(tmp_path, {"name": "counters", "figures": {"launches": LAUNCHES}})
    assert counters(path) == {"launches": 2, "barriers": 5, "global_load_sectors": 10, "mma": 7, "threads_a_block": 32}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"checks": [{"name": "counters"}]}', '{"checks": []}'])
def test_evidence_without_counters_has_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "verify.json").write_text(text)
    assert counters(str(tmp_path / "verify.json")) == {}
    assert counters(str(tmp_path / "missing.json")) == {}


class Rig:
    """What `count` asks of a rig; it says what it was told to."""

    def __init__(self, said: str) -> None:
        self.said, self.module, self.ran = said, "plain.so", ""
        signature = SimpleNamespace(params=())
        self.problem = SimpleNamespace(
            unit=SimpleNamespace(signature=signature), tensors=(), default_scalars=dict, layouts=lambda *_: ()
        )

    def run(self, case: Any, *, at: Any, env: dict[str, str]) -> Ran:
        assert env["SPAK_SIM_MODE"] == "profile"
        self.ran = self.module
        return Ran(counters=self.said)


def test_a_profiled_run_is_of_the_instrumented_module() -> None:
    rig = Rig(json.dumps(LAUNCHES))
    assert checked.count(rig, "checked.so", Round("check-only", "check", {}, {})) == LAUNCHES  # type: ignore[arg-type]
    assert (rig.ran, rig.module) == ("checked.so", "plain.so")


@pytest.mark.parametrize(
    "said",
    [
        "",
        "nonsense",
        '[{"kernel": "a"}]',
        '[{"kernel": "a", "grid": 1}]',
        "7",
        json.dumps(LAUNCHES).replace("10", "NaN"),
    ],
)
def test_a_candidate_that_lies_about_counters_has_none(said: str) -> None:
    assert np.size(checked.count(Rig(said), "checked.so", Round("check-only", "check", {}, {}))) == 0  # type: ignore[arg-type]
