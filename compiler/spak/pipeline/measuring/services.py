"""What the tools of a run need of the compiler: the graph's own stages, measuring, searching. Knows no tool and no statement.

Heavy parts are imported where they are used: most runs build nothing.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spak.errors import Diagnostic, SpakError, Span, Waiting
from spak.semantics.program import EngineeringLoop, Recommendation

if TYPE_CHECKING:
    from spak.agents.policy import Policy
    from spak.pipeline.execution.result import Result
    from spak.pipeline.execution.session import Session

GROUPS = ("build", "verify", "package")
PEAK = re.compile(rb"PEAK_|MAX_BW")  # what has to be measured before it is known


def tell(text: str) -> None:
    """To people, not to whoever reads the output."""
    print(text, file=sys.stderr)


class Services:
    """Implements `spak.agents.services.Services` for the project at `root`. `handler` '' is the project's own."""

    def __init__(self, root: Path, handler: str = "", say: Callable[[str], None] = tell) -> None:
        self.root, self.handler, self.say = root, handler, say

    def build(self, unit: str, variant: str, target: str) -> dict[str, Any]:
        """Everything up to the unit's artifact, or up to the evidence of one variant."""
        return self._bring("build", unit, variant, target)

    def verify(self, unit: str, variant: str, target: str) -> dict[str, Any]:
        """The evidence of a unit, or of one variant."""
        return self._bring("verify", unit, variant, target)

    def _bring(self, group: str, unit: str, variant: str, target: str) -> dict[str, Any]:
        from spak.pipeline.execution.events import Events
        from spak.pipeline.execution.session import Mode, Session
        from spak.pipeline.execution.signals import interruptible
        from spak.pipeline.frontends.progress import Progress

        with chdir(self.root), interruptible():
            session = Session(self.root, Mode(handler=self.handler), Events(Progress()))
            chosen = choose(session, group, unit, variant, target)
            results: list[Result] | None = None
            try:
                session.open()
                results = session.build(chosen)
            finally:
                session.close(results)
            return report(session, results)

    def bench(
        self,
        unit: str,
        variant: str,
        target: str,
        shapes: Sequence[Mapping[str, int]],
        params: Mapping[str, Any],
        repeats: int,
    ) -> dict[str, Any]:
        """Measure what verifies: a figure of what is wrong would be worth nothing."""
        from spak.pipeline.measuring.benching import bench

        with chdir(self.root):
            return bench(self.root, unit, variant, target or "cpu", shapes, params, repeats, say=self.say)

    def sweep(
        self,
        loop: EngineeringLoop,
        report: Callable[[dict[str, Any]], None],
        narrowed: Sequence[Recommendation],
        policy: Policy,
    ) -> dict[str, Any]:
        """Search, narrowed by what is recommended."""
        from spak.pipeline.measuring.sweeping import sweep

        with chdir(self.root):
            return sweep(self.root, loop, report, narrowed, policy=policy, say=self.say)

    def constants(self, target: str, sources: Sequence[bytes] | None = None) -> dict[str, float]:
        """The target's `[constants]`, and its measured peaks if the program names one."""
        found = constants(self.root, target)
        if found is None:
            return {}
        if sources is not None and not any(PEAK.search(source) for source in sources):
            return found
        return {**found, **peaks(self.root, target, self.say)}


def choose(session: Session, group: str, unit: str, variant: str, target: str) -> tuple[str, ...]:
    """The actions that a unit, and of it a variant on a target, mean. Raises SpakError (SPK714) for what is not there."""
    from spak.pipeline.graph.selection import select, target_of
    from spak.semantics.suggest import near

    units = sorted(name for name in session.graph.groups if name not in GROUPS)
    if unit not in units:
        hint = near(unit, units, "units") or "there is no unit in specs/"
        raise SpakError(Diagnostic("SPK714", f"there is no unit called {unit!r}", None, hint))
    names = select(session.graph, session.network, group, [unit], [target] if target else [])
    if target:
        names = tuple(name for name in names if target_of(name) == target)
        if not names:
            there = sorted({target_of(name) for name in session.graph.groups[unit]} - {""})
            raise SpakError(
                Diagnostic("SPK714", f"{unit} has no target {target!r}", None, near(target, there, "targets"))
            )
    if not variant:
        return names
    found = tuple(name for name in names if variant_of(name) == variant)
    if not found:
        there = sorted({variant_of(name) for name in session.graph.groups[unit]} - {""})
        what = f"{unit} has no variant {variant!r}" + (f" on {target}" if target else "")
        raise SpakError(Diagnostic("SPK714", what, None, near(variant, there, "variants")))
    return found


def variant_of(action: str) -> str:
    """`tiled` of `check:matmul.tiled@cpu` and of `codegen:matmul.tiled.cpp`, '' for actions of no variant."""
    return action.partition(":")[2].partition("@")[0].partition(".")[2].partition(".")[0]


def report(session: Session, results: Sequence[Result]) -> dict[str, Any]:
    """What came of a build as data; what the simulator counted of the last variant stands on top as well.

    Raises Waiting where a reply is waited for and nothing failed.
    """
    from spak.pipeline.execution.result import Status, exit_code
    from spak.pipeline.frontends import report as evidence
    from spak.pipeline.measuring.counting import counters

    code = exit_code(list(results))
    if code == Waiting.exit_code:
        raise Waiting(*(one for result in results if result.status is Status.WAITING for one in result.diagnostics))
    wrong = [result for result in results if not result.status.good]
    rows = [
        {**row.to_json(), "not_checked": list(row.not_checked), "counters": counters(row.evidence)}
        for row in evidence.rows(session.network, results)
    ]
    made = sorted({path for result in results for path in session.network.actions[result.name].outputs})
    return {
        "ok": code == 0,
        "why": "; ".join(f"{result.name} {result.status.value}" for result in wrong),
        "diagnostics": [one.to_json() for result in wrong for one in result.diagnostics],
        "digests": {path: session.keys.digests.of(path) for path in made if Path(path).is_file()},
        "evidence": rows,
        **next(
            (row["counters"] for row in reversed(rows) if row["counters"]), {}
        ),  # so that an item may be made of them
    }


def constants(root: Path, target: str) -> dict[str, float] | None:
    """A target's `[constants]`, None if it has no file. Raises SpakError where that cannot be read."""
    path = root / "targets" / f"{target}.toml"
    try:
        table = tomllib.loads(path.read_text()).get("constants", {})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        span = Span(f"targets/{target}.toml")
        raise SpakError(Diagnostic("SPK903", f"it cannot be read: {error}", span, "write it as TOML")) from None
    return {key: one for key, one in table.items() if isinstance(one, int | float) and not isinstance(one, bool)}


def peaks(root: Path, target: str, say: Callable[[str], None]) -> dict[str, float]:
    """The measured peaks of a target that runs here. Where they cannot be measured they are unknown, and that is said."""
    from spak.pipeline.measuring.benching import constants as measured
    from spak.verify.verification import load_target

    try:
        return measured(root, load_target(str(root / "targets" / f"{target}.toml")), say)
    except SpakError as error:
        say(f"the peaks of {target} are not known: {error}")
        return {}
