"""What runs have learned: fired rules beside the units they concern, and the knowledge of a run that is over. Knows neither
how a run executes nor how anything is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.errors import Diagnostic, SpakError, Span
from spak.knowledge.plain import is_strange

if TYPE_CHECKING:
    from spak.knowledge.grounding import Grounding
    from spak.knowledge.survey import Survey
    from spak.knowledge.values import Fired

FIRED = Path(".spak/fired")


def remember(root: Path, grounding: Grounding) -> list[str]:
    """Record what stands now, for the next request of every unit that the program is about; the units it was recorded for.

    To be called before a unit is built, and at the end of a run. Where nothing stands, what an earlier run had recorded goes.
    """
    from spak.knowledge.units import units_of

    units = list(units_of(grounding.program))
    for unit in units:
        record(root, unit, grounding.standing)
    return units


def record(root: Path, unit: str, fired: Iterable[Fired]) -> None:
    """Make these the rules that go with the unit's next request. Nothing is written if nothing changes."""
    from spak.codegen.observed import FiredRule, record_of
    from spak.store import atomic

    path = root / FIRED / f"{unit}.json"
    rules = tuple(FiredRule(name=one.rule, kind=one.sort, text=one.text()) for one in fired)
    if not rules:
        path.unlink(missing_ok=True)
        return
    data = record_of(unit, rules)
    if path.is_file() and path.read_bytes() == data:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise atomic.broken("make", path.parent, error) from error
    atomic.write(path, data)


def survey(root: Path, run: str = "", program: str = "", target: str = "") -> tuple[str, Survey]:
    """The knowledge of a run on its traces, and what the run is called. Raises SpakError.

    `run` is an id or the beginning of one (empty: the newest), a run's folder, or a `trace.jsonl`. The program is the one
    that was run, as it was then, with the constants it had; `program` names another, to be held against the same traces.
    """
    from spak.knowledge.survey import Survey
    from spak.knowledge.table import read
    from spak.semantics.resolve import load_program

    trace = _trace(root, run)
    folder = trace.parent
    shown = trace.relative_to(root).as_posix() if trace.is_relative_to(root) else trace.name
    table = read(trace, shown)
    start = _json(folder / "start.json")
    where, file = (root, program) if program else (folder / "program", str(start.get("program", "")))
    if not file:
        hint = "name the program that has the facts: `--program FILE`"
        raise SpakError(Diagnostic("SPK284", "nothing beside these traces says what was run", Span(shown), hint))
    target = target or str(start.get("target", ""))
    constants = start.get("constants") if target == start.get("target", "") else None
    if not isinstance(constants, dict):
        constants = _constants(root, target)
    name = folder.name if start else shown
    return name, Survey(load_program(where, file), table, constants, target, _outside(folder))


def _outside(folder: Path) -> dict[str, Any]:
    """What invariants may read beside traces: a run's variables, state and metrics, as it left them."""
    ended = _json(folder / "metrics.json")
    metrics = one if isinstance(one := ended.get("metrics"), dict) else {}
    return {**metrics, **_json(folder / "context.json"), "metrics": metrics, "failed": ended.get("status") == "failed"}


def _trace(root: Path, run: str) -> Path:
    """The trace that a word on the command line means. Raises SpakError."""
    from spak.traces.folder import find_run

    path = root / run if run else root
    if run and path.is_dir() and (path / "trace.jsonl").exists():
        return path / "trace.jsonl"
    if run and (path.is_file() or run.endswith(".jsonl")):
        return path
    return find_run(root, run).trace


def _json(path: Path) -> dict[str, Any]:
    """One of a run's own files, empty where there is none. Raises SpakError for a damaged one."""
    try:
        if is_strange(path):
            raise ValueError("it is not a plain file")
        data = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        what = f"this file of the run is damaged: {str(error).splitlines()[0]}"
        raise SpakError(Diagnostic("SPK284", what, Span(path.name), "start another run, or delete it")) from None
    return data if isinstance(data, dict) else {}


def _constants(root: Path, target: str) -> dict[str, Any]:
    """What a target's file says, where no run has kept its constants."""
    from spak.parse.targets import load_target

    path = root / "targets" / f"{target}.toml"
    return dict(load_target(path).constants) if target and path.is_file() else {}
