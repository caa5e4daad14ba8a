"""The trial cache and records: what is found again, what is not, and what a damaged file does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from recorded import SPACE, made, record
from spak.errors import SpakError
from spak.optimize.cache import TrialCache
from spak.optimize.record import read
from spak.optimize.runners.live import Live, Subject
from spak.optimize.space import Config
from spak.optimize.strategies import find
from spak.optimize.sweep import Budget, sweep
from spak.optimize.trial import Trial

KEY = {"subject": "sha256:1", "workload": "w", "environment": "e"}


class Counted:
    """A live runner over the recorded hill, which counts what it is made to do."""

    def __init__(self, folder: Path, environment: str = "here", stop: int = 10**9) -> None:
        self.measured: list[Config] = []
        self.stop = stop
        self.live = Live(TrialCache(folder), "workload", environment, self.subjects, self.measure)

    def subjects(self, configs: Sequence[Config]) -> list[Subject]:
        return [
            Subject(repr(sorted(one.items())), "no such kind" if one["KIND"] == "broken" else "") for one in configs
        ]

    def measure(self, config: Config, subject: Subject) -> Trial:
        if len(self.measured) == self.stop:
            raise KeyboardInterrupt
        self.measured.append(config)
        return made(config)


def test_a_repeated_sweep_measures_nothing(tmp_path: Path) -> None:
    first, second = Counted(tmp_path), Counted(tmp_path)
    one = sweep(SPACE, find("tpe"), first.live, budget=Budget(20), seed=5)
    two = sweep(SPACE, find("tpe"), second.live, budget=Budget(20), seed=5)
    assert first.measured
    assert not second.measured
    assert [t.to_json() for t in one.trials] == [t.to_json() for t in two.trials]
    assert all(t.cached for t in two.trials)
    assert not any(t.cached for t in one.trials)


def test_an_interrupted_sweep_goes_on(tmp_path: Path) -> None:
    stopped = Counted(tmp_path, stop=6)
    with pytest.raises(KeyboardInterrupt):
        sweep(SPACE, find("random"), stopped.live, budget=Budget(20), seed=5)
    rest = Counted(tmp_path)
    resumed = sweep(SPACE, find("random"), rest.live, budget=Budget(20), seed=5)
    whole = Counted(tmp_path / "other")
    straight = sweep(SPACE, find("random"), whole.live, budget=Budget(20), seed=5)
    assert len(stopped.measured) == 6
    assert stopped.measured + rest.measured == whole.measured
    assert [t.config for t in resumed.trials] == [t.config for t in straight.trials]


def test_another_environment_measures_anew(tmp_path: Path) -> None:
    sweep(SPACE, find("cartesian"), Counted(tmp_path).live, budget=Budget(4))
    elsewhere = Counted(tmp_path, environment="elsewhere")
    sweep(SPACE, find("cartesian"), elsewhere.live, budget=Budget(4))
    assert elsewhere.measured


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": {}, "trial": {}}', "\xff"])
def test_a_damaged_entry_is_no_entry(tmp_path: Path, damage: str) -> None:
    cache = TrialCache(tmp_path)
    cache.put(KEY, {"value": 1})
    assert cache.get(KEY) == {"value": 1}
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(damage.encode("latin-1"))
    assert cache.get(KEY) is None


def test_an_edited_figure_is_no_entry(tmp_path: Path) -> None:
    cache = TrialCache(tmp_path)
    cache.put(KEY, {"value": 1})
    (path,) = tmp_path.rglob("*.json")
    body = json.loads(path.read_bytes())
    body["trial"]["value"] = 2
    path.write_text(json.dumps(body))
    assert cache.get(KEY) is None


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record().write(tmp_path / "r.json")
    again = read(tmp_path / "r.json")
    assert [t.to_json() for t in again.trials] == [t.to_json() for t in record().trials]
    assert (again.metric, again.objective) == ("score", "maximize")


@pytest.mark.parametrize(
    ("content", "place", "what"),
    [
        (b"{", "r.json:1:2", "not JSON"),
        (b"[1, 2]", "r.json:1:1", "no trials"),
        (b'{"trials": [{"config": {}}]}', "r.json:1:1", "trial 1"),
        (b'{"trials": [{"config": {}, "state": "measured", "value": null}]}', "r.json:1:1", "trial 1"),
        (b"\xff\xfe", "r.json:1:1", "UTF-8"),
        (b"[" * 100_000, "r.json:1:1", "nests"),
    ],
)
def test_what_is_no_record(tmp_path: Path, content: bytes, place: str, what: str) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(SpakError) as raised:
        read(tmp_path / "r.json", "r.json")
    assert str(raised.value).startswith(f"{place}: SPK653")
    assert what in str(raised.value)
