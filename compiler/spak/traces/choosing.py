"""Which events of a trace are wanted. Knows kinds and steps, not how events are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from spak.errors import Diagnostic, SpakError
from spak.traces.event import KINDS, Event


def choose(events: Iterable[Event], kinds: Collection[str] = (), steps: Collection[str] = ()) -> list[Event]:
    """The events of some kinds and steps; an empty choice is all. Raises SpakError for what the trace cannot have."""
    from spak.semantics.suggest import near

    events = list(events)
    present = {one.step for one in events}
    for word, known, what in [*((k, set(KINDS), "kind") for k in kinds), *((s, present, "step") for s in steps)]:
        if word not in known:
            raise SpakError(
                Diagnostic("SPK925", f"the trace has no {what} {word!r}", None, near(word, known - {""}, f"{what}s"))
            )
    return [one for one in events if (not kinds or one.kind in kinds) and (not steps or one.step in steps)]
