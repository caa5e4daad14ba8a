"""What tools need of the rest of the compiler: the graph, measuring, searching. Knows only their signatures.

`spak.pipeline.measuring.services` implements them. Everything handed over and given back is JSON-able data, as it ends in a
trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from spak.agents.policy import Policy
from spak.semantics.program import EngineeringLoop, Recommendation


class Services(Protocol):
    """Each raises SpakError where it cannot do its work, and Waiting where an answer comes from outside later; what fails
    in the subject is data: `ok` is then false.
    """

    def build(self, unit: str, variant: str, target: str) -> dict[str, Any]:
        """Build; {ok, diagnostics: [text], digests: {file: digest}, evidence: [{variant, target, verdict, ...}]}."""

    def verify(self, unit: str, variant: str, target: str) -> dict[str, Any]:
        """The same, as far as the unit's verification."""

    def bench(
        self,
        unit: str,
        variant: str,
        target: str,
        shapes: Sequence[Mapping[str, int]],
        params: Mapping[str, Any],
        repeats: int,
    ) -> dict[str, Any]:
        """Measure a kernel that has been verified; {ok, why, ...figures}."""

    def sweep(
        self,
        loop: EngineeringLoop,
        report: Callable[[dict[str, Any]], None],
        narrowed: Sequence[Recommendation],
        policy: Policy,
    ) -> dict[str, Any]:
        """Search, commands under the policy; each trial is reported as it ends, as the data of a `trial` event.

        {ok, why, best, trials, ...}.
        """

    def constants(self, target: str, sources: Sequence[bytes] | None = None) -> dict[str, float]:
        """The figures of a target that facts may name. `sources` are the program's: a peak that would have to be measured
        first is left out unless one of them names it.
        """
