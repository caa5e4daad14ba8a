"""What a run has used of what it may use: steps, seconds of work, tokens, money. Knows nothing of who set the limits.

Seconds are those that tools and answers took, as recorded: time in which a run lay waiting does not count.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spak.errors import Diagnostic, SpakError
from spak.semantics.program import Limits

LIMITS = (("max_steps", "steps"), ("seconds", "seconds"), ("tokens", "tokens"), ("cost", "US dollars"))


class Limit(SpakError):
    """A limit is reached: the run fails."""


@dataclass(slots=True)
class Spent:
    """Counts against `limits`, of which 0 is none."""

    limits: Limits
    max_steps: int = 0
    seconds: float = 0.0
    tokens: int = 0
    cost: float = 0.0

    def check(self, *, step: bool = False) -> None:
        """Raises Limit where something is used up. The last `step` that is allowed may still do its work."""
        for name, what in LIMITS if step else LIMITS[1:]:
            most, used = getattr(self.limits, name), getattr(self, name)
            if most and used >= most:
                message = f"the run may use {most:g} {what}, and has used {used:g}"
                raise Limit(Diagnostic("SPK931", message, None, f"raise `{name}` in the contract if that is meant"))

    def step(self) -> None:
        """One more step begins. Raises Limit."""
        self.check(step=True)
        self.max_steps += 1


def strictest(limits: Iterable[Limits]) -> Limits:
    """Every part's smallest limit; 0 is none."""
    found = list(limits)

    def least(name: str) -> float:
        return min((value for one in found if (value := getattr(one, name))), default=0)

    interval = max((one.interval for one in found), default=0.0)
    return Limits(int(least("max_steps")), interval, least("seconds"), int(least("tokens")), least("cost"))
