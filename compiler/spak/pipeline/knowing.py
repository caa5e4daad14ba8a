"""What runs have learned, for whoever asks next: fired rules beside the units they concern. Knows neither how a run executes
nor how anything is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spak.knowledge.grounding import Grounding
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
